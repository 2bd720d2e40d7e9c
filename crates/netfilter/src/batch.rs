//! Members by the thousand, written straight into one reused buffer: the
//! messages of `ADD` and `DEL`, and groups of `TEST`. What comes before the
//! entries is built once for each set by the typed layer; the entries are
//! copies of a template with address, length and number put in.

use std::fmt;
use std::ops::Range;

use blocklist::{Family, Prefix, PrefixSet};
use netlink_packet_core::{
    DefaultNla, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLM_F_ACK, NLM_F_EXCL, NLM_F_REQUEST,
};
use reconcile::{CHUNK_MAX, Chunk, Members, Positions, Presence, SetName};

use crate::limits::ATTRIBUTE_BYTES_MAX;
use crate::request::{name, protocol, serialize};
use crate::wire::{Command, address, data, message};

/// What a batch does to its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchChange {
    /// Adds; `New` sets `EXCL`, so that a present member is an error.
    Add(Presence),
    /// Deletes; an absent member is no error.
    Delete,
}

/// Why a chunk cannot be put into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// Its members are not of the set's family.
    Family(Family),
    /// It holds `/0`, which a `hash:net` cannot hold.
    Everything,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Family(family) => write!(out, "the members are {family}, the set is not"),
            Self::Everything => out.write_str("hash:net cannot hold /0, only its two halves"),
        }
    }
}

/// The buffer in which batches are written, one after the other.
#[derive(Debug, Default)]
pub struct Batch {
    /// What `prefix` is for.
    key: Option<(SetName, Command)>,
    /// The message up to its entries.
    prefix: Vec<u8>,
    bytes: Vec<u8>,
}

impl Batch {
    /// The message that adds or deletes the chunk. Its entries are numbered
    /// from 1, and the kernel's answer tells the number of the one that
    /// failed. The numbers cost about 4 %, and only they can find a member
    /// that was not new: sent again, all that the first try added would fail.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn change(
        &mut self,
        change: BatchChange,
        set: &SetName,
        chunk: &Chunk,
        sequence: u32,
    ) -> Result<&[u8], Unwritable> {
        check(set, chunk)?;
        let (command, flags) = match change {
            BatchChange::Add(Presence::New) => (Command::Add, NLM_F_EXCL),
            BatchChange::Add(Presence::Any) => (Command::Add, 0),
            BatchChange::Delete => (Command::Del, 0),
        };
        self.prepare(set, command);
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.prefix);
        let nest = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        match chunk.members() {
            Members::V4(members) => append(&mut self.bytes, &V4, members, &chunk.positions()),
            Members::V6(members) => append(&mut self.bytes, &V6, members, &chunk.positions()),
        }
        let length = u16::try_from(self.bytes.len() - nest).expect("a chunk fits, see FITS");
        let adt = attribute(length, message::ADT | NLA_F_NESTED);
        self.bytes[nest..nest + 4].copy_from_slice(&adt);
        seal(&mut self.bytes, NLM_F_REQUEST | NLM_F_ACK | flags, sequence);
        Ok(&self.bytes)
    }

    /// A group of messages that test the members at `part` of the chunk, one
    /// each, with the sequence numbers from `first` on. Only misses are
    /// answered, and the last message always.
    ///
    /// For a prefix shorter than an address the test is exact. A full-length
    /// one is looked up as an address is, whatever the message says: it counts
    /// as present while a wider member covers it
    /// (`mtype_test` in `net/netfilter/ipset/ip_set_hash_gen.h`).
    ///
    /// # Errors
    /// [`Unwritable`].
    ///
    /// # Panics
    /// If `part` does not lie within the chunk.
    pub fn tests(
        &mut self,
        set: &SetName,
        chunk: &Chunk,
        part: Range<usize>,
        first: u32,
    ) -> Result<&[u8], Unwritable> {
        check(set, chunk)?;
        self.prepare(set, Command::Test);
        self.bytes.clear();
        for turn in part.clone() {
            let position = chunk.position(turn);
            let begin = self.bytes.len();
            self.bytes.extend_from_slice(&self.prefix);
            match chunk.members() {
                Members::V4(members) => append_bare(&mut self.bytes, &V4, members.at(position)),
                Members::V6(members) => append_bare(&mut self.bytes, &V6, members.at(position)),
            }
            let number = u32::try_from(turn - part.start).expect("below CHUNK_MAX");
            let last = turn + 1 == part.end;
            let flags = if last { NLM_F_REQUEST | NLM_F_ACK } else { NLM_F_REQUEST };
            seal(&mut self.bytes[begin..], flags, first.wrapping_add(number));
        }
        Ok(&self.bytes)
    }

    /// Makes `prefix` the one for this set and command. Beside `ADT` there
    /// must be a top-level `LINENO`, into which the kernel writes the number
    /// of the entry that failed; a test has neither.
    fn prepare(&mut self, set: &SetName, command: Command) {
        let current = self.key.as_ref().is_some_and(|(s, c)| s == set && *c == command);
        if current {
            return;
        }
        let mut attributes = vec![protocol(), name(set)];
        if command != Command::Test {
            attributes.push(DefaultNla::new(message::LINENO, 0_u32.to_ne_bytes().to_vec()));
        }
        self.prefix = serialize(command, 0, 0, attributes);
        self.key = Some((set.clone(), command));
    }
}

