//! The CSV files of abuse.ch's Feodo Tracker: quoted rows under a banner of
//! comments and a header, with a promise as the last line. Source:
//! <https://feodotracker.abuse.ch/blocklist/>.
//!
//! * `"2026-01-01 00:00:00","192.0.2.8","443","offline","2026-01-02","Example"`.
//!   The address is in the column `dst_ip`, the second one if there is no
//!   header.
//! * `# END 28 entries` is the promise; all other lines with `#` are comments.

use std::ops::ControlFlow;

use super::super::asked::{self, Where};
use super::super::csv::Splitter;
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, text};
use crate::{AnyPrefix, Entry, RejectReason, parse_address};

const HEADER: &[u8] = b"dst_ip";
/// How many bytes from the end on the promise may begin.
const TRAILER_BYTES_MAX: usize = 1024;

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let head = Head::of(bytes);
    let rows = Where::new(options, |name| super::table::named(&head, b',', name));
    let (mut column, mut left_out) = (1, 0_u64);
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let header = fields.iter().position(|field| field == HEADER);
        column = header.unwrap_or(column);
        if header.is_none() && rows.leave_out(line, |at| fields.get(at), visit) {
            left_out += 1;
            return ControlFlow::Continue(());
        }
        visit.read_unless(header.is_some(), line, || {
            let address = fields.get(column).filter(|field| !field.is_empty());
            let address = parse_address(address.ok_or(RejectReason::MissingField)?)?;
            Ok(Entry { range: AnyPrefix::host(address).into(), masked: false })
        })
    });
    let tail = &bytes[bytes.len().saturating_sub(TRAILER_BYTES_MAX)..];
    if let Some(entries) = lines::all(tail).filter_map(promise).last() {
        asked::promise(entries, left_out, visit);
    }
    shape
}

/// Sure if most rows are those of the tracker, or the banner says so: at times
/// there is not one row.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let banner =
        |line: &[u8]| line.starts_with(b"# abuse.ch Feodo Tracker") && line.ends_with(b"#");
    let header = |line: &[u8]| line.starts_with(b"\"first_seen_utc\",\"dst_ip\",");
    if head.lines().any(header) {
        return Likeness::Sure;
    }
    if !head.lines().any(banner) {
        return Likeness::None;
    }
    let rows = |line: &[u8]| line.starts_with(b"\"");
    head.most(b"#", rows)
}

fn promise(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(text::trim(line)).ok()?;
    line.strip_prefix("# END ")?.strip_suffix(" entries")?.parse().ok()
}
