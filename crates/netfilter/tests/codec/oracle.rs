//! Netlink as neli reads and writes it, down to the last nest. It knows
//! framing, not ipset, and nothing of the crate under test.

use std::io::Cursor;

use neli::consts::nl::NlmF;
use neli::genl::{AttrTypeBuilder, Nlattr, NlattrBuilder};
use neli::nl::{NlPayload, Nlmsghdr, NlmsghdrBuilder};
use neli::types::{Buffer, GenlBuffer};
use neli::{FromBytes, FromBytesWithInput, Header, Size, ToBytes};

/// `struct nfgenmsg` with the attributes that follow it.
#[derive(Clone, Debug, PartialEq, Eq, Size, ToBytes, FromBytesWithInput, Header)]
pub(crate) struct Nfgenmsg {
    family: u8,
    version: u8,
    res_id: u16,
    #[neli(
        input = "input.checked_sub(Self::header_size()).ok_or(neli::err::DeError::InvalidInput(input))?"
    )]
    attributes: GenlBuffer<u16, Buffer>,
}

/// A message with all its nests opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u16,
    pub(crate) flags: NlmF,
    pub(crate) sequence: u32,
    pub(crate) attributes: Vec<Attribute>,
}

/// An attribute: its number, its two marks, and what is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) kind: u16,
    pub(crate) network_order: bool,
    pub(crate) value: Value,
}

/// What is inside an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Bytes(Vec<u8>),
    Nest(Vec<Attribute>),
}

/// All messages in a datagram.
pub(crate) fn read(datagram: &[u8]) -> Vec<Message> {
    let mut cursor = Cursor::new(datagram);
    let mut messages = Vec::new();
    while usize::try_from(cursor.position()).expect("small") < datagram.len() {
        let message =
            Nlmsghdr::<u16, Nfgenmsg>::from_bytes(&mut cursor).expect("neli reads the message");
        let payload = message.get_payload().expect("a message of ipset, no acknowledgement");
        messages.push(Message {
            kind: *message.nl_type(),
            flags: *message.nl_flags(),
            sequence: *message.nl_seq(),
            attributes: open(payload.attributes.as_ref()),
        });
    }
    messages
}

fn open(attributes: &[Nlattr<u16, Buffer>]) -> Vec<Attribute> {
    let opened = attributes.iter().map(|attribute| {
        let kind = attribute.nla_type();
        let value = if *kind.nla_nested() {
            let inside = attribute.get_attr_handle::<u16>().expect("neli reads the nest");
            Value::Nest(open(inside.get_attrs()))
        } else {
            Value::Bytes(attribute.nla_payload().as_ref().to_vec())
        };
        Attribute { kind: *kind.nla_type(), network_order: *kind.nla_network_order(), value }
    });
    opened.collect()
}

/// The messages as neli writes them from scratch.
pub(crate) fn write(messages: &[Message]) -> Vec<u8> {
    let mut cursor = Cursor::new(Vec::new());
    for message in messages {
        let payload = Nfgenmsg {
            family: 0,
            version: 0,
            res_id: 0,
            attributes: message.attributes.iter().map(close).collect(),
        };
        let message = NlmsghdrBuilder::default()
            .nl_type(message.kind)
            .nl_flags(message.flags)
            .nl_seq(message.sequence)
            .nl_pid(0)
            .nl_payload(NlPayload::Payload(payload))
            .build()
            .expect("a whole message");
        message.to_bytes(&mut cursor).expect("neli writes the message");
    }
    cursor.into_inner()
}

fn close(attribute: &Attribute) -> Nlattr<u16, Buffer> {
    let kind = AttrTypeBuilder::default()
        .nla_type(attribute.kind)
        .nla_network_order(attribute.network_order)
        .nla_nested(matches!(attribute.value, Value::Nest(_)))
        .build()
        .expect("a whole type");
    let bytes = match &attribute.value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::Nest(_) => Vec::new(),
    };
    let written = NlattrBuilder::default().nla_type(kind).nla_payload(Buffer::from(bytes)).build();
    let mut written = written.expect("a whole attribute");
    if let Value::Nest(inside) = &attribute.value {
        for attribute in inside {
            written = written.nest(&close(attribute)).expect("neli writes the nest");
        }
    }
    written
}
