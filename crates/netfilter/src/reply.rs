//! What the kernel's ipset answers, read from bytes that need not be right:
//! every length is checked, nothing panics, unknown attributes are passed over
//! except inside entries, where they make the entry one that is not ours.

use blocklist::{Address, AnyPrefix, Family, Prefix};
use netlink_packet_core::{
    DecodeError, NLA_HEADER_SIZE, NetlinkDeserializable, NetlinkHeader, NlasIterator, parse_u8,
    parse_u32_be,
};

use crate::wire::{Command, address, data, family, message};

/// Bytes of `struct nfgenmsg`, which comes before the attributes.
const NFGENMSG_BYTES: usize = 4;

/// `NFNL_SUBSYS_NFTABLES` (`include/uapi/linux/netfilter/nfnetlink.h`).
const NFTABLES_SUBSYSTEM: u8 = 10;

/// `NFNL_SUBSYS_CTNETLINK`.
const CTNETLINK_SUBSYSTEM: u8 = 1;

/// An answer that carries data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingReply {
    /// To [`crate::Request::Protocol`].
    Protocol {
        /// The highest version spoken.
        max: u8,
        /// The lowest.
        min: u8,
    },
    /// To [`crate::Request::Type`].
    Type {
        /// The highest revision of the type.
        max: u8,
        /// The lowest.
        min: u8,
    },
    /// To [`crate::Request::Index`]: where rules find the set.
    Index(u16),
    /// To a listing: one of many.
    Part(ListingPart),
    /// A message of `nf_tables`.
    Nftables(Nftables),
    /// To a listing of connections: the attributes of one of many, as they
    /// came.
    Tracked(Vec<u8>),
}

/// A message of `nf_tables`, not read further than its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nftables {
    /// The low byte of its type, `NFT_MSG_*`.
    pub message: u8,
    /// Its attributes, as they came.
    pub attributes: Vec<u8>,
}

/// A part of a listing: about one set, of which there may be several parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingPart {
    /// The set's name, which may hold any bytes, without the closing NUL.
    pub name: Vec<u8>,
    /// In the first part about a set, unless only names were asked for.
    pub header: Option<WireHeader>,
    /// Members.
    pub entries: Vec<SetEntry>,
}

/// What a set says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireHeader {
    /// `hash:net` and the like; bytes that are not UTF-8 are replaced.
    pub type_name: String,
    /// The revision of the type.
    pub revision: u8,
    /// `None` for types without addresses.
    pub family: Option<Family>,
    /// Buckets; 0 for types without a hash.
    pub hashsize: u32,
    /// Limit of members; 0 for types without a hash.
    pub maxelem: u32,
    /// Start value of the hash, if the set has the type's highest revision.
    pub initval: Option<u32>,
    /// Whether the set has timeouts or any flag (counters, comments, skbinfo,
    /// forceadd), which ours never have.
    pub extensions: bool,
    /// Rules and sets that refer to it.
    pub references: u32,
    /// Members.
    pub elements: u32,
}

/// One member of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetEntry {
    /// A prefix and nothing else.
    Member(AnyPrefix),
    /// Anything more or other than a prefix: an exception (`nomatch`), a
    /// timeout, a counter, a port, a name.
    Other,
}

impl NetlinkDeserializable for ListingReply {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        let attributes = payload
            .get(NFGENMSG_BYTES..)
            .ok_or_else(|| DecodeError::from("shorter than a netfilter header"))?;
        let is = |command: Command| header.message_type == command.message_type();
        if is(Command::List) {
            return ListingPart::parse(attributes).map(Self::Part);
        }
        let [subsystem, message] = header.message_type.to_be_bytes();
        if subsystem == NFTABLES_SUBSYSTEM {
            let attributes = attributes.to_vec();
            return Ok(Self::Nftables(Nftables { message, attributes }));
        }
        if subsystem == CTNETLINK_SUBSYSTEM {
            return Ok(Self::Tracked(attributes.to_vec()));
        }
        let (mut protocol, mut revision, mut min, mut index) = (None, None, None, None);
        for_each(attributes, |kind, value| {
            match kind {
                message::PROTOCOL => protocol = Some(parse_u8(value)?),
                message::REVISION => revision = Some(parse_u8(value)?),
                message::MIN => min = Some(parse_u8(value)?),
                message::INDEX => index = value.try_into().ok().map(u16::from_be_bytes),
                _ => {}
            }
            Ok(())
        })?;
        match (protocol, revision, min) {
            (Some(max), _, Some(min)) if is(Command::Protocol) => Ok(Self::Protocol { max, min }),
            (_, Some(max), Some(min)) if is(Command::Type) => Ok(Self::Type { max, min }),
            _ if is(Command::GetByName) => {
                index.map(Self::Index).ok_or_else(|| DecodeError::from("a set without an index"))
            }
            _ => Err(DecodeError::from("an answer of unknown type or without its values")),
        }
    }
}

