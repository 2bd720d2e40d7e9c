//! The messages that are sent one at a time: questions, listings and the
//! commands that concern a set as a whole. Built with the typed layer of
//! `netlink-packet-*`; entries by the thousand are the business of `batch`.
//! Every variant that acts carries the name of its set.

use blocklist::{AnyPrefix, Family};
use netlink_packet_core::{
    DefaultNla, Emitable, NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP,
    NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    NetfilterSubsystem,
};
use reconcile::{SetName, SetSpec};

use crate::wire::{self, Command, address, data, flag, message};

/// One message to the kernel's ipset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Which versions of the protocol are spoken.
    Protocol,
    /// Which revisions of `hash:net` there are.
    Type(Family),
    /// The names of all sets. The only message without a set name.
    Names,
    /// The header of one set; walks its table to count.
    Header(&'a SetName),
    /// Header and members of one set.
    Dump(&'a SetName),
    /// The index under which a set is. It stays with the name over a swap.
    Index(&'a SetName),
    /// Create a set that does not exist, without extensions, with the
    /// kernel's own bucket size: a smaller one makes tables explode.
    Create {
        /// The set.
        spec: &'a SetSpec,
        /// Of the type; the kernel shows `INITVAL` for its highest only.
        revision: u8,
    },
    /// Exchange the contents of two sets.
    Swap {
        /// The one.
        shadow: &'a SetName,
        /// The other.
        live: &'a SetName,
    },
    /// Give a set another name. Fails while anything refers to it.
    Rename {
        /// Its name.
        from: &'a SetName,
        /// The new one, which nobody has.
        to: &'a SetName,
    },
    /// Delete all members of one set.
    Flush(&'a SetName),
    /// Destroy one set; a missing one is no error.
    Destroy(&'a SetName),
    /// Would a packet with the first address of this prefix match the set?
    Matches {
        /// The set.
        set: &'a SetName,
        /// Its first address is asked for.
        address: AnyPrefix,
    },
}

impl Request<'_> {
    /// The bytes to send. `sequence` comes back in the answer.
    pub fn encode(&self, sequence: u32) -> Vec<u8> {
        serialize(self.command(), self.flags(), sequence, self.attributes())
    }

    /// The command that the message carries.
    pub fn command(&self) -> Command {
        match self {
            Self::Protocol => Command::Protocol,
            Self::Type(_) => Command::Type,
            Self::Index(_) => Command::GetByName,
            Self::Names | Self::Header(_) | Self::Dump(_) => Command::List,
            Self::Create { .. } => Command::Create,
            Self::Rename { .. } => Command::Rename,
            Self::Swap { .. } => Command::Swap,
            Self::Flush(_) => Command::Flush,
            Self::Destroy(_) => Command::Destroy,
            Self::Matches { .. } => Command::Test,
        }
    }

    /// A listing that also asked for an acknowledgement would get its errors
    /// twice. `EXCL` is what the `ipset` program leaves out for `-exist`.
    fn flags(&self) -> u16 {
        match self {
            Self::Protocol | Self::Type(_) | Self::Index(_) => NLM_F_REQUEST,
            Self::Names | Self::Header(_) | Self::Dump(_) => NLM_F_REQUEST | NLM_F_DUMP,
            Self::Create { .. } => NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
            Self::Rename { .. }
            | Self::Swap { .. }
            | Self::Flush(_)
            | Self::Destroy(_)
            | Self::Matches { .. } => NLM_F_REQUEST | NLM_F_ACK,
        }
    }

    fn attributes(&self) -> Vec<DefaultNla> {
        match self {
            Self::Protocol => vec![protocol()],
            Self::Type(family) => {
                vec![protocol(), text(message::TYPENAME, wire::TYPE_NAME), family_of(*family)]
            }
            Self::Names => vec![protocol(), big_endian(message::FLAGS, flag::LIST_SETNAME)],
            Self::Header(set) => {
                vec![protocol(), name(set), big_endian(message::FLAGS, flag::LIST_HEADER)]
            }
            Self::Dump(set) | Self::Index(set) | Self::Flush(set) | Self::Destroy(set) => {
                vec![protocol(), name(set)]
            }
            Self::Create { spec, revision } => creation(spec, *revision),
            Self::Swap { shadow, live } => {
                vec![protocol(), name(shadow), text(message::SETNAME2, live.as_str())]
            }
            Self::Rename { from, to } => {
                vec![protocol(), name(from), text(message::SETNAME2, to.as_str())]
            }
            Self::Matches { set, address } => {
                vec![protocol(), name(set), nest(message::DATA, &[ip(*address)])]
            }
        }
    }
}

fn creation(spec: &SetSpec, revision: u8) -> Vec<DefaultNla> {
    vec![
        protocol(),
        name(&spec.name),
        text(message::TYPENAME, wire::TYPE_NAME),
        DefaultNla::new(message::REVISION, vec![revision]),
        family_of(spec.family()),
        nest(
            message::DATA,
            &[
                big_endian(data::INITVAL, spec.initval),
                big_endian(data::HASHSIZE, spec.capacity.hashsize),
                big_endian(data::MAXELEM, spec.capacity.maxelem),
            ],
        ),
    ]
}

/// The bytes of one ipset message, header and lengths included.
pub(crate) fn serialize(
    command: Command,
    flags: u16,
    sequence: u32,
    attributes: Vec<DefaultNla>,
) -> Vec<u8> {
    let inner = NetfilterMessageInner::Other {
        subsys: NetfilterSubsystem::Other(wire::SUBSYSTEM),
        message_type: command as u8,
        attributes,
    };
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let netfilter = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0);
    let payload = NetlinkPayload::from(NetfilterMessage::new(netfilter, inner));
    let mut message = NetlinkMessage::new(header, payload);
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

pub(crate) fn protocol() -> DefaultNla {
    DefaultNla::new(message::PROTOCOL, vec![wire::PROTOCOL])
}

pub(crate) fn name(set: &SetName) -> DefaultNla {
    text(message::SETNAME, set.as_str())
}

fn text(kind: u16, text: &str) -> DefaultNla {
    DefaultNla::new(kind, [text.as_bytes(), b"\0"].concat())
}

fn family_of(family: Family) -> DefaultNla {
    DefaultNla::new(message::FAMILY, vec![wire::family::number(family)])
}

fn ip(prefix: AnyPrefix) -> DefaultNla {
    let (kind, bytes) = match prefix {
        AnyPrefix::V4(prefix) => (address::IPV4, prefix.first().to_be_bytes().to_vec()),
        AnyPrefix::V6(prefix) => (address::IPV6, prefix.first().to_be_bytes().to_vec()),
    };
    nest(data::IP, &[DefaultNla::new(kind | NLA_F_NET_BYTEORDER, bytes)])
}

fn big_endian(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NET_BYTEORDER, value.to_be_bytes().to_vec())
}

fn nest(kind: u16, inside: &[DefaultNla]) -> DefaultNla {
    let mut bytes = vec![0; inside.buffer_len()];
    inside.emit(&mut bytes);
    DefaultNla::new(kind | NLA_F_NESTED, bytes)
}
