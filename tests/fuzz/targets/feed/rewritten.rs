//! The same text with another kind of line ends or a byte order mark means the
//! same, and what was read can be written as a plain list and read back.

use std::fmt::Write as _;

use blocklist::{AnyPrefix, Feed, Format, FormatChoice, Limits, Prefix, Prefixes, parse};

use crate::numbers::is_wide;
use crate::{Case, all_prefixes};

const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

pub(crate) fn check(case: &Case, feed: &Feed, limits: &Limits) {
    if MARKS.iter().all(|mark| !case.bytes.starts_with(mark)) {
        let marked = [MARKS[0], case.bytes].concat();
        assert_eq!(&case.with(&marked).read(limits), feed, "a mark says nothing");
    }
    if !case.bytes.contains(&b'\r') && !is_wide(case.bytes) {
        for end in ["\r\n", "\r"] {
            check_ends(case, feed, limits, end);
        }
    }
    check_plain(&all_prefixes(feed));
}

/// LF, CRLF and CR mean the same. Only texts that go over several lines show
/// which it is.
fn check_ends(case: &Case, feed: &Feed, limits: &Limits, end: &str) {
    let lines: Vec<&[u8]> = case.bytes.split(|&byte| byte == b'\n').collect();
    let other = case.with(&lines.join(end.as_bytes())).read(limits);
    assert_eq!(other.tally, feed.tally, "{end:?}");
    assert_eq!(other.shape, feed.shape, "{end:?}");
    assert_eq!(other.prefixes, feed.prefixes, "{end:?}");
    assert_eq!((&other.expiring, &other.ends), (&feed.expiring, &feed.ends), "{end:?}");
}

/// Everything but the prefixes within `::ffff:0:0/96`, that an IPv6 range
/// around all of it consists of: they would come back as IPv4.
fn check_plain(prefixes: &Prefixes) {
    let mapped = Prefix::containing(0xffff_u128 << 32, 96);
    let is_mapped = |prefix| matches!(prefix, AnyPrefix::V6(prefix) if mapped.covers(prefix));
    let prefixes: Prefixes = prefixes.iter().filter(|&prefix| !is_mapped(prefix)).collect();
    let mut text = String::new();
    for prefix in prefixes.iter() {
        writeln!(text, "{prefix}").expect("a string takes any text");
    }
    for format in [FormatChoice::Fixed(Format::Plain), FormatChoice::Auto] {
        let back = parse(text.as_bytes(), format, &Limits::default());
        assert_eq!(back.prefixes, prefixes, "{text}");
        assert_eq!((back.tally.entries, back.tally.rejected), (prefixes.len() as u64, 0), "{text}");
        assert_eq!((back.tally.duplicates, back.tally.masked), (0, 0), "{text}");
    }
}
