//! A packed list in memory, asked for addresses. Nothing is copied, and nothing
//! that it says is believed that was not looked at.

use std::net::IpAddr;

use super::{
    CHECKED_FROM, PACKED_HEADER_BYTES, PACKED_MAGIC, PackedError, PackedHeader, VERSION, bits,
};
use crate::{Address, AnyPrefix, Family, Prefix};

/// A packed list over bytes that somebody holds: a vector or a mapped file.
#[derive(Clone, Copy, Debug)]
pub struct PackedList<B> {
    bytes: B,
    header: PackedHeader,
}

impl<B: AsRef<[u8]>> PackedList<B> {
    /// The list that these bytes are, all of them looked at: checksum, order,
    /// lengths.
    ///
    /// # Errors
    /// [`PackedError`], the first thing that is wrong.
    pub fn new(bytes: B) -> Result<Self, PackedError> {
        let header = header(bytes.as_ref())?;
        let stated = number::<4>(bytes.as_ref(), 12);
        let found = crc32fast::hash(&bytes.as_ref()[CHECKED_FROM..]);
        if stated != u64::from(found) {
            return Err(PackedError::Checksum);
        }
        let list = Self { bytes, header };
        match header.family {
            Family::Ipv4 => list.check_order::<u32>()?,
            Family::Ipv6 => list.check_order::<u128>()?,
        }
        Ok(list)
    }

    /// What it says of itself.
    pub fn header(&self) -> &PackedHeader {
        &self.header
    }

    /// The prefix that holds an address; `None` if none does, and for an address
    /// of the other family. Some twenty looks at a million prefixes.
    pub fn prefix_of(&self, address: IpAddr) -> Option<AnyPrefix> {
        match self.header.family {
            Family::Ipv4 => self.find(u32::from_ip(address)?).map(AnyPrefix::from),
            Family::Ipv6 => self.find(u128::from_ip(address)?).map(AnyPrefix::from),
        }
    }

    fn find<A: Read>(&self, address: A) -> Option<Prefix<A>>
    where
        AnyPrefix: From<Prefix<A>>,
    {
        let (mut first, mut end) = (0, self.len());
        while first < end {
            let middle = usize::midpoint(first, end);
            if self.address::<A>(middle) <= address {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        let prefix = self.at::<A>(first.checked_sub(1)?)?;
        (address <= prefix.last()).then_some(prefix)
    }

    fn check_order<A: Read>(&self) -> Result<(), PackedError> {
        let mut before: Option<Prefix<A>> = None;
        for position in 0..self.len() {
            let prefix = self.at::<A>(position);
            let follows =
                |prefix: &Prefix<A>| before.is_none_or(|before| before.last() < prefix.first());
            before = Some(prefix.filter(follows).ok_or(PackedError::Order(position as u64))?);
        }
        Ok(())
    }

    /// How many prefixes there are. They are in memory, and so few enough.
    fn len(&self) -> usize {
        (self.bytes.as_ref().len() - PACKED_HEADER_BYTES)
            / usize::from(bits(self.header.family) / 8 + 1)
    }

    fn address<A: Read>(&self, position: usize) -> A {
        A::read(self.bytes.as_ref(), PACKED_HEADER_BYTES + position * usize::from(A::BITS / 8))
    }

    /// The prefix at a position, if it is one.
    fn at<A: Read>(&self, position: usize) -> Option<Prefix<A>> {
        let lengths = PACKED_HEADER_BYTES + self.len() * usize::from(A::BITS / 8);
        let (address, length) =
            (self.address::<A>(position), self.bytes.as_ref()[lengths + position]);
        let is_one = length <= A::BITS && address & A::mask(length) == address;
        is_one.then(|| Prefix::from_columns(address, length))
    }
}

/// An address that can be read from bytes.
trait Read: Address {
    /// The one that begins there.
    fn read(bytes: &[u8], at: usize) -> Self;
}

impl Read for u32 {
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Self {
        Self::from_le_bytes(array(bytes, at))
    }
}

impl Read for u128 {
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Self {
        Self::from_le_bytes(array(bytes, at))
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number[..N].copy_from_slice(&array::<N>(bytes, at));
    u64::from_le_bytes(number)
}

fn header(bytes: &[u8]) -> Result<PackedHeader, PackedError> {
    let found = bytes.len() as u64;
    if !bytes.starts_with(PACKED_MAGIC) {
        return Err(PackedError::Magic);
    }
    if bytes.len() < PACKED_HEADER_BYTES {
        return Err(PackedError::Length { expected: PACKED_HEADER_BYTES as u64, found });
    }
    let version = u16::from_le_bytes(array(bytes, 8));
    if version != VERSION {
        return Err(PackedError::Version(version));
    }
    let family = match bytes[10] {
        4 => Family::Ipv4,
        6 => Family::Ipv6,
        other => return Err(PackedError::Family(other)),
    };
    let header = PackedHeader {
        family,
        generation: number::<8>(bytes, 16),
        made: number::<8>(bytes, 24),
        prefixes: number::<8>(bytes, 32),
    };
    let expected = header.bytes().unwrap_or(u64::MAX);
    if expected != found {
        return Err(PackedError::Length { expected, found });
    }
    Ok(header)
}
