//! Our table as it is compared, and what the kernel says of it, read from
//! bytes that need not be right.

use netlink_packet_core::DecodeError;

use super::element::{Counted, Expression, read};
use super::{Chain, message};
use crate::reply::{Nftables, for_each};

/// What stands in our table of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// The chains, in their order.
    pub(crate) chains: Vec<Chain>,
    /// The rules by chain, and in their order within it.
    pub(crate) rules: Vec<TableRule>,
}

/// A rule as the kernel has it. One of ours may take several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRule {
    /// Where it stands; `None` in a chain that is none of ours.
    pub(crate) chain: Option<Chain>,
    /// Its comment, which is the name of our rule.
    pub(crate) comment: String,
    /// Its parts.
    pub(crate) expressions: Vec<Expression>,
}

impl TableRule {
    /// Whether it does what `wanted` would do.
    pub(crate) fn does(&self, wanted: &Self) -> bool {
        (&self.chain, &self.comment) == (&wanted.chain, &wanted.comment)
            && self.expressions.len() == wanted.expressions.len()
            && self.expressions.iter().zip(&wanted.expressions).all(|(is, want)| is.does(want))
    }

    /// What it has counted.
    pub(crate) fn counted(&self) -> Counted {
        self.expressions.iter().find_map(Expression::counted).unwrap_or_default()
    }
}

impl Table {
    /// Whether it does what `wanted` would do, whatever it has counted.
    pub(crate) fn does(&self, wanted: &Self) -> bool {
        self.chains == wanted.chains
            && self.rules.len() == wanted.rules.len()
            && self.rules.iter().zip(&wanted.rules).all(|(is, want)| is.does(want))
    }
}

impl Table {
    /// Whether it has everything that `wanted` has, among other things.
    pub(crate) fn has(&self, wanted: &Self) -> bool {
        wanted.chains.iter().all(|chain| self.chains.contains(chain))
            && wanted.rules.iter().all(|want| self.rules.iter().any(|is| is.does(want)))
    }
}

/// What was found under our table's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FoundTable {
    /// Nothing.
    Absent,
    /// A table without our mark.
    Foreign,
    /// Our table; `odd` if it has a chain that is none of ours, or one that
    /// is elsewhere than ours would be, or sleeps.
    Ours { table: Table, odd: bool },
}

/// What a table says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableHeader {
    /// Its comment.
    pub(crate) comment: Option<String>,
    /// `NFT_TABLE_F_*`.
    pub(crate) flags: u32,
    /// How many chains, sets and the like it has.
    pub(crate) uses: u32,
}

/// `NFT_TABLE_F_DORMANT`: nothing in the table is in effect.
const DORMANT: u32 = 1;

impl TableHeader {
    /// Reads `enum nft_table_attributes`.
    pub(crate) fn read(reply: &Nftables) -> Result<Self, DecodeError> {
        expect(reply, message::NEW_TABLE)?;
        let mut header = Self::default();
        for_each(&reply.attributes, |kind, value| {
            match kind {
                2 => header.flags = number(value)?,
                3 => header.uses = number(value)?,
                6 => header.comment = comment(value),
                _ => {}
            }
            Ok(())
        })?;
        Ok(header)
    }

    /// Whether nothing in the table is in effect.
    pub(crate) fn sleeps(&self) -> bool {
        self.flags & DORMANT != 0
    }
}

/// Whether the answer is `chain` as we make it: `enum nft_chain_attributes`
/// and `enum nft_hook_attributes`.
pub(crate) fn chain_of(reply: &Nftables, chain: &Chain) -> Result<bool, DecodeError> {
    expect(reply, message::NEW_CHAIN)?;
    let (mut hook, mut priority, mut policy, mut filters) = (None, None, None, false);
    for_each(&reply.attributes, |kind, value| {
        match kind {
            4 => for_each(value, |kind, value| {
                match kind {
                    1 => hook = Some(number(value)?),
                    2 => priority = Some(number(value)?.cast_signed()),
                    _ => {}
                }
                Ok(())
            })?,
            5 => policy = Some(number(value)?),
            7 => filters = value == b"filter\0",
            _ => {}
        }
        Ok(())
    })?;
    Ok(match chain.hook() {
        Some(here) => {
            filters
                && (hook, priority) == (Some(here.number), Some(here.priority))
                && policy == Some(super::element::ACCEPT)
        }
        None => !filters && (hook, priority) == (None, None),
    })
}

