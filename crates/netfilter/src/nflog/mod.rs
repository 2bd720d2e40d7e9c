//! The room of NFLOG: packets that the kernel shows to whoever listens to a
//! group ([`Listener`]), as headers with a label ([`ShownPacket`]). It knows sockets
//! and bytes, and not whose packets they are.

mod listener;
mod packet;

pub use listener::{Heard, ListenError, Listener};
pub use packet::{ShownPacket, Unreadable, shown};
