//! Whether what a list was put together to may come into force, as far as it
//! could shut somebody out. It knows who was connected, not how that is seen.

use std::collections::BTreeSet;
use std::time::Duration;

use intake::Peer;
use reconcile::Target;

use crate::Slip;

/// What is known of one list.
#[derive(Debug, Default)]
pub(crate) struct Clearance {
    /// What it held when it last shut nobody out who was not before.
    pub(crate) cleared: Option<[Target; 2]>,
    /// Who was connected when it was put together, until it was held against that.
    pub(crate) pending: Option<Pending>,
    /// A person, or another guard, has let the next one through already.
    pub(crate) given: bool,
    /// Why it does not come into force.
    pub(crate) refused: Option<Refused>,
}

/// What is to be held against a list that was put together.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Who is connected.
    pub(crate) peers: Vec<Peer>,
    /// Whether the list is another than the one before.
    pub(crate) changed: bool,
}

/// Who would be shut out.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Named for a person.
    pub(crate) slips: Vec<Slip>,
    /// The connections that count. Those that begin later do not, for the same
    /// list: somebody who is listed may knock as often as he likes.
    pub(crate) connections: BTreeSet<u64>,
    /// When it is looked again who is still there.
    pub(crate) again: Duration,
}

impl Clearance {
    /// What is there may come into force.
    pub(crate) fn give(&mut self, targets: Option<&[Target; 2]>) {
        self.cleared = targets.cloned();
        self.refused = None;
        self.given = false;
    }
}
