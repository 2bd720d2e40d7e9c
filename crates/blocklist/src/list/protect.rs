//! Addresses that no list may block, by category: those that every host needs
//! and those of this host, which the caller has to find out.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{AnyPrefix, Prefixes};

/// A category of addresses that are taken out of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protect {
    /// "This host on this network", `0.0.0.0/8` (RFC 1122, section 3.2.1.3)
    /// and `::` (RFC 4291, section 2.5.2).
    Unspecified,
    /// `127.0.0.0/8` (RFC 1122, section 3.2.1.3) and `::1` (RFC 4291, section
    /// 2.5.3).
    Loopback,
    /// `169.254.0.0/16` (RFC 3927, section 2.1) and `fe80::/10` (RFC 4291,
    /// section 2.5.6): neighbour discovery would end without it.
    LinkLocal,
    /// `224.0.0.0/4` (RFC 5771, section 3) and `ff00::/8` (RFC 4291, section
    /// 2.7).
    Multicast,
    /// `10.0.0.0/8`, `172.16.0.0/12` and `192.168.0.0/16` (RFC 1918, section 3)
    /// and `fc00::/7` (RFC 4193, section 3.1). Not the shared addresses of
    /// carriers, `100.64.0.0/10`: RFC 6598 keeps them apart from these.
    Private,
    /// The addresses of this host.
    Own,
    /// The default gateways of this host.
    Gateways,
    /// The name servers of this host.
    Resolvers,
}

impl Protect {
    /// All categories, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::Loopback,
        Self::LinkLocal,
        Self::Multicast,
        Self::Private,
        Self::Own,
        Self::Gateways,
        Self::Resolvers,
    ];

    /// The name in the configuration: `link-local` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Multicast => "multicast",
            Self::Private => "private",
            Self::Own => "own",
            Self::Gateways => "gateways",
            Self::Resolvers => "resolvers",
        }
    }

    /// The prefixes of a category that are the same on every host; none for
    /// the other three.
    pub fn fixed_prefixes(self) -> Prefixes {
        let texts: &[&str] = match self {
            Self::Unspecified => &["0.0.0.0/8", "::"],
            Self::Loopback => &["127.0.0.0/8", "::1"],
            Self::LinkLocal => &["169.254.0.0/16", "fe80::/10"],
            Self::Multicast => &["224.0.0.0/4", "ff00::/8"],
            Self::Private => &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
            Self::Own | Self::Gateways | Self::Resolvers => &[],
        };
        let prefix = |text: &&str| text.parse::<AnyPrefix>().expect("one of the literals above");
        texts.iter().map(prefix).collect()
    }
}

impl fmt::Display for Protect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// There is no category of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not protected by any name; names are: unspecified, loopback, link-local, \
     multicast, private, own, gateways, resolvers"
)]
pub struct UnknownProtect(pub String);

impl FromStr for Protect {
    type Err = UnknownProtect;

    fn from_str(name: &str) -> Result<Self, UnknownProtect> {
        let category = Self::ALL.into_iter().find(|category| category.name() == name);
        category.ok_or_else(|| UnknownProtect(name.to_owned()))
    }
}

/// The prefixes of every category on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection(BTreeMap<Protect, Prefixes>);

impl Default for Protection {
    /// Only the fixed prefixes.
    fn default() -> Self {
        Self(Protect::ALL.into_iter().map(|each| (each, each.fixed_prefixes())).collect())
    }
}

impl Protection {
    /// Sets the addresses of this host that are in a category, in place of
    /// those set before. The fixed prefixes of a category always stay.
    pub fn set(&mut self, category: Protect, addresses: impl IntoIterator<Item = IpAddr>) {
        let hosts = addresses.into_iter().map(|ip| AnyPrefix::host(ip.to_canonical())).collect();
        self.0.insert(category, Prefixes::union([&category.fixed_prefixes(), &hosts]));
    }

    /// All prefixes of the given categories.
    pub fn of(&self, categories: &[Protect]) -> Prefixes {
        Prefixes::union(categories.iter().filter_map(|category| self.0.get(category)))
    }

    /// The first of the given categories that holds `address`, and its
    /// shortest prefix that does.
    pub fn covering(
        &self,
        categories: &[Protect],
        address: IpAddr,
    ) -> Option<(Protect, AnyPrefix)> {
        categories.iter().find_map(|&category| {
            let prefix = self.0.get(&category)?.covering(address).first().copied()?;
            Some((category, prefix))
        })
    }
}
