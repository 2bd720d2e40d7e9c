//! Writes what the kernel answers: acknowledgements, errors, descriptions
//! and listings in parts, byte by byte as it was seen from a real one.

use blocklist::{AnyPrefix, Family};

use super::decode::Message;
use crate::Code;
use crate::sets::{RawName, Slot};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 0x2;
const NLM_F_CAPPED: u16 = 0x100;
const NESTED: u16 = 0x8000;
const NET_ORDER: u16 = 0x4000;
/// `hash:net` of Linux 6.12 and later takes revisions 0 to 7.
pub(super) const REVISION_MAX: u8 = 7;
/// Bytes of members in one part: the kernel's first part has 3,776 at the
/// most, so that this is a size that readers meet.
const PART_BYTES: usize = 3_776;
/// `IPSET_ATTR_INDEX`.
const INDEX: u16 = 11;
/// `IPSET_FLAG_WITH_COUNTERS`.
const WITH_COUNTERS: u32 = 0x8;

/// An acknowledgement: of success without a code. The socket asked for
/// `NETLINK_CAP_ACK`, so only the request's header comes back.
pub(super) fn acknowledgement(request: &Message<'_>, code: Option<Code>) -> Vec<u8> {
    let errno = -code.map_or(0, |code| i32::from(code.0));
    let mut body = errno.to_ne_bytes().to_vec();
    body.extend_from_slice(&request.bytes[..16]);
    message(NLMSG_ERROR, NLM_F_CAPPED, request.sequence, &body)
}

/// The echo of a refused batch: all of it, with the number of the entry that
/// failed written over the batch's own, at `at`.
pub(super) fn echo(request: &Message<'_>, code: Code, line: &[u8], at: usize) -> Vec<u8> {
    let mut body = (-i32::from(code.0)).to_ne_bytes().to_vec();
    body.extend_from_slice(request.bytes);
    body[4 + at..][..line.len()].copy_from_slice(line);
    message(NLMSG_ERROR, 0, request.sequence, &body)
}

/// An answer that is one message: a command and its attributes.
pub(super) fn answer(request: &Message<'_>, attributes: &[u8]) -> Vec<u8> {
    subsystem_message(request, 0, attributes)
}

/// One part of a listing.
pub(super) fn part(request: &Message<'_>, attributes: &[u8]) -> Vec<u8> {
    subsystem_message(request, NLM_F_MULTI, attributes)
}

/// The end of a listing, a datagram of its own.
pub(super) fn done(request: &Message<'_>) -> Vec<u8> {
    message(NLMSG_DONE, NLM_F_MULTI, request.sequence, &0_i32.to_ne_bytes())
}

fn subsystem_message(request: &Message<'_>, flags: u16, attributes: &[u8]) -> Vec<u8> {
    let mut body = vec![2, 0, 0, 0];
    body.extend_from_slice(attributes);
    message(request.kind, flags, request.sequence, &body)
}

fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).expect("a datagram is small");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&4_711_u32.to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Attributes, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    pub(super) fn raw(mut self, kind: u16, payload: &[u8]) -> Self {
        let length = u16::try_from(4 + payload.len()).expect("an attribute is small");
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub(super) fn byte(self, kind: u16, byte: u8) -> Self {
        self.raw(kind, &[byte])
    }

    /// The kernel marks its integers as big-endian.
    fn number(self, kind: u16, number: u32) -> Self {
        self.raw(kind | NET_ORDER, &number.to_be_bytes())
    }

    pub(super) fn string(self, kind: u16, text: &[u8]) -> Self {
        let mut closed = text.to_vec();
        closed.push(0);
        self.raw(kind, &closed)
    }

    fn nest(self, kind: u16, inner: &Self) -> Self {
        self.raw(kind | NESTED, &inner.0)
    }
}

/// What every part of a listing begins with.
pub(super) fn named(name: &RawName) -> Writer {
    Writer::default().byte(1, 7).string(2, &name.0)
}

/// The header of a set, as it stands in the first part of a listing.
pub(super) fn header(name: &RawName, slot: &Slot) -> Writer {
    let set = &slot.set;
    let mut data = Writer::default()
        .number(18, set.capacity.hashsize)
        .number(19, set.capacity.maxelem)
        .byte(21, 12)
        .number(17, set.initval)
        .number(25, slot.references)
        .number(26, 216)
        .number(24, u32::try_from(set.members.len()).unwrap_or(u32::MAX));
    if set.extensions {
        data = data.number(8, WITH_COUNTERS);
    }
    named(name)
        .string(3, set.type_name.as_bytes())
        .byte(5, family_number(set.family))
        .byte(4, REVISION_MAX)
        .raw(INDEX | NET_ORDER, &7_u16.to_be_bytes())
        .nest(7, &data)
}

/// The first part of a listing with members, and the parts after it. The
/// members come in the order of a hash, which is none. `torn` leaves half of
/// them out, as a flush in the middle does.
pub(super) fn parts(name: &RawName, slot: &Slot, torn: bool) -> Vec<Writer> {
    let mut members: Vec<AnyPrefix> = slot.set.members.iter().copied().collect();
    members.sort_by_key(|member| scrambled(*member, slot.set.initval));
    if torn {
        members.truncate(members.len() / 2);
    }
    let mut bodies = vec![Writer::default()];
    for member in members {
        let entry = entry(member);
        let last = bodies.last().map_or(0, |body| body.0.len());
        if last + entry.0.len() > PART_BYTES {
            bodies.push(Writer::default());
        }
        if let Some(body) = bodies.last_mut() {
            *body = std::mem::take(body).nest(7, &entry);
        }
    }
    let starts = std::iter::once(header(name, slot)).chain(std::iter::repeat_with(|| named(name)));
    starts.zip(&bodies).map(|(start, body)| start.nest(8, body)).collect()
}

/// The kernel does not mark the inner address of its replies.
fn entry(member: AnyPrefix) -> Writer {
    let (address, length) = match member {
        AnyPrefix::V4(prefix) => {
            (Writer::default().raw(1, &prefix.first().to_be_bytes()), prefix.length())
        }
        AnyPrefix::V6(prefix) => {
            (Writer::default().raw(2, &prefix.first().to_be_bytes()), prefix.length())
        }
    };
    Writer::default().nest(1, &address).byte(3, length)
}

fn scrambled(member: AnyPrefix, initval: u32) -> u64 {
    let (number, length) = match member {
        AnyPrefix::V4(prefix) => (u128::from(prefix.first()), prefix.length()),
        AnyPrefix::V6(prefix) => (prefix.first(), prefix.length()),
    };
    let bytes = number.to_be_bytes().into_iter().chain([length]);
    bytes.fold(u64::from(initval), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    })
}

/// The kernel's number of a family, zero for none.
pub(super) fn family_number(family: Option<Family>) -> u8 {
    match family {
        Some(Family::Ipv4) => 2,
        Some(Family::Ipv6) => 10,
        None => 0,
    }
}
