//! What the tests share: namespaces to break things in, the witnesses that
//! say what the kernel holds, packets that feel it, and the program itself.
//!
//! Nothing here uses the project's own crates: what judges the program must
//! not share its mistakes.

pub mod crossing;
pub mod daemon;
pub mod flood;
pub mod gateway;
pub mod generate;
pub mod host;
pub mod http;
pub mod intervals;
pub mod journal;
pub mod kills;
pub mod link;
pub mod members;
pub mod moments;
pub mod namespace;
pub mod notify;
pub mod packets;
pub mod passage;
pub mod ping;
pub mod program;
pub mod session;
pub mod torrent;
pub mod trace;
pub mod versions;
pub mod volley;
pub mod wall;
pub mod wire;
pub mod witness;

mod datagram;
