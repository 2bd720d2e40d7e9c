//! The two address families. Nothing else in the project invents a third
//! spelling for them.

use std::fmt;

/// An address family, IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Internet Protocol version 4, 32-bit addresses.
    Ipv4,
    /// Internet Protocol version 6, 128-bit addresses.
    Ipv6,
}

impl Family {
    /// Both families, in the order in which everything is listed.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The bits in an address, which is also the longest prefix length.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    /// The ending of a kernel set's name: `v4` or `v6`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Ipv4 => "v4",
            Self::Ipv6 => "v6",
        }
    }

    /// The family's name as people and JSON see it: `ipv4` or `ipv6`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}
