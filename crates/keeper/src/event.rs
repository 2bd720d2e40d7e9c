//! What happens to the keeper and what it wants done, as data. An event tells
//! that something is so; an action asks for work whose end is an event, which
//! brings the ticket of the action back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, Protection};
use intake::{Answer, Makeup, NotAcceptable, Order, Peer, Ticket};
use reconcile::{
    Desired, Difference, Found, KernelError, Observed, Outcome, Plan, Policy, Probe, SetName,
};

use crate::{Compose, Composed, Report, Settings, Slip, Trial, Tried};

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Those who touch files have an answer.
    Files(Answer),
    /// The same of a feed that was read, and who was connected just then to the
    /// ports over which this host is administered.
    Read(Vec<Peer>, Answer),
    /// Something in the feeds directory has changed, or may have.
    FilesChanged,
    /// A list was put together.
    Composed(Composed),
    /// Proposed lists were tried.
    Tried(Tried),
    /// What [`Action::WriteDown`] has asked for was done, or could not be.
    WrittenDown(Ticket),
    /// The kernel was observed.
    Observed(Ticket, Result<Look, KernelError>),
    /// The kernel was brought nearer to what is desired.
    Converged(Box<Converged>),
    /// Sets were probed.
    Probed(Ticket, Vec<Probed>),
    /// Somebody did something to our rules, perhaps we ourselves.
    RulesChanged,
    /// This host has these addresses, gateways and resolvers.
    HostIs(Protection),
    /// There is a new configuration. Somebody may wait for what comes of it.
    Proposed {
        /// Who waits.
        ticket: Option<Ticket>,
        /// What it says.
        settings: Settings,
        /// Whether a person has said that it is meant, whatever it empties.
        accepted: bool,
    },
    /// A person accepts what a guard refused of a feed.
    Accept(Ticket, FeedName),
    /// A person accepts that lists lose what state or configuration do not
    /// account for.
    AcceptLosses(Ticket),
    /// Somebody asks that the kernel be observed again.
    Resync,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Touch files. What writes is done in order, together with
    /// [`Action::WriteDown`].
    Files(Order),
    /// Write down which feeds make up each list.
    WriteDown(Ticket, BTreeMap<String, Makeup>),
    /// Put a list together.
    Compose(Box<Compose>),
    /// Try what a proposed configuration would make of lists.
    Try(Box<Trial>),
    /// Observe the kernel, and compare it with what is thought to be there.
    Observe(Ticket, Option<Observed>, LookCause),
    /// Bring the kernel nearer to what is desired.
    Converge(Box<Converge>),
    /// Probe sets.
    Probe(Ticket, Vec<Probe>),
    /// Send a tick at this monotonic time, and forget earlier wishes.
    WakeAt(Duration),
    /// Tell the administrator.
    Report(Report),
    /// Tell whoever has this ticket what came of it.
    Reply(Ticket, WishOutcome),
}

/// Why the kernel is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookCause {
    /// It is not known what is there, and protection may be missing.
    Doubt,
    /// It is time to compare everything. Nobody waits for it.
    Audit,
}

/// What came of a person's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WishOutcome {
    /// To [`Event::Accept`] and [`Event::AcceptLosses`].
    Accepted(Result<(), NotAcceptable>),
    /// To [`Event::Proposed`]: what would be lost, if it was refused for that.
    Configured(Result<(), Vec<Slip>>),
}

/// The kernel as it was seen.
#[derive(Debug)]
pub struct Look {
    /// What is there.
    pub observed: Observed,
    /// How it differs from what was thought to be there.
    pub differences: Vec<Difference>,
}

impl Look {
    /// Compares what is there with what was thought to be. Over all members,
    /// so it is for the thread that has observed.
    pub fn new(observed: Observed, known: Option<&Observed>) -> Self {
        let differences = known.map(|known| observed.drift_from(known)).unwrap_or_default();
        Self { observed, differences }
    }
}

/// What the kernel is to be brought to, and from what.
#[derive(Clone, Debug)]
pub struct Converge {
    /// Of the answer.
    pub ticket: Ticket,
    /// What should be there.
    pub desired: Arc<Desired>,
    /// What is there.
    pub observed: Observed,
    /// What may be done.
    pub policy: Policy,
}

impl Converge {
    /// What has to be done. Over all members, so it is for the thread that
    /// does it.
    pub fn plan(&self) -> Plan {
        reconcile::plan(&self.desired, &self.observed, &self.policy)
    }
}

/// What has become of the kernel.
#[derive(Debug)]
pub struct Converged {
    /// Of the question.
    pub ticket: Ticket,
    /// What was to be done.
    pub plan: Plan,
    /// What was done of it.
    pub outcome: Outcome,
    /// What is there now.
    pub observed: Observed,
}

/// What probing one set gave.
#[derive(Debug)]
pub struct Probed {
    /// The set.
    pub set: SetName,
    /// What was found.
    pub result: Result<Found, KernelError>,
    /// How long it took, if the members were counted.
    pub counted_in: Option<Duration>,
}
