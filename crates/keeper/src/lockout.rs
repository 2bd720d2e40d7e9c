//! Who would newly be shut out of this host if other lists and rules were in
//! force. Whether a feed does that is the intake's business.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blocklist::{AnyPrefix, Protection};
use intake::{Peer, Shuts, Who};
use reconcile::Target;

use crate::{Slip, SlipKind};

/// Who is named at the most.
const NAMED_MAX: usize = 8;

/// Lists as they are, or would be.
#[derive(Default)]
pub(crate) struct World<'a> {
    /// Whom they shut out.
    pub(crate) shuts: BTreeMap<&'a str, Shuts>,
    /// What is in them.
    pub(crate) targets: BTreeMap<&'a str, &'a [Target; 2]>,
    /// The same of lists of which only the kernel tells what is in them.
    pub(crate) found: BTreeMap<&'a str, [Target; 2]>,
}

impl<'a> World<'a> {
    /// One list, and no other.
    pub(crate) fn of(list: &'a str, shuts: Shuts, targets: &'a [Target; 2]) -> Self {
        let (shuts, targets) = ([(list, shuts)].into(), [(list, targets)].into());
        Self { shuts, targets, found: BTreeMap::new() }
    }

    /// The first list that shuts somebody out, and whether as its member.
    fn shuts_out(&self, address: IpAddr, who: Who) -> Option<(&str, bool)> {
        self.shuts.iter().find_map(|(&list, shuts)| {
            let targets = self.targets.get(list).copied().or_else(|| self.found.get(list));
            let holds = |target: &Target| target.members.covering(address).is_some();
            let is_member = targets.into_iter().flatten().any(holds);
            shuts.shuts_out(is_member, who).then_some((list, is_member))
        })
    }
}

/// Whoever is shut out in the world after and not in the one before: of those
/// who are connected, and of what the host itself needs.
pub(crate) fn newly_shut_out(
    before: &World<'_>,
    after: &World<'_>,
    peers: &[Peer],
    protection: &Protection,
) -> Vec<Slip> {
    let peers = peers.iter().map(|peer| (peer.address, Who::Peer(peer.port)));
    let host = Who::OF_HOST.into_iter().flat_map(|category| {
        let prefixes: Vec<_> = protection.of(&[category]).iter().collect();
        prefixes.into_iter().map(move |prefix| (first(prefix), Who::Host(category)))
    });
    let all: BTreeSet<_> = peers.chain(host).collect();
    let slips = all.into_iter().filter_map(|(address, who)| {
        let (list, is_member) = after.shuts_out(address, who)?;
        let kind = SlipKind::ShutsOut { address, who, is_member };
        let newly = before.shuts_out(address, who).is_none();
        newly.then(|| Slip { list: list.to_owned(), kind })
    });
    slips.take(NAMED_MAX).collect()
}

fn first(prefix: AnyPrefix) -> IpAddr {
    match prefix {
        AnyPrefix::V4(prefix) => IpAddr::V4(prefix.first().into()),
        AnyPrefix::V6(prefix) => IpAddr::V6(prefix.first().into()),
    }
}
