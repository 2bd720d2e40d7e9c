//! Lines that no list of addresses has: what shows that a file is something
//! else, or several things one behind the other. Knows no format.

use super::verdict::{self, WordVerdict};
use super::words::words;
use crate::{parse_address, parse_entry};

/// What a line that is no entry shows, or nothing if it may be a damaged entry:
/// a bad octet, a truncated address, a name, a sentence.
pub(super) fn of(line: &[u8]) -> Option<&'static str> {
    let first = *line.first()?;
    if [&b"<<<<<<<"[..], b"=======", b">>>>>>>", b"|||||||"].iter().any(|m| line.starts_with(m)) {
        return Some("a merge that was not resolved");
    }
    if line.starts_with(b"==> ") {
        return Some("another file begins, as `head` and `tail` show several");
    }
    if line.starts_with(b"@@ ") || line.starts_with(b"diff --git ") {
        return Some("a difference between two files begins");
    }
    if includes(line) {
        return Some("what another file says is to be taken in");
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
    keyed(line).or_else(|| beside(line)).or_else(|| marked(line)).or_else(|| heading(line))
}

/// A directive that takes in another file: `include FILE`, `@include FILE`,
/// `. FILE`.
fn includes(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(first), Some(file)) = (words.next(), words.next()) else { return false };
    let word = first.strip_prefix(b"@").or(first.strip_prefix(b"$")).or(first.strip_prefix(b"."));
    let word = word.filter(|word| !word.is_empty()).unwrap_or(first);
    let known = ["include", "source", "import", "."];
    let named = file.iter().any(|byte| b"./\"'".contains(byte));
    named && known.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
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

/// An address with marks beside it that none of the forms of an entry has:
/// `^192.0.2.1`, `192.0.2.1|x`. A port, a zone and what ends a word in a
/// sentence are no such marks.
fn marked(line: &[u8]) -> Option<&'static str> {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b".:/-_[]".contains(byte);
    let mut parts = line.split(|byte| !known(byte)).filter(|part| !part.is_empty());
    let zone = line.contains(&b'%') && !line.starts_with(b"%");
    let ends = |byte: &u8| b",;.)'\"`".contains(byte);
    let bare = line.iter().rposition(|byte| !ends(byte)).map_or(line, |last| &line[..=last]);
    // Text that nobody sees, such as the mark of a byte order, damages an entry.
    let seen = |byte: &u8| byte.is_ascii_graphic() && !known(byte) && !ends(byte);
    let beside = parts.clone().nth(1).is_some() || line.iter().any(seen);
    let whole = parts.clone().next() == Some(bare);
    let stands = parts.any(|part| parse_entry(part).is_ok());
    (stands && beside && !zone && !whole).then_some("marks stand beside an address")
}

/// More words than that are a sentence.
const HEADING_WORDS_MAX: usize = 4;

/// Words alone that begin or end a part of a file, or say what becomes of the
/// addresses behind them. A name of a host, which has dots, is none.
fn heading(line: &[u8]) -> Option<&'static str> {
    const BOUNDS: [&str; 5] = ["begin", "end", "eof", "start", "section"];
    if line.contains(&b'.') || line.contains(&b'/') || parse_address(line).is_ok() {
        return None;
    }
    let all = || line.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let bounds = |word: &[u8]| BOUNDS.iter().any(|b| word.eq_ignore_ascii_case(b.as_bytes()));
    let tells = all().any(|word| verdict::plainly(word).is_some() || bounds(word));
    (tells && all().count() <= HEADING_WORDS_MAX).then_some("a heading begins another part")
}

/// Whether a line has a word by which somebody is let in.
pub(super) fn is_welcoming(line: &[u8]) -> bool {
    const BYTES_MAX: usize = 256;
    let line = &line[..line.len().min(BYTES_MAX)];
    let words = line.split(|byte| byte.is_ascii_whitespace() || b",;|:\"'=()".contains(byte));
    words.into_iter().any(|word| verdict::plainly(word) == Some(WordVerdict::Exempts))
}

/// What a comment says of the addresses it stands over or beside, if it is
/// nothing but a verdict: `# allowed`, `#### BEGIN WHITELIST ####`.
pub(super) fn verdict_of_comment(comment: &[u8]) -> Option<WordVerdict> {
    const FILLERS: [&str; 40] = [
        "begin",
        "end",
        "start",
        "of",
        "the",
        "our",
        "my",
        "list",
        "lists",
        "ip",
        "ips",
        "address",
        "addresses",
        "host",
        "hosts",
        "network",
        "networks",
        "range",
        "ranges",
        "section",
        "from",
        "all",
        "for",
        "and",
        "your",
        "partner",
        "partners",
        "customer",
        "customers",
        "office",
        "offices",
        "server",
        "servers",
        "client",
        "clients",
        "staff",
        "company",
        "vpn",
        "monitoring",
        "these",
    ];
    let is = |word: &[u8], known: &&str| word.eq_ignore_ascii_case(known.as_bytes());
    let mut said = None;
    let mut words = comment.split(|byte| !byte.is_ascii_alphanumeric());
    let mut rest = words.by_ref().filter(|word| !word.is_empty());
    if !rest.by_ref().take(HEADING_WORDS_MAX + 1).all(|word| {
        FILLERS.iter().any(|filler| is(word, filler))
            || verdict::plainly(word).is_some_and(|verdict| *said.get_or_insert(verdict) == verdict)
    }) {
        return None;
    }
    said.filter(|_| rest.next().is_none())
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
            "^192.0.2.1",
            "@192.0.2.1",
            "@@||192.0.2.1^",
            "192.0.2.1|allow",
            "192.0.2.1,allow",
            "%192.0.2.1",
            "==> /etc/more.txt <==",
            "@@ -1,2 +1,2 @@",
            "diff --git a/x b/x",
            "include more.txt",
            "@include /etc/more",
            "$INCLUDE more.zone",
            ". ./more.sh",
            "WHITELIST",
            "Allowed hosts",
            "__END_BLOCKLIST__",
        ] {
            assert!(of(line.as_bytes()).is_some(), "{line}");
        }
    }

    #[test]
    fn a_comment_that_is_a_verdict_says_it() {
        let check = |comment: &str, want| {
            assert_eq!(verdict_of_comment(comment.as_bytes()), want, "{comment}");
        };
        check("# whitelist", Some(WordVerdict::Exempts));
        check("#### BEGIN ALLOWED ####", Some(WordVerdict::Exempts));
        check("; Blocked IPs", Some(WordVerdict::Blocks));
        for comment in ["#", "# ips", "# the whitelist was removed", "# allow and deny", "# SBL1"] {
            check(comment, None);
        }
    }
}
