//! Whether what a list was put together to may come into force, as far as it
//! could shut somebody out. It knows who was connected, not how that is seen.

use std::collections::BTreeSet;
use std::time::Duration;

use intake::Peer;
use reconcile::Target;

use crate::{Slip, SlipKind};

/// What is known of one list.
#[derive(Debug, Default)]
pub(crate) struct Clearance {
    /// What it held when it last shut nobody out who was not before.
    pub(crate) cleared: Option<[Target; 2]>,
    /// Who was connected when it was put together, until it was held against that.
    pub(crate) pending: Option<Vec<Peer>>,
    /// A person, or another guard, has let the next one through already.
    pub(crate) given: bool,
    /// Why it does not come into force.
    pub(crate) refused: Option<ShutOut>,
}

/// Who would be shut out.
#[derive(Debug)]
pub(crate) struct ShutOut {
    /// Named for a person.
    pub(crate) slips: Vec<Slip>,
    /// The connections that count. Those that begin later do not, from the same
    /// address: somebody who is listed may knock as often as he likes.
    pub(crate) connections: BTreeSet<u64>,
    /// When it is looked again who is still there.
    pub(crate) again: Duration,
}

impl ShutOut {
    /// Whether a connection counts: one that did, or from somewhere else.
    pub(crate) fn counts(&self, peer: &Peer) -> bool {
        let named = self.slips.iter().any(|slip| match slip.kind {
            SlipKind::ShutsOut { address, .. } => address == peer.address,
            _ => false,
        });
        !named || self.connections.contains(&peer.connection)
    }
}

impl Clearance {
    /// What is there may come into force.
    pub(crate) fn give(&mut self, targets: Option<&[Target; 2]>) {
        self.cleared = targets.cloned();
        self.refused = None;
        self.given = false;
    }
}
