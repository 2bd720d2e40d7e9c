//! The plain format: one entry a line, with comments.
//!
//! * `#` and `;` begin a comment wherever they stand, `//` at the beginning of
//!   a line or after a blank: no entry contains them.
//! * Everything else on a line is one entry in a form of
//!   [`parse_entry`], or the line is rejected. A first line that is the name of a
//!   column of addresses is a header.
//! * Lists of another manner have it throughout: several entries a line, or a
//!   note such as `NAME (Example Org)` behind every prefix.

mod manner;
mod remarks;

use std::ops::ControlFlow;

use self::manner::LineManner;
use self::remarks::Remarks;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, bare, lines, prompt, structure, text, verdict};
use super::table::{is_address_column, is_headed_by_semicolons};
use crate::{RejectReason, parse_entry};

/// Sure from the first half of all lines on: what is mostly a plain list is
/// never taken for something else.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if manner::is_several(head) {
        return Likeness::Sure;
    }
    if is_headed_by_semicolons(head) {
        return Likeness::None;
    }
    let entries = |line: &&[u8]| parse_entry(text::trim(without_comment(line))).is_ok();
    let says_something = |line: &&[u8]| !text::trim(without_comment(line)).is_empty();
    let all = head.lines().filter(says_something).count();
    if head.lines().filter(entries).count() * 2 >= all.max(1) {
        Likeness::Sure
    } else {
        Likeness::None
    }
}

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    match Reader::open(bytes, limits, visit) {
        Ok((mut reader, lines)) => {
            reader.read(lines, 0, visit);
            reader.finish(visit)
        }
        Err(shape) => shape,
    }
}

/// The same of a text that nobody needs any more: what was read of it is given
/// back when that is about half of it.
pub(in super::super) fn consume(
    mut bytes: Vec<u8>,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (mut reader, lines) = match Reader::open(&bytes, limits, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let left = reader.read(lines, lines.len() / 2, visit).len();
    bytes.drain(..bytes.len() - left);
    bytes.shrink_to_fit();
    reader.read(&bytes, 0, visit);
    reader.finish(visit)
}

const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());

/// Reads lines of the short kind for as long as they come and there are more bytes
/// than are to be left.
#[inline(never)]
fn bare_lines(
    rest: &mut &[u8],
    leave: usize,
    shape: &mut Shape,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let (mut left, mut number) = (*rest, shape.lines);
    let flow = loop {
        if left.len() <= leave {
            break CONTINUE;
        }
        let line = |bytes: usize| Line::At { number: number + 1, text: &left[..bytes] };
        let (flow, taken) = if let Some(bare) = bare::ipv4(left) {
            (visit.prefix(line(bare.bytes), bare.prefix.into(), bare.masked), bare.bytes)
        } else if let Some(bare) = bare::ipv6(left) {
            (visit.prefix(line(bare.bytes), bare.prefix.into(), bare.masked), bare.bytes)
        } else {
            break CONTINUE;
        };
        number += 1;
        left = &left[taken..];
        if flow.is_break() {
            break flow;
        }
    };
    (*rest, shape.lines) = (left, number);
    flow
}

/// Reads lines of any kind.
struct Reader<'l> {
    limits: &'l Limits,
    manner: LineManner,
    remarks: Remarks,
    /// What can be said of the lines so far.
    shape: Shape,
}

