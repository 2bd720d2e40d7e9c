//! Those who ask: let in, listened to within limits, and answered.

mod answer;
mod check;
mod client;
mod listen;
mod seats;

use std::sync::Arc;

use tokio::sync::watch;

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
    pub(crate) counters: CheckCounters,
}
