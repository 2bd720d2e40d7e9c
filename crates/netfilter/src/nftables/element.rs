//! Expressions: the parts of a rule. What is written uses the typed layer;
//! what is read need not be right, and the typed layer trusts the length of
//! nested data, so that is read attribute by attribute. Both come to the same
//! form, in which a rule that was wanted is compared with one that is there.

use std::collections::BTreeMap;

use netlink_packet_core::{DecodeError, DefaultNla, Emitable as _};
use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, ExpressionAttribute, Expressions, Immediate, ListAttribute, Meta,
    MetaKey, Operator, Payload, Register, Verdict, VerdictAttribute,
};

use crate::reply::for_each;

/// An expression to be sent.
pub(super) type Element = ListAttribute<ExpressionAttribute>;

/// The register that everything is loaded into; none is kept for later.
const REGISTER: Register = Register::Reg1;
/// `NFT_PAYLOAD_NETWORK_HEADER`.
pub(super) const NETWORK: u32 = 1;
/// `NFT_PAYLOAD_TRANSPORT_HEADER`.
pub(super) const TRANSPORT: u32 = 2;
/// `NF_DROP` (`include/uapi/linux/netfilter.h`).
pub(super) const DROP: u32 = 0;
/// `NF_ACCEPT`.
pub(super) const ACCEPT: u32 = 1;
/// The name of the expression that counts.
const COUNTER: &str = "counter";
/// The flags in an attribute's type (`include/uapi/linux/netlink.h`).
const TYPE_FLAGS: u16 = 0xc000;

/// Loads what is known of a packet beside its bytes.
pub(super) fn meta(key: MetaKey) -> Element {
    Expressions::Meta(vec![Meta::DestinationRegister(REGISTER), Meta::Key(key)]).into()
}

/// Loads bytes of a header.
pub(super) fn payload(base: u32, offset: u32, length: u32) -> Element {
    Expressions::Payload(vec![
        Payload::DestinationRegister(REGISTER),
        Payload::Base(base),
        Payload::Offset(offset),
        Payload::Len(length),
    ])
    .into()
}

/// Goes on if what was loaded compares so with `value`, in network order.
pub(super) fn compare(operator: Operator, value: &[u8]) -> Element {
    let data = Cmp::Data(DataAttribute::Value(value.to_vec()));
    Expressions::Cmp(vec![Cmp::SourceRegister(REGISTER), Cmp::Op(operator), data]).into()
}

/// Goes on if what was loaded is `value`.
pub(super) fn is(value: &[u8]) -> Element {
    compare(Operator::Equal, value)
}

/// Keeps the bits of `mask` of what was loaded.
pub(super) fn keep_bits(mask: &[u8]) -> Element {
    let length = u32::try_from(mask.len()).expect("a mask of a few bytes");
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(REGISTER),
        Bitwise::DestinationRegister(REGISTER),
        Bitwise::Length(length),
        Bitwise::Mask(DataAttribute::Value(mask.to_vec())),
        Bitwise::Xor(DataAttribute::Value(vec![0; mask.len()])),
    ])
    .into()
}

/// Ends the packet's way through the chain.
pub(super) fn verdict(code: u32) -> Element {
    immediate(vec![VerdictAttribute::Code(Verdict::Other(code))])
}

/// Sends the packet to another chain, from which it does not come back.
pub(super) fn go_to(chain: &str) -> Element {
    let name = VerdictAttribute::Chain(chain.to_owned());
    immediate(vec![VerdictAttribute::Code(Verdict::Goto), name])
}

fn immediate(verdict: Vec<VerdictAttribute>) -> Element {
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(verdict)),
    ])
    .into()
}

/// Loads the state of the packet's connection: `NFTA_CT_DREG`,
/// `NFTA_CT_KEY`, `NFT_CT_STATE`.
pub(super) fn connection_state() -> Element {
    other("ct", [(1, number(u32::from(REGISTER))), (2, number(0))])
}

/// Answers and drops: `NFTA_REJECT_TYPE`, `NFTA_REJECT_ICMP_CODE`.
pub(super) fn reject(kind: u32, code: Option<u8>) -> Element {
    let code = code.map(|code| (2, vec![code]));
    other("reject", [Some((1, number(kind))), code].into_iter().flatten())
}

/// Counts what comes so far: `NFTA_COUNTER_BYTES`, `NFTA_COUNTER_PACKETS`.
pub(super) fn counter(counted: Counted) -> Element {
    let number = |value: u64| value.to_be_bytes().to_vec();
    other(COUNTER, [(1, number(counted.bytes)), (2, number(counted.packets))])
}

