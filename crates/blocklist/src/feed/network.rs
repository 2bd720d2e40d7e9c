//! Numbers of networks (autonomous systems) as the configuration and tables have
//! them, and files that list some. Knows no addresses.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::beside::BesideError;
use super::{lines, text};

/// More than that no list of networks has: a third of all that there are.
const NUMBERS_MAX: usize = 40_000;

/// The number of an autonomous system, 32 bits (RFC 6793), as text `AS64500` or
/// `64500`; `AS1.1` (RFC 5396) is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsNumber(pub u32);

/// A text is not an [`AsNumber`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of a network: AS1 to AS4294967294 is allowed, as in `AS64500`")]
pub struct AsNumberError(pub String);

impl FromStr for AsNumber {
    type Err = AsNumberError;

    fn from_str(text: &str) -> Result<Self, AsNumberError> {
        let number = number(text.as_bytes());
        // Neither is ever given to anybody (RFC 7607, RFC 7300).
        let given = number.filter(|&number| number != 0 && number != u32::MAX);
        given.map(Self).ok_or_else(|| AsNumberError(text.to_owned()))
    }
}

impl fmt::Display for AsNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("AS{}", self.0))
    }
}

/// A number with or without `AS`, without leading zeros.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    let digits = match text.split_at_checked(2) {
        Some((mark, digits)) if mark.eq_ignore_ascii_case(b"as") => digits,
        _ => text,
    };
    let plain =
        matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

/// A line of Spamhaus' ASN-DROP.
#[derive(Deserialize)]
struct Record<'a> {
    asn: Option<u32>,
    #[serde(borrow, rename = "type")]
    kind: Option<std::borrow::Cow<'a, str>>,
    records: Option<usize>,
}

/// The networks that a file lists, in their order and each once:
///
/// * Spamhaus' ASN-DROP, `{"asn":64496,…}`, a line each, the last of which
///   promises how many there are (<https://www.spamhaus.org/drop/asndrop.json>)
/// * numbers, `AS64496` or `64496`, a line each; what stands behind `;`, `#` or
///   `|` is a comment, as in the older `asndrop.txt`
///
/// # Errors
/// It has other lines, none at all, too many, or not what it promises.
pub(super) fn listed(bytes: &[u8]) -> Result<Vec<AsNumber>, BesideError> {
    let (mut numbers, mut promised) = (Vec::new(), None);
    for (at, line) in lines::all(bytes).enumerate() {
        let wrong = || BesideError::Line {
            line: at as u64 + 1,
            text: text::printable(line, 40),
            what: "numbers of networks",
        };
        let said = text::trim(line);
        if said.is_empty() || matches!(said[0], b'#' | b';') {
            continue;
        }
        if said[0] == b'{' {
            let record: Record<'_> = serde_json::from_slice(said).map_err(|_| wrong())?;
            match record {
                Record { asn: Some(asn), .. } => numbers.push(AsNumber(asn)),
                Record { kind: Some(kind), records, .. } if kind == "metadata" => {
                    promised = records;
                }
                Record { .. } => return Err(wrong()),
            }
            continue;
        }
        let end = said.iter().position(|byte| b";#|".contains(byte)).unwrap_or(said.len());
        let said = str::from_utf8(said[..end].trim_ascii()).map_err(|_| wrong())?;
        numbers.push(said.parse().map_err(|_| wrong())?);
    }
    if let Some(promised) = promised.filter(|&promised| promised != numbers.len()) {
        return Err(BesideError::Promise { promised, found: numbers.len() });
    }
    if numbers.is_empty() {
        return Err(BesideError::Empty("numbers of networks"));
    }
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() > NUMBERS_MAX {
        return Err(BesideError::TooMany { what: "networks", max: NUMBERS_MAX });
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_number_of_32_bits() {
        for (text, want) in
            [("AS64500", 64500), ("as1", 1), ("64500", 64500), ("AS4294967294", u32::MAX - 1)]
        {
            assert_eq!(text.parse(), Ok(AsNumber(want)), "{text}");
        }
        for text in [
            "",
            "AS",
            "AS0",
            "0",
            "AS4294967295",
            "AS4294967296",
            "AS1.1",
            "AS-1",
            "AS01",
            "ASN1",
            " AS1",
            "1 ",
        ] {
            let error = text.parse::<AsNumber>().expect_err(text).to_string();
            assert!(error.contains("AS64500"), "{error}");
        }
        assert_eq!(AsNumber(64500).to_string(), "AS64500");
    }

    fn check(text: &str, want: Result<&[u32], &str>) {
        let found = listed(text.as_bytes()).map_err(|error| error.to_string());
        match want {
            Ok(want) => {
                let want = want.iter().copied().map(AsNumber).collect();
                assert_eq!(found, Ok(want), "{text}");
            }
            Err(want) => assert!(
                found.as_ref().is_err_and(|error| error.contains(want)),
                "{text}: {found:?}"
            ),
        }
    }

    #[test]
    fn a_file_lists_networks() {
        check(
            "{\"asn\":3,\"cc\":\"US\"}\n{\"asn\":1}\n{\"type\":\"metadata\",\"records\":2}\n",
            Ok(&[1, 3]),
        );
        check("; Spamhaus\nAS3 ; US | arin | x\nAS3\n# x\n64500\n", Ok(&[3, 64500]));
        check("{\"asn\":3}\n{\"type\":\"metadata\",\"records\":2}\n", Err("promises 2"));
        check("{\"cidr\":\"192.0.2.0/24\"}\n", Err("line 1"));
        check("AS3\n192.0.2.0/24\n", Err("line 2"));
        check("<html>\n", Err("line 1"));
        check("{\"asn\":\n", Err("line 1"));
        check("", Err("none"));
        check("; nothing\n", Err("none"));
    }
}