impl TableRule {
    /// Reads `enum nft_rule_attributes`.
    pub(crate) fn read(reply: &Nftables) -> Result<Self, DecodeError> {
        expect(reply, message::NEW_RULE)?;
        let mut rule = Self { chain: None, comment: String::new(), expressions: Vec::new() };
        for_each(&reply.attributes, |kind, value| {
            match kind {
                2 => {
                    let name = value.strip_suffix(b"\0").unwrap_or(value);
                    rule.chain = std::str::from_utf8(name).ok().and_then(Chain::named);
                }
                4 => rule.expressions = read(value)?,
                7 => rule.comment = comment(value).unwrap_or_default(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(rule)
    }
}

/// The number of the generation, `NFTA_GEN_ID`.
pub(crate) fn generation_of(reply: &Nftables) -> Result<u32, DecodeError> {
    expect(reply, message::NEW_GEN)?;
    let mut generation = None;
    for_each(&reply.attributes, |kind, value| {
        if kind == 1 {
            generation = Some(number(value)?);
        }
        Ok(())
    })?;
    generation.ok_or_else(|| DecodeError::from("a generation without its number"))
}

fn expect(reply: &Nftables, message: u8) -> Result<(), DecodeError> {
    if reply.message == message {
        return Ok(());
    }
    Err(DecodeError::from(format!("nf_tables answers with message {}", reply.message)))
}

fn number(value: &[u8]) -> Result<u32, DecodeError> {
    let bytes = value.try_into().map_err(|_| DecodeError::from("a number of another length"))?;
    Ok(u32::from_be_bytes(bytes))
}

/// User data as `nft` writes and shows it: parts of type, length and content
/// (libnftnl's `udata.h`). A comment is of type 0, with a closing NUL.
pub(super) fn user_data(comment: &str) -> Vec<u8> {
    let length = u8::try_from(comment.len() + 1).expect("comments here are short");
    [&[0, length], comment.as_bytes(), b"\0"].concat()
}

fn comment(user_data: &[u8]) -> Option<String> {
    let [0, length, text @ ..] = user_data else { return None };
    let text = text.get(..usize::from(*length))?.strip_suffix(b"\0")?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_kernel_says_is_read_or_refused(
            message in prop::sample::select(vec![0_u8, 3, 6, 15]),
            attributes: Vec<u8>,
        ) {
            let reply = Nftables { message, attributes };
            let _nobody_panics = (
                TableHeader::read(&reply),
                TableRule::read(&reply),
                generation_of(&reply),
                chain_of(&reply, &Chain::Input),
            );
        }

        #[test]
        fn a_nest_of_anything_is_read_or_refused(inside in prop::collection::vec(any::<u8>(), 0..64)) {
            let nest = |kind: u16, value: &[u8]| {
                let length = u16::try_from(4 + value.len()).expect("short").to_ne_bytes();
                let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
                [&length[..], &kind.to_ne_bytes(), value, &padding].concat()
            };
            let name = nest(1, b"cmp\0");
            let element = [name, nest(2, &nest(3, &inside))].concat();
            let attributes = nest(4, &nest(1, &element));
            let rule = TableRule::read(&Nftables { message: message::NEW_RULE, attributes });
            prop_assert_eq!(rule.expect("well framed").expressions.len(), 1);
        }
    }

    #[test]
    fn a_comment_is_read_as_it_is_written() {
        for text in ["", "drop", "kept by denyset"] {
            assert_eq!(comment(&user_data(text)).as_deref(), Some(text));
        }
        for bytes in [&b""[..], b"\0", b"\0\x05abc\0", b"\x01\x02a\0", b"\0\x02ab"] {
            assert_eq!(comment(bytes), None, "{bytes:?}");
        }
    }
}
