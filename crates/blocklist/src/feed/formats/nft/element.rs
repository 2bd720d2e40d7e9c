//! One element of a set of nftables: what it names and how long it stays.
//! Source: nft(8), ELEMENT and TIME. Knows no sets.

use super::super::super::tokens::Token;
use super::super::super::words::{is_torn, number};
use crate::{Entry, RejectReason, parse_entry};

/// An element without what does not matter.
pub(super) struct NftElement {
    pub entry: Entry,
    /// What remains of its time, or all of it if that is not said.
    pub seconds: Option<u64>,
}

/// Reads the words between two commas.
pub(super) fn element(words: &[Token<'_>]) -> Result<NftElement, RejectReason> {
    let texts: Vec<&[u8]> = words.iter().map(|word| word.text).collect();
    let (entry, mut rest) = match texts.as_slice() {
        [first, b"-", last, rest @ ..] => (parse_entry(&[*first, b"-", *last].concat())?, rest),
        [entry, rest @ ..] => (parse_entry(entry)?, rest),
        [] => return Err(RejectReason::MissingField),
    };
    let (mut timeout, mut expires) = (None, None);
    loop {
        rest = match rest {
            [] => break,
            [b"timeout", value, rest @ ..] => {
                timeout = Some(seconds(value).ok_or(RejectReason::Number)?);
                rest
            }
            [b"expires", value, rest @ ..] => {
                expires = Some(seconds(value).ok_or(RejectReason::Number)?);
                rest
            }
            [b"packets" | b"bytes", value, rest @ ..] if number(value).is_some() => rest,
            [b"counter", rest @ ..] => rest,
            [b"comment", text, rest @ ..] if text.starts_with(b"\"") && !is_torn(text) => rest,
            // Statements with more words than there is use for here.
            [b"limit" | b"quota" | b"last" | b"connlimit", ..] => break,
            _ => return Err(RejectReason::Trailing),
        };
    }
    Ok(NftElement { entry, seconds: expires.or(timeout) })
}

/// A duration such as `1d2h3m4s5ms`, or a number of seconds. A part of a second
/// counts as a whole one, so that nothing ends too early.
pub(super) fn seconds(text: &[u8]) -> Option<u64> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let mut rest = text;
    let mut milliseconds = 0_u64;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (value, after) = rest.split_at(digits);
        let unit_bytes = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (unit, after) = after.split_at(unit_bytes);
        let unit: u64 = match unit {
            b"w" => 604_800_000,
            b"d" => 86_400_000,
            b"h" => 3_600_000,
            b"m" => 60_000,
            b"s" => 1_000,
            b"ms" => 1,
            _ => return None,
        };
        milliseconds = milliseconds.checked_add(number(value)?.checked_mul(unit)?)?;
        rest = after;
    }
    Some(milliseconds.div_ceil(1_000)).filter(|_| !text.is_empty())
}