/// Everything that has no form on the wire. Members are sorted, so `/0` can
/// only be the first of all.
fn check(set: &SetName, chunk: &Chunk) -> Result<(), Unwritable> {
    let family = chunk.members().family();
    if family != set.family() {
        return Err(Unwritable::Family(family));
    }
    let everything = match chunk.members() {
        Members::V4(members) => !members.is_empty() && members.at(0).length() == 0,
        Members::V6(members) => !members.is_empty() && members.at(0).length() == 0,
    };
    let has_first = || match chunk.positions() {
        Positions::Run(run) => run.start == 0,
        Positions::Picked(places) => places.contains(&0),
    };
    if everything && has_first() { Err(Unwritable::Everything) } else { Ok(()) }
}

/// Puts a sequence number into the header of a message.
pub(crate) fn number(message: &mut [u8], sequence: u32) {
    message[8..12].copy_from_slice(&sequence.to_ne_bytes());
}

/// Puts length, flags and sequence number into the header of the message that
/// fills `bytes` (`struct nlmsghdr`, `include/uapi/linux/netlink.h`).
fn seal(bytes: &mut [u8], flags: u16, sequence: u32) {
    let length = u32::try_from(bytes.len()).expect("a message is far below 4 GiB");
    bytes[0..4].copy_from_slice(&length.to_ne_bytes());
    bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
    number(bytes, sequence);
}

/// Bytes of an entry beside its address: the headers of `DATA`, `IP`, the
/// address, `CIDR` and `LINENO`, and the values of the last two, padded.
const ENTRY_FRAME: usize = 28;
/// Bytes of the last attribute, `LINENO`, which tests leave out.
const ENTRY_NUMBER: usize = 8;
/// Where the address begins: after three headers.
const ENTRY_ADDRESS: usize = 12;

/// Members that are fetched together.
const TOGETHER: usize = 64;

const V4: [u8; ENTRY_FRAME + 4] = template(address::IPV4, 4);
const V6: [u8; ENTRY_FRAME + 16] = template(address::IPV6, 16);

/// FITS: the largest chunk is below the largest attribute.
const _: () = assert!(4 + CHUNK_MAX * V6.len() <= ATTRIBUTE_BYTES_MAX);

/// `DATA { IP { address }, CIDR, LINENO }` with zeros for the values.
const fn template<const N: usize>(kind: u16, address_bytes: u16) -> [u8; N] {
    let mut entry = [0; N];
    let cidr = ENTRY_ADDRESS + address_bytes as usize;
    put(&mut entry, 0, attribute(20 + 8 + address_bytes, message::DATA | NLA_F_NESTED));
    put(&mut entry, 4, attribute(8 + address_bytes, data::IP | NLA_F_NESTED));
    put(&mut entry, 8, attribute(4 + address_bytes, kind | NLA_F_NET_BYTEORDER));
    put(&mut entry, cidr, attribute(5, data::CIDR));
    put(&mut entry, cidr + 8, attribute(8, data::LINENO));
    entry
}

/// The header of an attribute (`struct nlattr`).
const fn attribute(length: u16, kind: u16) -> [u8; 4] {
    let [a, b] = length.to_ne_bytes();
    let [c, d] = kind.to_ne_bytes();
    [a, b, c, d]
}

const fn put<const N: usize>(entry: &mut [u8; N], at: usize, header: [u8; 4]) {
    let mut byte = 0;
    while byte < header.len() {
        entry[at + byte] = header[byte];
        byte += 1;
    }
}

