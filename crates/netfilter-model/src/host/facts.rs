//! What the host says of itself: its own addresses, its gateways, its
//! resolvers. They change at any moment.

use std::net::IpAddr;

use blocklist::{Address as _, AnyPrefix, Family, Prefixes, Protect};

use crate::sets::length;
use crate::{Random, universe};

/// The categories of protection that are the host's own matter.
pub(super) const CATEGORIES: [Protect; 3] = [Protect::Own, Protect::Gateways, Protect::Resolvers];

/// What the host says at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HostFacts {
    /// The addresses of each category of [`CATEGORIES`].
    pub(super) addresses: [Vec<IpAddr>; 3],
}

impl HostFacts {
    /// Other facts than these: one category has changed.
    pub(super) fn changed(&self, random: &mut Random) -> Self {
        let mut facts = self.clone();
        let which = random.below(facts.addresses.len());
        let count = random.below(3);
        facts.addresses[which] = (0..count).map(|_| address(random)).collect();
        facts
    }

    /// All addresses that are protected by them.
    pub(super) fn protected(&self) -> Prefixes {
        self.addresses.iter().flatten().copied().map(AnyPrefix::host).collect()
    }
}

fn address(random: &mut Random) -> IpAddr {
    let family = *random.pick(&Family::ALL);
    let hosts: Vec<_> =
        universe(family).into_iter().filter(|one| length(*one) == family.bits()).collect();
    match *random.pick(&hosts) {
        AnyPrefix::V4(prefix) => prefix.first().to_ip(),
        AnyPrefix::V6(prefix) => prefix.first().to_ip(),
    }
}
