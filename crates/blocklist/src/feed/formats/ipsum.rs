//! ipsum: addresses with the number of lists that each is on, a tab between
//! them, `203.0.113.5<TAB>7`. `#` begins a line of comment. Source:
//! <https://github.com/stamparm/ipsum>.

use std::ops::ControlFlow;

use super::super::asked::Where;
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{Entry, RejectReason, parse_entry};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let counts = says_counts(&Head::of(bytes));
    let names = ["ip", "count"];
    let rows = Where::new(options, |name| names.iter().position(|known| *known == name));
    let decided = options.say_which_rows();
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let (read, number) = entry(said).map_or_else(
            |reason| {
                (Err(reason), said.split(u8::is_ascii_whitespace).next_back().unwrap_or_default())
            },
            |(entry, count)| (Ok(entry), count),
        );
        if rows.leave_out(line, |at| said_columns(said).nth(at), visit) {
            return ControlFlow::Continue(());
        }
        if decided {
            // Which counts count is said.
        } else if number.iter().all(|&byte| byte == b'0') {
            let value = String::from_utf8_lossy(number).into_owned();
            let example = "2 > 0".to_owned();
            visit.doubt(line, Why::Verdict { field: "column 2".to_owned(), value, example });
        } else if !counts {
            let row = super::table::row(said.split(u8::is_ascii_whitespace));
            let what = "the number in the second column may be a count or the length of a prefix";
            visit.doubt(line, Why::Columns { what, row });
        }
        // One line is one entry, and nothing else.
        match read.map(|entry| (entry.range.as_prefix(), entry)) {
            Ok((Some(prefix), entry)) => visit.prefix(line, prefix, entry.masked),
            Ok((None, entry)) => visit.entry(line, entry),
            Err(reason) => visit.read(line, Err(reason)),
        }
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

fn said_columns(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// What is listed, and the count behind it.
fn entry(line: &[u8]) -> Result<(Entry, &[u8]), RejectReason> {
    let blank = memchr::memchr2(b'\t', b' ', line).ok_or(RejectReason::MissingField)?;
    let (entry, count) = (&line[..blank], line[blank..].trim_ascii_start());
    let entry = parse_entry(entry)?;
    if count.iter().all(u8::is_ascii_digit) {
        Ok((entry, count))
    } else {
        Err(RejectReason::Trailing)
    }
}
