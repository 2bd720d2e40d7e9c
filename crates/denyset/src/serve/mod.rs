//! The control socket: one request a connection, one line of JSON each way.
//!
//! What may be asked is a closed list, and who may ask what is decided here.
//! Questions are answered from the snapshot that the daemon publishes; only
//! what changes something reaches its loop. Whatever clients do, the others
//! are answered within a second: see `places`, `pace` and `turns`.

mod answers;
mod client;
mod counters;
mod deciding;
mod hits;
mod limits;
mod pace;
mod places;
mod protocol;
mod server;
mod session;
mod socket;
#[cfg(test)]
mod tests;
mod turns;
mod why;

pub use answers::{Answers, document};
pub use client::{AskError, ask};
pub use protocol::{Change, ClientRequest, Failure, Proto, Question, VerbReply};
pub use server::Server;
pub use session::{Call, ClientCredentials};
pub use socket::{BindError, Socket};