/// An address in network order.
trait Octets: blocklist::Address {
    type Bytes: AsRef<[u8]>;
    fn octets(self) -> Self::Bytes;
}

impl Octets for u32 {
    type Bytes = [u8; 4];
    fn octets(self) -> [u8; 4] {
        self.to_be_bytes()
    }
}

impl Octets for u128 {
    type Bytes = [u8; 16];
    fn octets(self) -> [u8; 16] {
        self.to_be_bytes()
    }
}

fn entry<A: Octets, const N: usize>(template: &[u8; N], prefix: Prefix<A>, number: u32) -> [u8; N] {
    let mut entry = *template;
    let cidr = N - ENTRY_NUMBER - 4;
    entry[ENTRY_ADDRESS..N - ENTRY_NUMBER - 8].copy_from_slice(prefix.first().octets().as_ref());
    entry[cidr] = prefix.length();
    entry[N - 4..].copy_from_slice(&number.to_ne_bytes());
    entry
}

fn append<A: Octets, const N: usize>(
    bytes: &mut Vec<u8>,
    template: &[u8; N],
    members: &PrefixSet<A>,
    positions: &Positions<'_>,
) {
    let mut put = |number, prefix| bytes.extend_from_slice(&entry(template, prefix, number));
    match positions {
        Positions::Run(run) => {
            (1..).zip(members.range(run.clone())).for_each(|(number, prefix)| put(number, prefix));
        }
        Positions::Picked(places) => {
            // Each is somewhere else in memory. A few are fetched before they are
            // written, so that the processor waits for all of them at once.
            for (start, places) in (1..).step_by(TOGETHER).zip(places.chunks(TOGETHER)) {
                let mut fetched = [Prefix::host(A::default()); TOGETHER];
                for (fetched, &place) in fetched.iter_mut().zip(places) {
                    *fetched = members.at(place as usize);
                }
                let fetched = &fetched[..places.len()];
                (start..).zip(fetched).for_each(|(number, &prefix)| put(number, prefix));
            }
        }
    }
}

/// The entry without its number, as tests want it.
fn append_bare<A: Octets, const N: usize>(
    bytes: &mut Vec<u8>,
    template: &[u8; N],
    prefix: Prefix<A>,
) {
    let mut bare = entry(template, prefix, 0);
    let length = u16::try_from(N - ENTRY_NUMBER).expect("an entry is below 64 bytes");
    bare[..2].copy_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&bare[..N - ENTRY_NUMBER]);
}

#[cfg(test)]
mod tests {
    use blocklist::PrefixSet;
    use reconcile::SetPrefix;

    use super::*;

    fn check(family: Family, prefixes: &Members, want: Result<usize, Unwritable>) {
        let set = SetPrefix::new("t-").expect("fits").live("x", family).expect("fits");
        let chunk = prefixes.chunks().next().expect("members");
        let mut batch = Batch::default();
        let got = batch.change(BatchChange::Delete, &set, &chunk, 7).map(<[u8]>::len);
        assert_eq!(got, want);
        let tested = batch.tests(&set, &chunk, 0..1, 7).map(|_| ());
        assert_eq!(tested, want.map(|_| ()));
    }

    fn v4(prefixes: impl IntoIterator<Item = (u32, u8)>) -> Members {
        let prefixes = prefixes.into_iter().map(|(a, l)| Prefix::containing(a, l));
        prefixes.collect::<PrefixSet<u32>>().into()
    }

    #[test]
    fn the_whole_address_space_is_refused_in_every_position_it_can_have() {
        check(Family::Ipv4, &v4([(0, 0)]), Err(Unwritable::Everything));
        check(Family::Ipv4, &v4([(0, 0), (0, 32), (7, 32)]), Err(Unwritable::Everything));
    }

    #[test]
    fn members_of_the_other_family_are_refused() {
        check(Family::Ipv6, &v4([(7, 32)]), Err(Unwritable::Family(Family::Ipv4)));
    }

    #[test]
    fn an_entry_takes_32_bytes_of_ipv4_and_44_of_ipv6() {
        // Headers 20, PROTOCOL 8, SETNAME 12, LINENO 8, ADT 4.
        check(Family::Ipv4, &v4([(7, 32), (1 << 31, 1)]), Ok(52 + 2 * 32));
        let v6: PrefixSet<u128> = [Prefix::host(7_u128)].into_iter().collect();
        check(Family::Ipv6, &v6.into(), Ok(52 + 44));
    }
}
