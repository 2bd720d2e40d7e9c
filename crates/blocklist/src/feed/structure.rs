//! Lines that no list of addresses has: what shows that a file is something
//! else, or several things one behind the other. Knows no format.

use super::words::words;
use crate::parse_entry;

/// What a line that is no entry shows, or nothing if it may be a damaged entry:
/// a bad octet, a truncated address, a name, a sentence.
pub(super) fn of(line: &[u8]) -> Option<&'static str> {
    let first = *line.first()?;
    if [&b"<<<<<<<"[..], b"=======", b">>>>>>>", b"|||||||"].iter().any(|m| line.starts_with(m)) {
        return Some("a merge that was not resolved");
    }
    match first {
        b'!' => return Some("`!` makes an exception"),
        b'<' => return Some("markup begins"),
        b'[' if line.ends_with(b"]") && parse_entry(&line[1..line.len() - 1]).is_err() => {
            return Some("a section begins");
        }
        b'+' | b'-' | b'*' | b'~' | b'>' | b'$' if names_address(&line[1..]) => {
            return Some("a mark stands before an address");
        }
        _ => {}
    }
    if line.iter().any(|byte| b"{}".contains(byte)) {
        return Some("a brace begins or ends a block");
    }
    keyed(line).or_else(|| beside(line))
}

/// A key with its value.
fn keyed(line: &[u8]) -> Option<&'static str> {
    let name_bytes = |text: &[u8]| {
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_. ".contains(byte);
        text.first().is_some_and(u8::is_ascii_alphabetic) && text.iter().all(known)
    };
    if let Some(at) = memchr::memchr(b'=', line)
        && name_bytes(line[..at].trim_ascii())
    {
        return Some("a key has a value");
    }
    let at = memchr::memchr(b':', line)?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    // `fe80:…` is an address, or was to be one.
    let hexadecimal = name.iter().all(u8::is_ascii_hexdigit) && value.first() != Some(&b' ');
    let url = value.starts_with(b"//");
    (name_bytes(name) && !hexadecimal && !url).then_some("a key has a value")
}

/// An address with something beside it.
fn beside(line: &[u8]) -> Option<&'static str> {
    let mut count = 0_usize;
    let (mut addresses, mut first) = (0_usize, false);
    for word in words(line) {
        let address = names_address(word);
        first |= address && count == 0;
        addresses += usize::from(address);
        count += 1;
    }
    match (addresses, count) {
        (0, _) | (1, 1) => None,
        (1, _) if first => Some("words stand behind an address"),
        (1, _) => Some("a word stands before an address"),
        _ => Some("several addresses stand in one line"),
    }
}

/// Whether a word is an entry but for what may stand around one in a sentence.
fn names_address(word: &[u8]) -> bool {
    let word = word.trim_ascii();
    let marks = |byte: &u8| b";,()\"'`<>".contains(byte);
    let start = word.iter().position(|byte| !marks(byte)).unwrap_or(word.len());
    let end = word.iter().rposition(|byte| !marks(byte)).map_or(start, |last| last + 1);
    parse_entry(&word[start..end]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_entry_shows_nothing() {
        for line in [
            "192.0.2.256",
            "192.0.2",
            "bad.example",
            "010.1.2.3",
            "2001:db8:::",
            "1000:::",
            "fe80::1%eth0",
            "192.0.2.1:80",
            "http://192.0.2.1/",
            "192.0.2.1/",
            "192.0.2.1,",
            "Please wait 30 minutes",
            "192.0.2.*",
            "x",
            "[2001:db8::1]",
            "abcd:x",
        ] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn what_is_no_list_shows_itself() {
        for line in [
            "!192.0.2.1",
            "<<<<<<< HEAD",
            "=======",
            "[web]",
            "<ip>",
            "acl bad {",
            "};",
            "key = 192.0.2.1",
            "Members:",
            "allow: 192.0.2.1",
            "ip4:192.0.2.1",
            "- 192.0.2.1",
            "* 192.0.2.1",
            "delete 192.0.2.1",
            "192.0.2.1 OK",
            "192.0.2.1 192.0.2.2",
            "deny from 192.0.2.1;",
            "Connect:192.0.2.1 RELAY",
            "> 192.0.2.1",
        ] {
            assert!(of(line.as_bytes()).is_some(), "{line}");
        }
    }
}
