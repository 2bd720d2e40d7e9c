//! Reads what a client of the kernel's ipset sends. Written from the
//! kernel's own rules and not from our encoder, so that a mistake in either
//! shows. As strict as the kernel where it is strict, and as liberal where
//! it is not (`net/netfilter/ipset/ip_set_core.c`).

use std::collections::BTreeMap;

use blocklist::{Address, AnyPrefix, Family, Prefix};

use crate::Code;
use crate::sets::RawName;

pub(super) const NLM_F_REQUEST: u16 = 0x1;
pub(super) const NLM_F_ACK: u16 = 0x4;
pub(super) const NLM_F_EXCL: u16 = 0x200;

const NLMSGHDR: usize = 16;
const NFGENMSG: usize = 4;
const NESTED: u16 = 0x8000;
const NET_ORDER: u16 = 0x4000;
const NAME_BYTES_MAX: usize = 32;

pub(super) const PROTOCOL: u16 = 1;
pub(super) const SETNAME: u16 = 2;
pub(super) const TYPENAME_OR_SETNAME2: u16 = 3;
pub(super) const REVISION: u16 = 4;
pub(super) const FAMILY: u16 = 5;
pub(super) const FLAGS: u16 = 6;
pub(super) const DATA: u16 = 7;
pub(super) const ADT: u16 = 8;
pub(super) const LINENO: u16 = 9;

/// One netlink message of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// All of it, header and all, for the echo.
    pub bytes: &'a [u8],
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
}

impl<'a> Message<'a> {
    /// The messages of a datagram. As in the kernel, a length that does not
    /// fit ends it without a word.
    pub(super) fn all(datagram: &'a [u8]) -> Vec<Self> {
        let mut messages = Vec::new();
        let mut rest = datagram;
        while let Some(message) = Self::first(rest) {
            messages.push(message);
            rest = rest.get(message.bytes.len().next_multiple_of(4)..).unwrap_or_default();
        }
        messages
    }

    fn first(rest: &'a [u8]) -> Option<Self> {
        let header = rest.get(..NLMSGHDR)?;
        let length = u32::from_ne_bytes(header[..4].try_into().ok()?) as usize;
        if length < NLMSGHDR {
            return None;
        }
        Some(Self {
            bytes: rest.get(..length)?,
            kind: u16::from_ne_bytes(header[4..6].try_into().ok()?),
            flags: u16::from_ne_bytes(header[6..8].try_into().ok()?),
            sequence: u32::from_ne_bytes(header[8..12].try_into().ok()?),
        })
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// The attributes at the top, of a repeated one the last.
    pub(super) fn attributes(&self) -> Result<Attributes<'a>, Code> {
        let body = self.bytes.get(NLMSGHDR + NFGENMSG..).ok_or(Code::INVALID)?;
        let by_number = attributes(body)?.into_iter().map(|one| (one.number, one)).collect();
        Ok(Attributes(by_number))
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    number: u16,
    marks: u16,
    payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// What is inside of a nest, which must say that it is one.
    pub(super) fn nest(self) -> Result<Vec<Self>, Code> {
        if self.marks & NESTED == 0 {
            return Err(Code::PROTOCOL);
        }
        attributes(self.payload)
    }

    pub(super) fn byte(self) -> Result<u8, Code> {
        let [byte] = self.payload.try_into().map_err(|_| Code::PROTOCOL)?;
        Ok(byte)
    }

    /// A number that is read as big-endian, marked or not.
    pub(super) fn number(self) -> Result<u32, Code> {
        self.payload.try_into().map(u32::from_be_bytes).map_err(|_| Code::PROTOCOL)
    }

    /// A number that must be marked as big-endian.
    pub(super) fn marked_number(self) -> Result<u32, Code> {
        if self.marks & NET_ORDER == 0 { Err(Code::PROTOCOL) } else { self.number() }
    }

    /// A string with its closing NUL.
    pub(super) fn name(self) -> Result<RawName, Code> {
        match self.payload.split_last() {
            Some((0, name)) if self.payload.len() <= NAME_BYTES_MAX => Ok(RawName(name.to_vec())),
            _ => Err(Code::INVALID),
        }
    }

    pub(super) fn raw(self) -> &'a [u8] {
        self.payload
    }
}

