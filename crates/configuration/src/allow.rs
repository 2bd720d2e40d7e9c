//! What a string in `allow` means: an address or a prefix, or else a glob.
//! What was meant as an address and is none must never become a glob that
//! matches nothing: the address would stay blocked and nobody would know.

use std::str::FromStr as _;

use blocklist::{Allow, AnyPrefix};

use super::glob::glob;

/// Reads one string of `allow`; the error says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Allow, String> {
    match AnyPrefix::from_str(text) {
        Ok(prefix) => Ok(Allow::Prefix(prefix)),
        Err(error) if is_meant_as_address(text) => {
            Err(format!("{text:?} looks like an address: {error}"))
        }
        Err(_) => glob(text).map(Allow::Feeds),
    }
}

/// Whether a person who wrote this thought of an address: a colon stands in
/// no sensible file name, and a name of nothing but digits and what goes
/// between them is a number, a range or a pattern of addresses. A feed with
/// such a name is named by a glob with a bracket: `[1]92.0.2.1`.
fn is_meant_as_address(text: &str) -> bool {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '/' | '-' | '*' | ',' | ' ');
    let some_digit = text.contains(|c: char| c.is_ascii_digit());
    text.contains(':') || some_digit && text.chars().all(numeric)
}
