//! The room of NFLOG: packets that the kernel shows to whoever listens to a
//! group ([`Listener`]), as headers with a label ([`Shown`]). It knows sockets
//! and bytes, and not whose packets they are.

mod listener;
mod packet;

pub use listener::{Heard, ListenError, Listener};
pub use packet::{Shown, Unreadable, shown};
