//! What a message of ipset means, read from the oracle's tree with the numbers
//! written out here a second time, from `ip_set.h`, not taken from the crate.

use std::net::IpAddr;

use crate::oracle::{Attribute, Message, Value};

/// A message, understood. What it does not carry is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) command: u16,
    pub(crate) protocol: Option<u8>,
    pub(crate) set: String,
    /// `TYPENAME`, or in a swap `SETNAME2`: they share a number.
    pub(crate) type_or_second: String,
    pub(crate) revision: Option<u8>,
    pub(crate) family: Option<u8>,
    pub(crate) flags: Option<u32>,
    pub(crate) line: Option<u32>,
    /// Of a set: INITVAL, HASHSIZE, MAXELEM, ELEMENTS, REFERENCES.
    pub(crate) description: [Option<u32>; 5],
    pub(crate) entries: Vec<SetEntry>,
    /// Whether anything was there that is not in the tables below.
    pub(crate) unknown: bool,
}

/// An entry, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetEntry {
    pub(crate) address: Option<IpAddr>,
    pub(crate) length: Option<u8>,
    pub(crate) line: Option<u32>,
    pub(crate) unknown: bool,
}

/// Understands a message.
pub(crate) fn understand(message: &Message) -> Intent {
    assert_eq!(message.kind >> 8, 6, "the subsystem is ipset");
    let mut intent = Intent { command: message.kind & 0xff, ..Intent::default() };
    for attribute in &message.attributes {
        match (attribute.kind, &attribute.value) {
            (1, Value::Bytes(bytes)) => intent.protocol = Some(byte(bytes)),
            (2, Value::Bytes(bytes)) => intent.set = text(bytes),
            (3, Value::Bytes(bytes)) => intent.type_or_second = text(bytes),
            (4, Value::Bytes(bytes)) => intent.revision = Some(byte(bytes)),
            (5, Value::Bytes(bytes)) => intent.family = Some(byte(bytes)),
            (6, Value::Bytes(bytes)) if attribute.network_order => {
                intent.flags = Some(big_endian(bytes));
            }
            (7, Value::Nest(inside)) => understand_data(inside, &mut intent),
            (8, Value::Nest(entries)) => {
                intent.entries.extend(entries.iter().map(|entry| {
                    match (entry.kind, &entry.value) {
                        (7, Value::Nest(inside)) => understand_entry(inside),
                        _ => panic!("{entry:?} among the entries"),
                    }
                }));
            }
            (9, Value::Bytes(bytes)) => intent.line = Some(host_order(bytes)),
            _ => intent.unknown = true,
        }
    }
    intent
}

/// `DATA` outside of `ADT`: one entry if it begins with an address, else the
/// description of a set.
fn understand_data(inside: &[Attribute], intent: &mut Intent) {
    if inside.first().is_some_and(|first| first.kind == 1) {
        intent.entries.push(understand_entry(inside));
        return;
    }
    for attribute in inside {
        match (attribute.kind, &attribute.value) {
            (17, value) => intent.description[0] = Some(number(value)),
            (18, value) => intent.description[1] = Some(number(value)),
            (19, value) => intent.description[2] = Some(number(value)),
            (24, value) => intent.description[3] = Some(number(value)),
            (25, value) => intent.description[4] = Some(number(value)),
            _ => intent.unknown = true,
        }
        assert!(attribute.network_order || attribute.kind == 21, "{attribute:?}");
    }
}

fn understand_entry(inside: &[Attribute]) -> SetEntry {
    let mut entry = SetEntry::default();
    for attribute in inside {
        match (attribute.kind, &attribute.value) {
            (1, Value::Nest(address)) => entry.address = Some(understand_address(address)),
            (3, Value::Bytes(bytes)) => entry.length = Some(byte(bytes)),
            (9, Value::Bytes(bytes)) => entry.line = Some(host_order(bytes)),
            _ => entry.unknown = true,
        }
    }
    entry
}

fn understand_address(nest: &[Attribute]) -> IpAddr {
    let [Attribute { kind, value: Value::Bytes(bytes), .. }] = nest else {
        panic!("{nest:?} in place of an address")
    };
    match kind {
        1 => IpAddr::from(<[u8; 4]>::try_from(&bytes[..]).expect("four bytes")),
        2 => IpAddr::from(<[u8; 16]>::try_from(&bytes[..]).expect("sixteen bytes")),
        _ => panic!("an address of kind {kind}"),
    }
}

fn number(value: &Value) -> u32 {
    let Value::Bytes(bytes) = value else { panic!("{value:?} in place of a number") };
    big_endian(bytes)
}

fn byte(bytes: &[u8]) -> u8 {
    let [byte] = bytes else { panic!("{bytes:?} in place of a byte") };
    *byte
}

fn big_endian(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

fn host_order(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
}

fn text(bytes: &[u8]) -> String {
    let (nul, text) = bytes.split_last().expect("a NUL at the end");
    assert_eq!(*nul, 0, "a NUL at the end");
    String::from_utf8(text.to_vec()).expect("our names are ASCII")
}
