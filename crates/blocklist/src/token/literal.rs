//! Prefixes that a person wrote into a configuration or a command. They get
//! less lenience than a feed: nobody counts what was cleared here.

use std::str::FromStr;

use super::{RejectReason, parse_entry};
use crate::AnyPrefix;

/// Why a text is not one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// It is not written in any of the forms.
    #[error(transparent)]
    Token(#[from] RejectReason),
    /// It names an address inside of a prefix, so that it is not clear which
    /// of the two is meant.
    #[error("it has bits set beyond its length: write {network}, or the address alone")]
    HostBits {
        /// The prefix without them.
        network: AnyPrefix,
    },
    /// It is a range, which need not be one prefix.
    #[error("a range stands only in feeds; write prefixes")]
    Range,
}

/// Reads an address, a prefix or a prefix with a netmask, in the forms of
/// [`parse_entry`], host bits zero.
impl FromStr for AnyPrefix {
    type Err = LiteralError;

    fn from_str(text: &str) -> Result<Self, LiteralError> {
        let entry = parse_entry(text.as_bytes())?;
        let network = entry.range.as_prefix().filter(|_| !text.contains('-'));
        let network = network.ok_or(LiteralError::Range)?;
        if entry.masked { Err(LiteralError::HostBits { network }) } else { Ok(network) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<&str, &str>) {
        let got = text.parse::<AnyPrefix>();
        let got = got.map(|prefix| prefix.to_string()).map_err(|error| error.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), want, "{text}");
    }

    #[test]
    fn a_literal_is_one_prefix() {
        check("192.0.2.10", Ok("192.0.2.10"));
        check("192.0.2.10/32", Ok("192.0.2.10"));
        check("192.0.2.0/255.255.255.0", Ok("192.0.2.0/24"));
        check("2001:db8::/64", Ok("2001:db8::/64"));
        check("::ffff:192.0.2.0/120", Ok("192.0.2.0/24"));
        check(
            "192.0.2.7/24",
            Err("it has bits set beyond its length: write 192.0.2.0/24, or the address alone"),
        );
        check("192.0.2.0-192.0.2.255", Err("a range stands only in feeds; write prefixes"));
        check("192.0.2.1-192.0.2.7", Err("a range stands only in feeds; write prefixes"));
        check(" 192.0.2.1", Err("neither an address, a prefix nor a range"));
        check("", Err("neither an address, a prefix nor a range"));
    }
}