fn attributes(mut rest: &[u8]) -> Result<Vec<Attribute<'_>>, Code> {
    let mut found = Vec::new();
    while rest.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        let kind = u16::from_ne_bytes([rest[2], rest[3]]);
        let payload = rest.get(4..length).ok_or(Code::PROTOCOL)?;
        found.push(Attribute { number: kind & 0x3fff, marks: kind & 0xc000, payload });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(found)
}

/// The attributes at the top of a message.
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a>(BTreeMap<u16, Attribute<'a>>);

impl<'a> Attributes<'a> {
    pub(super) fn get(&self, number: u16) -> Option<Attribute<'a>> {
        self.0.get(&number).copied()
    }

    pub(super) fn need(&self, number: u16) -> Result<Attribute<'a>, Code> {
        self.get(number).ok_or(Code::PROTOCOL)
    }
}

/// What describes a new set.
#[derive(Clone, Copy, Debug)]
pub(super) struct SetDescription {
    pub hashsize: u32,
    pub maxelem: u32,
    pub initval: Option<u32>,
}

/// Reads the description in a CREATE of a hash type.
pub(super) fn description(data: Option<Attribute<'_>>) -> Result<SetDescription, Code> {
    let mut described = SetDescription { hashsize: 1_024, maxelem: 65_536, initval: None };
    for attribute in data.map_or(Ok(Vec::new()), Attribute::nest)? {
        match attribute.number {
            17 => described.initval = Some(attribute.number()?),
            18 => described.hashsize = attribute.marked_number()?,
            19 => described.maxelem = attribute.marked_number()?,
            21 => drop(attribute.byte()?),
            _ => return Err(Code::PROTOCOL),
        }
    }
    Ok(described)
}

/// An entry, and its number if it has one, in the bytes that were sent.
pub(super) type SentEntry<'a> = (AnyPrefix, Option<&'a [u8]>);

/// Reads one entry of a `hash:net`: an address, a length, a number. Ranges
/// and extensions are what the kernel takes too and we never send.
pub(super) fn entry(data: Attribute<'_>) -> Result<SentEntry<'_>, Code> {
    let (mut address, mut length, mut line) = (None, None, None);
    for attribute in data.nest()? {
        match attribute.number {
            1 => address = Some(attribute.nest()?),
            3 => length = Some(attribute.byte()?),
            9 => line = Some(attribute.payload).filter(|raw| raw.len() == 4),
            _ => return Err(Code::PROTOCOL),
        }
    }
    let address = address.ok_or(Code::PROTOCOL)?;
    let [inner] = address.as_slice() else { return Err(Code::PROTOCOL) };
    if inner.marks & NET_ORDER == 0 {
        return Err(Code::PROTOCOL);
    }
    let prefix = match (inner.number, inner.payload.len()) {
        (1, 4) => {
            let bytes = inner.payload.try_into().map_err(|_| Code::PROTOCOL)?;
            prefix(u32::from_be_bytes(bytes), length)?.into()
        }
        (2, 16) => {
            let bytes = inner.payload.try_into().map_err(|_| Code::PROTOCOL)?;
            prefix(u128::from_be_bytes(bytes), length)?.into()
        }
        _ => return Err(Code::PROTOCOL),
    };
    Ok((prefix, line))
}

/// Bits beyond the length are cleared silently.
fn prefix<A: Address>(address: A, length: Option<u8>) -> Result<Prefix<A>, Code> {
    let length = length.unwrap_or(A::BITS);
    if length > A::BITS { Err(Code::CIDR) } else { Ok(Prefix::containing(address, length)) }
}

/// The family of the kernel's number for it.
pub(super) fn family(number: u8) -> Option<Family> {
    match number {
        2 => Some(Family::Ipv4),
        10 => Some(Family::Ipv6),
        _ => None,
    }
}
