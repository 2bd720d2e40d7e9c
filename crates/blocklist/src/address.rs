//! An address as a number, for both families through one trait, so that every
//! algorithm of this crate is written once.

use std::fmt::Debug;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{BitAnd, BitOr, BitXor, Not};

use crate::Family;

/// An address of one family, as the integer that its bytes spell in network
/// order. Implemented for `u32` (IPv4) and `u128` (IPv6) and for nothing else.
pub trait Address:
    Copy
    + Ord
    + Hash
    + Debug
    + Default
    + Send
    + Sync
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
    + sealed::Sealed
    + 'static
{
    /// The family that this integer stands for.
    const FAMILY: Family;
    /// Bits in an address: 32 or 128.
    const BITS: u8;
    /// The lowest address, all bits zero.
    const MIN: Self;
    /// The highest address, all bits one.
    const MAX: Self;

    /// The network mask of a prefix of `length` bits. Lengths above
    /// [`Self::BITS`] count as [`Self::BITS`].
    fn mask(length: u8) -> Self;
    /// The next address, or `None` after the highest.
    fn next(self) -> Option<Self>;
    /// The address before, or `None` before the lowest.
    fn previous(self) -> Option<Self>;
    /// How many bits at the low end are zero; all of them for [`Self::MIN`].
    fn trailing_zeros(self) -> u8;
    /// How many bits at the high end are zero.
    fn leading_zeros(self) -> u8;
    /// The number itself, widened.
    fn to_u128(self) -> u128;
    /// The address in the form of the standard library.
    fn to_ip(self) -> IpAddr;
    /// The number of `ip`, or `None` when it is of the other family.
    fn from_ip(ip: IpAddr) -> Option<Self>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u128 {}
}

macro_rules! address {
    ($number:ty, $family:expr, $bits:literal, $ip:ident, $variant:ident) => {
        impl Address for $number {
            const FAMILY: Family = $family;
            const BITS: u8 = $bits;
            const MIN: Self = 0;
            const MAX: Self = <$number>::MAX;

            #[inline]
            fn mask(length: u8) -> Self {
                match $bits - length.min($bits) {
                    $bits => 0,
                    host_bits => Self::MAX << host_bits,
                }
            }

            #[inline]
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }

            #[inline]
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }

            #[inline]
            #[expect(clippy::cast_possible_truncation, reason = "at most 128")]
            fn trailing_zeros(self) -> u8 {
                <$number>::trailing_zeros(self) as u8
            }

            #[inline]
            #[expect(clippy::cast_possible_truncation, reason = "at most 128")]
            fn leading_zeros(self) -> u8 {
                <$number>::leading_zeros(self) as u8
            }

            #[inline]
            fn to_u128(self) -> u128 {
                self.into()
            }

            fn to_ip(self) -> IpAddr {
                IpAddr::$variant($ip::from(self))
            }

            fn from_ip(ip: IpAddr) -> Option<Self> {
                match ip {
                    IpAddr::$variant(ip) => Some(ip.into()),
                    _ => None,
                }
            }
        }
    };
}

address!(u32, Family::Ipv4, 32, Ipv4Addr, V4);
address!(u128, Family::Ipv6, 128, Ipv6Addr, V6);
