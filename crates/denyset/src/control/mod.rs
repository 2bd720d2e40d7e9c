//! The control socket: one request a connection, one line of JSON each way.
//!
//! What may be asked is a closed list, and who may ask what is decided here.
//! What the answers say is not known here: the daemon makes them, the verbs
//! print them.

mod client;
mod protocol;
mod server;
mod session;

pub use client::{AskError, ask};
pub use protocol::{Access, Failure, Reply, Request};
pub use server::{BindError, Control};
pub use session::{Call, Peer};

use std::time::Duration;

/// Every limit of the control socket.
mod limits {
    use super::Duration;

    /// A request line, in bytes. The longest holds a feed name.
    pub(super) const REQUEST_BYTES_MAX: usize = 4 * 1024 + 256;
    /// A reply, in bytes, as a client takes it: `status` with all feeds and
    /// `why` with all sources are below one mebibyte.
    pub(super) const REPLY_BYTES_MAX: u64 = 64 * 1024 * 1024;
    /// Clients at once.
    pub(super) const CLIENTS_MAX: usize = 32;
    /// From connecting to the end of the request line.
    pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
    /// For the client to take the reply.
    pub(super) const REPLY_TIME_MAX: Duration = Duration::from_secs(30);
    /// The pause after the system had no descriptor left for a client.
    pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
    /// A path that fits `sun_path` with its closing NUL (`unix(7)`), and
    /// leaves room for the name it has while it is being made.
    pub(super) const PATH_BYTES_MAX: usize = 107 - ".new".len();
}