/// Goes on if the set has the packet's source or destination, or has not.
///
/// iptables' match `set` of revision 1: `struct xt_set_info`
/// (`include/uapi/linux/netfilter/xt_set.h`), padded to 8 bytes: the set's
/// index in the host's order, how many dimensions are asked, then flags, 1 for
/// the inverse and 2 for the source. Every kernel has that revision; the later
/// ones add what is asked of counters, which our sets have none of.
pub(super) fn set_match(index: u16, source: bool, inverse: bool) -> Element {
    let flags = u8::from(inverse) | u8::from(source) << 1;
    let [first, second] = index.to_ne_bytes();
    let info = vec![first, second, 1, flags, 0, 0, 0, 0];
    other("match", [(1, b"set\0".to_vec()), (2, number(1)), (3, info)])
}

/// Goes on at so many packets a second at the most, and lets a second's worth
/// come at once: `NFTA_LIMIT_RATE`, `NFTA_LIMIT_UNIT` in seconds,
/// `NFTA_LIMIT_BURST`.
pub(super) fn limit(per_second: u32) -> Element {
    let wide = |value: u64| value.to_be_bytes().to_vec();
    let rate = (1, wide(per_second.into()));
    other("limit", [rate, (2, wide(1)), (3, number(per_second))])
}

/// Shows the packet, as far as `length` bytes from its IP header on, to
/// whoever listens to the group: `NFTA_LOG_GROUP`, `NFTA_LOG_PREFIX`,
/// `NFTA_LOG_SNAPLEN`. Then goes on.
pub(super) fn show(group: u16, label: &str, length: u32) -> Element {
    let label = [label.as_bytes(), b"\0"].concat();
    other("log", [(1, group.to_be_bytes().to_vec()), (2, label), (3, number(length))])
}

fn other(name: &str, attributes: impl IntoIterator<Item = (u16, Vec<u8>)>) -> Element {
    let attributes = attributes.into_iter().map(|(kind, value)| DefaultNla::new(kind, value));
    let expression_type = name.to_owned();
    Expressions::Other { expression_type, attributes: attributes.collect() }.into()
}

fn number(value: u32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

/// What a rule has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Counted {
    /// Both together.
    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            packets: self.packets.saturating_add(more.packets),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }
}

/// An expression as it is compared: its name, and its attributes by number
/// without the flags that the kernel sets on some and not on others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    name: Vec<u8>,
    attributes: BTreeMap<u16, Vec<u8>>,
}

impl Expression {
    /// Whether it does what `wanted` would do: the kernel may say more of an
    /// expression than it was told, as later versions do, but nothing else.
    pub(crate) fn does(&self, wanted: &Self) -> bool {
        let same = |(kind, value)| self.attributes.get(kind) == Some(value);
        self.name == wanted.name && (self.is_counter() || wanted.attributes.iter().all(same))
    }

    /// What it has counted, if it is one that counts.
    pub(crate) fn counted(&self) -> Option<Counted> {
        let number = |kind| {
            let bytes = self.attributes.get(&kind)?.as_slice().try_into().ok()?;
            Some(u64::from_be_bytes(bytes))
        };
        let counted = Counted { bytes: number(1)?, packets: number(2)? };
        self.is_counter().then_some(counted)
    }

    fn is_counter(&self) -> bool {
        self.name == COUNTER.as_bytes()
    }
}

/// The expressions to be sent in the form that is compared.
pub(super) fn as_read(elements: &[Element]) -> Vec<Expression> {
    let mut bytes = vec![0; elements.buffer_len()];
    elements.emit(&mut bytes);
    read(&bytes).expect("what is written here can be read")
}

/// Reads the value of `NFTA_RULE_EXPRESSIONS`.
pub(super) fn read(list: &[u8]) -> Result<Vec<Expression>, DecodeError> {
    let mut expressions = Vec::new();
    for_each(list, |_, element| {
        let (mut name, mut attributes) = (Vec::new(), BTreeMap::new());
        for_each(element, |kind, value| {
            match kind {
                // `NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`.
                1 => name = value.strip_suffix(b"\0").unwrap_or(value).to_vec(),
                2 => for_each(value, |kind, value| {
                    attributes.insert(kind, value.to_vec());
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        for (kind, value) in &mut attributes {
            if holds_data(&name, *kind) {
                without_flags(value);
            }
        }
        expressions.push(Expression { name, attributes });
        Ok(())
    })?;
    Ok(expressions)
}

/// Whether an attribute of an expression is a nest of `enum
/// nft_data_attributes`, whose type may carry flags.
fn holds_data(name: &[u8], kind: u16) -> bool {
    matches!((name, kind), (b"cmp", 3) | (b"immediate", 2) | (b"bitwise", 4 | 5))
}

/// Clears the flags in the type of the attribute that a nest begins with.
fn without_flags(nest: &mut [u8]) {
    if let Some(bytes) = nest.get_mut(2..4) {
        let kind = u16::from_ne_bytes([bytes[0], bytes[1]]) & !TYPE_FLAGS;
        bytes.copy_from_slice(&kind.to_ne_bytes());
    }
}
