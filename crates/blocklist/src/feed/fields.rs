//! Names of columns and fields, by what they say of their row besides a verdict:
//! when it ends, and how much of a host it is about. Knows words only.

use super::verdict::{blocks, plain_name};

/// Names of columns and fields with states that are numbered by their own rules:
/// 200 of a web server, 2 of a database.
const NUMBERED: [&str; 15] = [
    "status",
    "state",
    "result",
    "action",
    "mode",
    "verdict",
    "list",
    "listtype",
    "class",
    "classification",
    "policy",
    "decision",
    "disposition",
    "access",
    "permission",
];

/// As [`blocks()`](super::verdict::blocks()), of a field with this name.
pub(super) fn blocks_in(name: &[u8], value: &[u8]) -> bool {
    blocks_by(is_numbered(name), value)
}

/// The same where it is known already whether the name [`is_numbered()`].
pub(super) fn blocks_by(is_numbered: bool, value: &[u8]) -> bool {
    let number = value.first().is_some_and(u8::is_ascii_digit);
    blocks(value) && !(is_numbered && number)
}

/// Whether the states of a column or field of this name are numbered.
pub(super) fn is_numbered(name: &[u8]) -> bool {
    let plain = plain_name(name);
    NUMBERED.iter().any(|known| plain == known.as_bytes())
}

/// Whether a column or field of this name says what a rule does.
pub(super) fn is_action(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 6] =
        [b"action", b"verdict", b"policy", b"decision", b"disposition", b"permission"];
    NAMES.contains(&&plain_name(name)[..])
}

/// Whether a column or field of this name says to what of a host a rule applies.
pub(super) fn is_scope(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 16] = [
        b"port",
        b"ports",
        b"dport",
        b"dports",
        b"dstport",
        b"destport",
        b"destinationport",
        b"destinationports",
        b"service",
        b"protocol",
        b"proto",
        b"path",
        b"url",
        b"site",
        b"method",
        b"interface",
    ];
    NAMES.contains(&&plain_name(name)[..])
}

/// Whether a port, a protocol or the like is any.
pub(super) fn is_whole(value: &[u8]) -> bool {
    const ANY: [&[u8]; 9] = [b"", b"any", b"all", b"*", b"-", b"0", b"ip", b"null", b"0-65535"];
    ANY.iter().any(|any| value.eq_ignore_ascii_case(any))
}

/// Whether a column or field of this name says when its row ends to count.
pub(super) fn ends(name: &[u8]) -> bool {
    const NAMES: [&str; 27] = [
        "expires",
        "expiresat",
        "expireson",
        "expiry",
        "expirydate",
        "expiration",
        "expirationdate",
        "expirationtime",
        "expire",
        "expiredat",
        "validuntil",
        "validto",
        "until",
        "banuntil",
        "banneduntil",
        "blockuntil",
        "blockeduntil",
        "banend",
        "unbanat",
        "unbannedat",
        "unblockedat",
        "deletedat",
        "removedat",
        "revokedat",
        "endsat",
        "deletedon",
        "removedon",
    ];
    let plain = plain_name(name);
    NAMES.iter().any(|known| plain == known.as_bytes())
}

/// Whether a time at which something ends never comes.
pub(super) fn is_for_ever(value: &[u8]) -> bool {
    const NEVER: [&[u8]; 11] = [
        b"",
        b"-",
        b"0",
        b"-1",
        b"null",
        b"\\N",
        b"never",
        b"none",
        b"n/a",
        b"permanent",
        b"forever",
    ];
    NEVER.iter().any(|never| value.eq_ignore_ascii_case(never))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_by_number_says_nothing_and_a_score_does() {
        assert!(blocks_in(b"score", b"98") && !blocks_in(b"status", b"200"));
        assert!(blocks_in(b"status", b"blocked") && !blocks_in(b"score", b"0"));
    }

    #[test]
    fn an_end_that_never_comes_is_none() {
        assert!(ends(b"expires_at") && ends(b"Ban-Until") && !ends(b"last_seen"));
        assert!(is_for_ever(b"Never") && is_for_ever(b"") && !is_for_ever(b"2026-01-01"));
    }

    #[test]
    fn a_port_narrows_a_rule_unless_it_is_any() {
        assert!(is_action(b"Action") && is_scope(b"dst_port") && !is_scope(b"country"));
        assert!(is_whole(b"ANY") && is_whole(b"*") && !is_whole(b"22"));
    }
}
