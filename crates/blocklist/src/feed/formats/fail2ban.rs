//! What fail2ban says is banned, in three ways. Source: fail2ban-client(1), and
//! `server/actions.py` of fail2ban for the log.
//!
//! * `fail2ban-client banned`: lists in Python's notation, by jail:
//!   `[{'sshd': ['192.0.2.1']}, {'x': []}]`.
//! * `fail2ban-client status JAIL`: `Banned IP list:` and addresses; `Currently
//!   banned:` is the promise. Other lines of it are ignored.
//! * The log: `[JAIL] Ban ADDRESS`, also `Restore Ban` and `Increase Ban`, and
//!   `Unban`. The last word on an address in a jail counts. Other lines of it
//!   are ignored.

mod log;

use std::ops::ControlFlow;

use self::log::BanLog;
use super::super::detect::{Head, Likeness};
use super::super::tokens::{Token, TokenKind, Tokens};
use super::super::visit::{Line, Visit};
use super::super::words::{is_torn, number, unquoted};
use super::super::{Limits, Options, Shape, lines, text};
use crate::{RejectReason, parse_entry};

/// The longest line, in bytes: a status has all addresses of a jail in one.
const LINE_BYTES_MAX: usize = 1 << 20;

const LIST: &[u8] = b"Banned IP list:";
const COUNT: &[u8] = b"Currently banned:";
/// What other lines of a status begin with.
const STATUS: [&[u8]; 4] = [b"|", b"`-", b"Status", b"- "];

/// Reads everything, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let begin = text::trim(lines::without_mark(bytes));
    if begin.starts_with(b"[") && !log::is_line(lines::first(begin).0) {
        return read_python(bytes, visit);
    }
    let mut log = BanLog::default();
    let mut promised = None;
    let limits = Limits { line_bytes_max: limits.line_bytes_max.max(LINE_BYTES_MAX), ..*limits };
    let mut shape = lines::each(bytes, &limits, b"#", visit, |line, said, visit| {
        if let Some(at) = memchr::memmem::find(said, LIST) {
            let words = said[at + LIST.len()..].split(u8::is_ascii_whitespace);
            return words
                .filter(|word| !word.is_empty())
                .try_for_each(|word| visit.read(line, parse_entry(word)));
        }
        if let Some(at) = memchr::memmem::find(said, COUNT) {
            let count = number(said[at + COUNT.len()..].trim_ascii()).unwrap_or(0);
            promised = Some(promised.unwrap_or(0_u64).saturating_add(count));
            visit.ignore(line);
        } else if STATUS.iter().any(|begin| said.starts_with(begin)) {
            visit.ignore(line);
        } else {
            log.line(line, said, visit);
        }
        ControlFlow::Continue(())
    });
    if let Some(promised) = promised {
        visit.promise(promised);
    }
    shape.over_entries_max |= log.finish(visit).is_break();
    shape
}

/// Sure if it begins like Python's notation, has a list of a status, or is
/// mostly a log.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let python = head.lines().next().is_some_and(|line| {
        [&b"[{'"[..], b"['", b"[{}"].iter().any(|begin| line.starts_with(begin))
    });
    let has = |word: &[u8]| head.lines().any(|line| memchr::memmem::find(line, word).is_some());
    if python || has(LIST) { Likeness::Sure } else { head.most(b"#", log::is_line) }
}

/// Strings in lists, of which those before a colon are names of jails.
fn read_python(bytes: &[u8], visit: &mut impl Visit) -> Shape {
    let (text, shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let mut tokens = Tokens::new(text, shape, b"[]{}:,");
    let mut last: Option<Token<'_>> = None;
    let flow = tokens.try_for_each(|token| {
        let before = match token.kind {
            TokenKind::LineEnd => return ControlFlow::Continue(()),
            TokenKind::Word => last.replace(token),
            TokenKind::Mark(b':') => {
                last = None;
                None
            }
            TokenKind::Mark(_) => last.take(),
        };
        let Some(before) = before else { return ControlFlow::Continue(()) };
        let line = Line::At { number: before.line, text: before.text };
        let inner = unquoted(before.text);
        let quoted = inner.len() < before.text.len() && !is_torn(before.text);
        let entry = if quoted && token.kind != TokenKind::Word {
            parse_entry(inner)
        } else {
            Err(RejectReason::Foreign)
        };
        visit.read(line, entry)
    });
    // A word that nothing follows was cut off.
    if let Some(last) = last {
        visit.reject(Line::At { number: last.line, text: last.text }, RejectReason::Foreign);
    }
    Shape { over_entries_max: flow.is_break(), ..tokens.shape() }
}
