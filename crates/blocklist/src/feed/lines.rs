//! Lines: where they end, how long they may be, which say nothing. Shared by
//! the formats that consist of lines; what a line means it does not know.
//!
//! * LF, CRLF and CR each end a line. A UTF-8 byte order mark at the beginning
//!   is skipped. Text in UTF-16 was made UTF-8 before, if all of it is.
//! * Blanks around the text of a line, Unicode ones too, do not count.

use std::ops::ControlFlow;

use super::visit::{Line, Visit};
use super::{Limits, Shape, text};
use crate::RejectReason;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The text behind the byte order mark.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes)
}

/// The text behind the byte order mark and what can be said of it as a whole,
/// or else, of a text that cannot be read, all that can be said.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    visit: &mut impl Visit,
) -> Result<(&'a [u8], Shape), Shape> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        visit.reject(Line::At { number: 1, text: bytes }, RejectReason::Utf16);
        return Err(Shape { lines: 1, utf16: true, ..Shape::default() });
    }
    let bytes = without_mark(bytes);
    let shape = Shape {
        markup: text::trim(bytes).starts_with(b"<"),
        binary: memchr::memchr(0, bytes).is_some(),
        unfinished_line: bytes.last().is_some_and(|last| !b"\r\n".contains(last)),
        ..Shape::default()
    };
    Ok((bytes, shape))
}

/// The first line without its end, and how many bytes it has with it.
pub(super) fn first(bytes: &[u8]) -> (&[u8], usize) {
    let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else { return (bytes, bytes.len()) };
    let end_bytes = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
    (&bytes[..end], end + end_bytes)
}

/// All lines without their ends, of a text that is looked at before it is read.
pub(super) fn all(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = without_mark(bytes);
    std::iter::from_fn(move || {
        let (line, taken) = first(rest);
        rest = &rest[taken..];
        (taken > 0).then_some(line)
    })
}

/// Tells what every line means, until somebody breaks.
///
/// `meaning` gets the line and its text without blanks around it. It is not
/// asked about blank lines, lines that begin with one of `comments`, and lines
/// that are too long.
pub(super) fn each<'a, V: Visit>(
    bytes: &'a [u8],
    limits: &Limits,
    comments: &[u8],
    visit: &mut V,
    mut meaning: impl FnMut(Line<'a>, &'a [u8], &mut V) -> ControlFlow<()>,
) -> Shape {
    let (mut rest, mut shape) = match open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    while !rest.is_empty() {
        let (text, taken) = first(rest);
        rest = &rest[taken..];
        shape.lines += 1;
        let line = Line::At { number: shape.lines, text };
        let Some(said) = said(line, limits, visit, &mut shape) else { continue };
        if said.first().is_some_and(|first| comments.contains(first)) {
            shape.blank += 1;
        } else if meaning(line, said, visit).is_break() {
            shape.over_entries_max = true;
            break;
        }
    }
    shape
}

/// The text of a line that is neither blank nor too long.
pub(super) fn said<'a>(
    line: Line<'a>,
    limits: &Limits,
    visit: &mut impl Visit,
    shape: &mut Shape,
) -> Option<&'a [u8]> {
    let text = line.text();
    if text.len() > limits.line_bytes_max {
        visit.reject(line, RejectReason::LineLength { max: limits.line_bytes_max });
        return None;
    }
    let said = text::trim(text);
    if said.is_empty() {
        shape.blank += 1;
        return None;
    }
    Some(said)
}
