//! This host's facts, which no list may go against: its own addresses, its
//! default gateways and its resolvers ([`look`]), and that they may have
//! changed ([`Watch`], [`Follow`]); and who is connected to its SSH ports
//! ([`peers`](peers())).
//!
//! It knows rtnetlink (`rtnetlink(7)`), `sock_diag(7)`, `resolv.conf(5)` and
//! inotify, all in the network namespace and the mount namespace of the calling
//! thread. It writes nothing, and never knows what is done with what it finds.

mod dump;
mod facts;
mod follow;
mod limits;
mod links;
mod next_hops;
mod part;
mod peers;
mod resolvers;
mod rtnetlink;
mod watch;

pub use facts::{Facts, FactsDifference, FactsLook, look};
pub use follow::{Follow, News};
pub use links::{Link, links};
pub use part::{FactsPart, LookError};
pub use peers::{ConnectionEnd, PeerPorts, PeersError, TcpSocket, peers};
pub use resolvers::Sources;
pub use watch::{Unwatched, Watch, Woken};
