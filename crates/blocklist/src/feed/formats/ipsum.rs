//! ipsum: addresses with the number of lists that each is on, a tab between
//! them, `203.0.113.5<TAB>7`. `#` begins a line of comment. Source:
//! <https://github.com/stamparm/ipsum>.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{Entry, RejectReason, parse_entry};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let counts = says_counts(&Head::of(bytes));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let read = entry(said);
        let number = said.split(u8::is_ascii_whitespace).next_back().unwrap_or_default();
        if number.iter().all(|&byte| byte == b'0') {
            let value = String::from_utf8_lossy(number).into_owned();
            let example = "2 > 0".to_owned();
            visit.doubt(line, Why::Verdict { field: "column 2".to_owned(), value, example });
        } else if !counts {
            let row = super::table::row(said.split(u8::is_ascii_whitespace));
            let what = "the number in the second column may be a count or the length of a prefix";
            visit.doubt(line, Why::Columns { what, row });
        }
        visit.read(line, read)
    })
}

/// Sure if there is a number behind most entries.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| entry(line).is_ok())
}

/// Whether the comments at the top say that there are counts, or some number is
/// too large for the length of a prefix.
fn says_counts(head: &Head<'_>) -> bool {
    let comments = head.lines().take_while(|line| line.starts_with(b"#"));
    let said = comments.into_iter().any(|line| {
        let line = line.to_ascii_lowercase();
        [&b"ipsum"[..], b"number", b"count", b"hits", b"reports"]
            .iter()
            .any(|word| memchr::memmem::find(&line, word).is_some())
    });
    let number = |line: &[u8]| {
        let last = line.split(u8::is_ascii_whitespace).next_back()?;
        str::from_utf8(last).ok()?.parse::<u64>().ok()
    };
    said || head.lines().filter_map(number).any(|number| number > 128)
}

fn entry(line: &[u8]) -> Result<Entry, RejectReason> {
    let blank = memchr::memchr2(b'\t', b' ', line).ok_or(RejectReason::MissingField)?;
    let (entry, count) = (&line[..blank], line[blank..].trim_ascii_start());
    let entry = parse_entry(entry)?;
    if count.iter().all(u8::is_ascii_digit) { Ok(entry) } else { Err(RejectReason::Trailing) }
}