impl ListingPart {
    fn parse(attributes: &[u8]) -> Result<Self, DecodeError> {
        let mut part = Self::default();
        let mut header = WireHeader::default();
        let mut has_type = false;
        for_each(attributes, |kind, value| {
            match kind {
                message::SETNAME => part.name = without_nul(value).to_vec(),
                message::TYPENAME => {
                    has_type = true;
                    header.type_name = String::from_utf8_lossy(without_nul(value)).into_owned();
                }
                message::REVISION => header.revision = parse_u8(value)?,
                message::FAMILY => header.family = family::of(parse_u8(value)?),
                message::DATA => header.describe(value)?,
                message::ADT => for_each(value, |_, entry| {
                    part.entries.push(SetEntry::parse(entry)?);
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        part.header = has_type.then_some(header);
        Ok(part)
    }
}

impl WireHeader {
    fn describe(&mut self, attributes: &[u8]) -> Result<(), DecodeError> {
        for_each(attributes, |kind, value| {
            match kind {
                data::TIMEOUT => self.extensions = true,
                data::CADT_FLAGS => self.extensions |= parse_u32_be(value)? != 0,
                data::INITVAL => self.initval = Some(parse_u32_be(value)?),
                data::HASHSIZE => self.hashsize = parse_u32_be(value)?,
                data::MAXELEM => self.maxelem = parse_u32_be(value)?,
                data::ELEMENTS => self.elements = parse_u32_be(value)?,
                data::REFERENCES => self.references = parse_u32_be(value)?,
                _ => {}
            }
            Ok(())
        })
    }
}

impl SetEntry {
    fn parse(attributes: &[u8]) -> Result<Self, DecodeError> {
        let (mut address, mut length, mut plain) = (None, None, true);
        for_each(attributes, |kind, value| {
            match kind {
                data::IP => address = Some(parse_address(value)?),
                data::CIDR => length = Some(parse_u8(value)?),
                _ => plain = false,
            }
            Ok(())
        })?;
        match address {
            Some(address) if plain => with_length(address, length).map(Self::Member),
            _ => Ok(Self::Other),
        }
    }
}

/// The address in a nest, as the prefix of full length.
fn parse_address(nest: &[u8]) -> Result<AnyPrefix, DecodeError> {
    let mut found = None;
    for_each(nest, |kind, value| {
        found = match kind {
            address::IPV4 => value
                .try_into()
                .ok()
                .map(|bytes| AnyPrefix::V4(Prefix::host(u32::from_be_bytes(bytes)))),
            address::IPV6 => value
                .try_into()
                .ok()
                .map(|bytes| AnyPrefix::V6(Prefix::host(u128::from_be_bytes(bytes)))),
            _ => None,
        };
        Ok(())
    })?;
    found.ok_or_else(|| DecodeError::from("an address that is none"))
}

/// The kernel clears host bits itself, so a prefix with some is no answer.
fn with_length(address: AnyPrefix, length: Option<u8>) -> Result<AnyPrefix, DecodeError> {
    fn shortened<A: Address>(host: Prefix<A>, length: u8) -> Option<Prefix<A>> {
        Prefix::new(host.first(), length)
    }
    let Some(length) = length else { return Ok(address) };
    let prefix = match address {
        AnyPrefix::V4(host) => shortened(host, length).map(AnyPrefix::V4),
        AnyPrefix::V6(host) => shortened(host, length).map(AnyPrefix::V6),
    };
    prefix.ok_or_else(|| DecodeError::from("a prefix whose length does not fit its address"))
}

fn without_nul(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\0").unwrap_or(text)
}

/// Hands over number and value of each attribute, the number without its
/// flags: the kernel sets them on some and not on others.
pub(crate) fn for_each<'a>(
    attributes: &'a [u8],
    mut each: impl FnMut(u16, &'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute?;
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        each(kind, &attribute.into_inner()[NLA_HEADER_SIZE..length])?;
    }
    Ok(())
}
