//! The plain format: one entry a line. Knows lines, comments and blanks, and
//! hands every line on to whoever asked; what becomes of them it does not know.
//!
//! * LF, CRLF and CR each end a line. A UTF-8 byte order mark at the beginning
//!   is skipped. Blanks around an entry, Unicode ones too, do not count.
//! * `#` and `;` begin a comment wherever they stand: no entry contains them.
//! * Everything else on a line is one entry in a form of
//!   [`parse_entry`](crate::parse_entry), or the line is rejected.

use std::ops::ControlFlow;

use super::{Limits, Shape, bare, text};
use crate::{Entry, Prefix, RejectReason, parse_entry};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A line as it stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// The first is 1.
    pub number: u64,
    /// With or without its end.
    pub text: &'a [u8],
}

/// Whoever wants the lines. To break ends the reading.
pub(super) trait Visit {
    /// An entry of the kind that almost all are of.
    fn prefix(&mut self, line: Line<'_>, prefix: Prefix<u32>, masked: bool) -> ControlFlow<()>;
    /// Any other entry.
    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()>;
    /// A line that is none.
    fn reject(&mut self, line: Line<'_>, reason: RejectReason);
}

/// Reads all lines, until the visitor breaks.
pub(super) fn read(bytes: &[u8], limits: &Limits, visit: &mut impl Visit) -> Shape {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        visit.reject(Line { number: 1, text: bytes }, RejectReason::Utf16);
        return Shape { lines: 1, utf16: true, ..Shape::default() };
    }
    let bytes = bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes);
    let mut shape = Shape {
        markup: text::trim(bytes).starts_with(b"<"),
        unfinished_line: bytes.last().is_some_and(|last| !b"\r\n".contains(last)),
        ..Shape::default()
    };
    let short_way = limits.line_bytes_max >= bare::WINDOW;
    let mut rest = bytes;
    while !rest.is_empty() {
        shape.lines += 1;
        let number = shape.lines;
        let (flow, taken) = if let Some(bare) = bare::line(rest).filter(|_| short_way) {
            let line = Line { number, text: &rest[..bare.bytes] };
            (visit.prefix(line, bare.prefix, bare.masked), bare.bytes)
        } else {
            let (text, taken) = first_line(rest);
            (long_way(Line { number, text }, limits, visit, &mut shape), taken)
        };
        if flow.is_break() {
            shape.over_entries_max = true;
            break;
        }
        rest = &rest[taken..];
    }
    shape
}

/// The first line without its end, and how many bytes it has with it.
fn first_line(bytes: &[u8]) -> (&[u8], usize) {
    let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else { return (bytes, bytes.len()) };
    let end_bytes = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
    (&bytes[..end], end + end_bytes)
}

/// Reads one line of any kind.
fn long_way(
    line: Line<'_>,
    limits: &Limits,
    visit: &mut impl Visit,
    shape: &mut Shape,
) -> ControlFlow<()> {
    shape.binary |= memchr::memchr(0, line.text).is_some();
    if line.text.len() > limits.line_bytes_max {
        visit.reject(line, RejectReason::LineLength { max: limits.line_bytes_max });
        return ControlFlow::Continue(());
    }
    let comment = memchr::memchr2(b'#', b';', line.text).unwrap_or(line.text.len());
    let entry = text::trim(&line.text[..comment]);
    if entry.is_empty() {
        shape.blank += 1;
        return ControlFlow::Continue(());
    }
    match parse_entry(entry) {
        Ok(entry) => visit.entry(line, entry),
        Err(reason) => {
            visit.reject(line, blame(entry, reason));
            ControlFlow::Continue(())
        }
    }
}

/// If the first word alone would have been an entry, it is the rest that is
/// wrong.
fn blame(text: &[u8], reason: RejectReason) -> RejectReason {
    match text.iter().position(u8::is_ascii_whitespace) {
        Some(end) if parse_entry(&text[..end]).is_ok() => RejectReason::Trailing,
        _ => reason,
    }
}
