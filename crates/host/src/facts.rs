//! What is known of this host, part by part: a part that could not be read is
//! a failure and never an empty part, since what is missing in it could be
//! the one address that matters.

use std::net::IpAddr;

use crate::part::{FactsPart, LookError};
use crate::resolvers::{self, Sources};
use crate::rtnetlink;

/// The addresses that this host cannot do without. Each part is sorted and
/// has each address once; IPv4 addresses are never in their IPv6 form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The addresses of all its interfaces, loopback and link-local included.
    pub own: Vec<IpAddr>,
    /// The gateways of all default routes in all tables, each of a multipath
    /// route included.
    pub gateways: Vec<IpAddr>,
    /// The name servers that it asks, those behind a local stub included.
    pub resolvers: Vec<IpAddr>,
}

/// What one look found. Every part stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsLook {
    /// See [`Facts::own`].
    pub own: Result<Vec<IpAddr>, LookError>,
    /// See [`Facts::gateways`].
    pub gateways: Result<Vec<IpAddr>, LookError>,
    /// See [`Facts::resolvers`].
    pub resolvers: Result<Vec<IpAddr>, LookError>,
}

/// Looks at everything once. Takes some milliseconds; in proportion to the
/// routes, if there are many.
pub fn look(sources: &Sources) -> FactsLook {
    let (own, gateways) = rtnetlink::read();
    let own = own.map(tidied);
    let local = own.as_deref().unwrap_or_default();
    let resolvers = resolvers::read(sources, local).map(tidied);
    FactsLook { own, gateways: gateways.map(tidied), resolvers }
}

/// In one form, sorted, each once.
fn tidied(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    for address in &mut addresses {
        *address = address.to_canonical();
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// How one part differs from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsDifference {
    /// The part.
    pub part: FactsPart,
    /// What it has now and had not.
    pub came: Vec<IpAddr>,
    /// What it had and has no more.
    pub went: Vec<IpAddr>,
}

impl Facts {
    /// One part.
    pub fn part(&self, part: FactsPart) -> &[IpAddr] {
        match part {
            FactsPart::Own => &self.own,
            FactsPart::Gateways => &self.gateways,
            FactsPart::Resolvers => &self.resolvers,
        }
    }

    /// Takes over what a look found. A part that it could not read stays as it
    /// was known last, and the failure is returned.
    #[must_use = "a part that could not be read is not as it should be"]
    pub fn update(&mut self, look: FactsLook) -> Vec<LookError> {
        let mut failures = Vec::new();
        for (known, found) in [
            (&mut self.own, look.own),
            (&mut self.gateways, look.gateways),
            (&mut self.resolvers, look.resolvers),
        ] {
            match found {
                Ok(found) => *known = found,
                Err(failure) => failures.push(failure),
            }
        }
        failures
    }

    /// The parts that are not as they were in `earlier`.
    pub fn differences(&self, earlier: &Self) -> Vec<FactsDifference> {
        let without = |some: &[IpAddr], others: &[IpAddr]| -> Vec<IpAddr> {
            some.iter().filter(|one| others.binary_search(one).is_err()).copied().collect()
        };
        let differences = FactsPart::ALL.into_iter().map(|part| {
            let (now, then) = (self.part(part), earlier.part(part));
            FactsDifference { part, came: without(now, then), went: without(then, now) }
        });
        differences.filter(|one| !one.came.is_empty() || !one.went.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|word| word.parse().expect("an address")).collect()
    }

    fn facts(own: &str, gateways: &str, resolvers: &str) -> Facts {
        Facts {
            own: addresses(own),
            gateways: addresses(gateways),
            resolvers: addresses(resolvers),
        }
    }

    #[test]
    fn a_part_that_cannot_be_read_stays_as_it_was_known() {
        let mut known = facts("192.0.2.1", "192.0.2.254", "192.0.2.53");
        let failure = LookError { part: FactsPart::Gateways, detail: "no".into() };
        let failures = known.update(FactsLook {
            own: Ok(addresses("192.0.2.2")),
            gateways: Err(failure.clone()),
            resolvers: Ok(Vec::new()),
        });
        assert_eq!(failures, [failure]);
        assert_eq!(known, facts("192.0.2.2", "192.0.2.254", ""));
    }

    #[test]
    fn differences_name_what_came_and_what_went() {
        let then = facts("192.0.2.1 192.0.2.2", "192.0.2.254", "");
        let now = facts("192.0.2.2 192.0.2.3", "192.0.2.254", "2001:db8::53");
        let difference = |part, came, went| FactsDifference {
            part,
            came: addresses(came),
            went: addresses(went),
        };
        assert_eq!(
            now.differences(&then),
            [
                difference(FactsPart::Own, "192.0.2.3", "192.0.2.1"),
                difference(FactsPart::Resolvers, "2001:db8::53", ""),
            ]
        );
        assert!(now.differences(&now).is_empty());
    }

    #[test]
    fn a_part_is_sorted_with_each_address_once_and_in_one_form() {
        let found = tidied(addresses("192.0.2.9 ::ffff:192.0.2.1 192.0.2.1 ::1"));
        assert_eq!(found, addresses("192.0.2.1 192.0.2.9 ::1"));
    }
}
