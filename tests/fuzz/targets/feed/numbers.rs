//! The numbers of a feed agree with one another, with its rejects and with the
//! bytes, and what it keeps is in the form that it promises.

use blocklist::{Address, Feed, Limits, Prefix, PrefixSet, Prefixes};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// What must be so within any limits.
pub(crate) fn check(feed: &Feed, limits: &Limits) {
    let tally = &feed.tally;
    assert_eq!(tally.entries, tally.ipv4 + tally.ipv6);
    assert!(tally.duplicates <= tally.entries.saturating_sub(1), "one is the first: {tally:?}");
    assert!(tally.masked <= tally.entries && tally.expiring <= tally.entries, "{tally:?}");
    let kept = tally.rejected.min(limits.rejects_kept as u64);
    assert_eq!(feed.rejects.len() as u64, kept, "rejects kept");
    assert!(feed.shape.blank <= feed.shape.lines, "{:?}", feed.shape);
    assert!(feed.rejects.is_sorted_by_key(|reject| reject.line), "{:?}", feed.rejects);
    for reject in &feed.rejects {
        // Of a wrong `path` even a feed without a line is one.
        assert!((1..=feed.shape.lines.max(1)).contains(&reject.line), "{reject:?}");
        check_text(&reject.text, limits);
    }
    if tally.exceptions == 0 {
        assert_eq!(feed.prefixes.is_empty(), tally.entries == tally.expiring);
        let none_ends = feed.expiring.is_empty() && feed.ends.is_empty();
        assert_eq!(none_ends, tally.expiring == 0);
    }
    check_prefixes(&feed.prefixes);
    // Whether a moment is over depends on the clock.
    assert!(feed.expiring.keys().all(|&seconds| seconds > 0), "what is over is no entry");
    for prefixes in feed.ending() {
        assert!(!prefixes.is_empty(), "nothing has no end");
        check_prefixes(prefixes);
    }
}

/// What the bytes say without being understood.
pub(crate) fn check_shape(feed: &Feed, bytes: &[u8]) {
    let shape = &feed.shape;
    assert!(!shape.over_entries_max, "an input is too small for that");
    if shape.utf16 {
        assert_eq!((shape.lines, feed.tally.rejected, feed.tally.entries), (1, 1, 0));
        return;
    }
    if is_wide(bytes) {
        // It was read, so what counts is the text that these bytes stand for.
        return;
    }
    let text = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    assert_eq!(shape.lines, lines(text), "{:?}", text.escape_ascii().to_string());
    assert_eq!(shape.binary, text.contains(&0));
    // A document has its end elsewhere.
    let open = text.last().is_some_and(|last| !b"\r\n".contains(last));
    assert!(open || !shape.unfinished_line);
    assert!(shape.unfinished_line || !shape.torn_line);
}

/// Whether a text says that it is in UTF-16: then its bytes are no characters.
pub(crate) fn is_wide(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// How many lines there are, counted in another way than by the readers.
fn lines(text: &[u8]) -> u64 {
    let ends = text.iter().zip(text.iter().skip(1).chain([&0]));
    let ended = ends.filter(|&(&byte, &next)| byte == b'\n' || byte == b'\r' && next != b'\n');
    let open = text.last().is_some_and(|last| !b"\r\n".contains(last));
    ended.count() as u64 + u64::from(open)
}

/// A text for terminals: of one byte at most six become visible.
pub(crate) fn check_text(text: &str, limits: &Limits) {
    let harmless = |c: char| matches!(c, ' '..='~' | '…') || c.is_alphanumeric();
    assert!(text.chars().all(harmless), "{text:?}");
    assert!(text.len() <= limits.text_bytes_max * 6 + '…'.len_utf8(), "{text:?}");
}

fn check_prefixes(prefixes: &Prefixes) {
    check_set(&prefixes.ipv4);
    check_set(&prefixes.ipv6);
}

fn check_set<A: Address>(set: &PrefixSet<A>) {
    assert!(set.iter().is_sorted_by(|one, next| one < next), "each once, in order: {set:?}");
    for prefix in set.iter() {
        assert_eq!(Prefix::new(prefix.first(), prefix.length()), Some(prefix), "canonical");
        assert_eq!(set.position(prefix).map(|at| set.at(at)), Ok(prefix));
    }
}