impl<'l> Reader<'l> {
    /// A reader for the lines of this text, or else all that can be said of it.
    fn open<'a>(
        bytes: &'a [u8],
        limits: &'l Limits,
        visit: &mut impl Visit,
    ) -> Result<(Self, &'a [u8]), Shape> {
        let (lines, shape) = lines::open(bytes, visit)?;
        let manner = LineManner::of(&Head::of(bytes));
        Ok((Self { limits, manner, remarks: Remarks::default(), shape }, lines))
    }

    /// Reads these lines, which come next, unless the visitor has broken, and gives
    /// those that are left: so many bytes, or fewer by a part of a line.
    fn read<'a>(&mut self, mut rest: &'a [u8], leave: usize, visit: &mut impl Visit) -> &'a [u8] {
        let short_way = self.limits.line_bytes_max >= bare::WINDOW;
        while rest.len() > leave && !self.shape.over_entries_max {
            let shape = &mut self.shape;
            let flow =
                if short_way { bare_lines(&mut rest, leave, shape, visit) } else { CONTINUE };
            let flow = match flow {
                ControlFlow::Continue(()) if rest.len() > leave => {
                    let (text, taken) = lines::first(rest);
                    rest = &rest[taken..];
                    self.shape.lines += 1;
                    self.long_way(Line::At { number: self.shape.lines, text }, visit)
                }
                flow => flow,
            };
            self.shape.over_entries_max = flow.is_break();
        }
        rest
    }

    fn finish(self, visit: &mut impl Visit) -> Shape {
        self.remarks.finish(&self.shape, visit);
        self.shape
    }

    /// Reads one line. By far the most never come here: what is needed for it
    /// must not be in the way of the others.
    #[cold]
    #[inline(never)]
    fn long_way(&mut self, line: Line<'_>, visit: &mut impl Visit) -> ControlFlow<()> {
        let shape = &mut self.shape;
        let Some(said) = lines::said(line, self.limits, visit, shape) else {
            return ControlFlow::Continue(());
        };
        let entry = text::trim(without_comment(said));
        if entry.is_empty() {
            self.remarks.heading(line, said, shape, visit);
            shape.blank += 1;
            return ControlFlow::Continue(());
        }
        let behind = &said[entry.len()..];
        let several = || entry_words(said).all(|word| parse_entry(word).is_ok());
        if self.manner == LineManner::Several && several() {
            return entry_words(said).try_for_each(|word| visit.read(line, parse_entry(word)));
        }
        match parse_entry(entry) {
            Ok(read) => {
                if let Some(why) = fields(said, behind) {
                    visit.doubt(line, why);
                }
                if !behind.is_empty() {
                    self.remarks.beside(line, behind, shape, visit);
                }
                visit.entry(line, read)
            }
            Err(reason) => {
                if self.manner == LineManner::Noted
                    && let Some(entry) = manner::entry_of_noted(entry)
                {
                    return visit.read(line, parse_entry(entry));
                }
                // `host` is a name as well.
                let names = is_address_column(entry) && !entry.eq_ignore_ascii_case(b"host");
                if shape.lines - 1 == shape.blank && names {
                    visit.ignore(line);
                    return ControlFlow::Continue(());
                }
                if let Some(why) = verdict_before(entry) {
                    visit.doubt(line, why);
                } else if let Some(what) = prompt::of(said).or_else(|| structure::of(entry)) {
                    visit.doubt(line, Why::Structure(what));
                }
                visit.read(line, Err(blame(entry, reason)))
            }
        }
    }
}

/// The words of a line of several, without a comment behind them.
fn entry_words(said: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = memchr::memchr(b'#', said).unwrap_or(said.len());
    manner::parts(&said[..end])
}

/// Why what stands behind an entry may be something else than a comment: fields
/// between semicolons, unless a blank before the first of them tells a comment.
fn fields(line: &[u8], behind: &[u8]) -> Option<Why> {
    let behind = behind.strip_prefix(b";").filter(|behind| !text::trim(behind).is_empty())?;
    let said = behind.split(|&byte| byte == b';').map(text::trim);
    let mut verdicts = (2..).zip(said).filter(|(_, field)| verdict::plainly(field).is_some());
    if let Some((column, word)) = verdicts.next() {
        let (field, value) = (format!("column {column}"), text::printable(word, 40));
        let example = format!("{column} = {value}");
        return Some(Why::Verdict { field, value, example });
    }
    let row = super::table::row(line.split(|&byte| byte == b';').map(text::trim));
    Some(Why::Columns { what: "fields stand between semicolons", row })
}

/// A verdict before an address: `block 192.0.2.1`.
fn verdict_before(line: &[u8]) -> Option<Why> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (word, entry) = (words.next()?, words.next()?);
    verdict::plainly(word).filter(|_| parse_entry(entry).is_ok())?;
    let (field, value) = ("column 1".to_owned(), text::printable(word, 40));
    let example = format!("1 = {value}");
    Some(Why::Verdict { field, value, example })
}

/// The line up to its comment.
fn without_comment(line: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'#', b';', line).unwrap_or(line.len());
    let slashes = memchr::memchr_iter(b'/', &line[..end]).find(|&at| {
        let begins = at == 0 || line[at - 1].is_ascii_whitespace();
        begins && line[at + 1..].starts_with(b"/")
    });
    &line[..slashes.unwrap_or(end)]
}

/// If the first word alone would have been an entry, it is the rest that is
/// wrong; unless that is the end of a range, which may have blanks before it.
fn blame(text: &[u8], reason: RejectReason) -> RejectReason {
    match text.iter().position(u8::is_ascii_whitespace) {
        _ if matches!(reason, RejectReason::Reversed | RejectReason::Families) => reason,
        Some(end) if parse_entry(&text[..end]).is_ok() => RejectReason::Trailing,
        _ => reason,
    }
}
