//! Those who ask: let in, listened to within limits, and answered.

mod answer;
mod check;
mod client;
mod documents;
mod listen;
mod seats;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::asking::Said;
use super::counters::CheckCounters;
use super::lists::Knowledge;
use super::settings::CheckRules;

pub(crate) use listen::{bind, serve};
pub(crate) use seats::Seats;

/// What answers are made of.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) rules: CheckRules,
    pub(crate) known: watch::Receiver<Arc<Knowledge>>,
    pub(crate) said: watch::Receiver<Arc<Said>>,
    pub(crate) counters: CheckCounters,
    pub(crate) seats: Arc<Seats>,
    /// For what takes longer than a look-up.
    pub(crate) turns: Semaphore,
    /// For what the daemon is asked: should it hang, all else goes on.
    pub(crate) questions: Semaphore,
    pub(crate) control_socket: PathBuf,
}
