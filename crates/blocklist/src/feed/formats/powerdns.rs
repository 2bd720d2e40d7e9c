//! Access lists in the settings of the `PowerDNS` Recursor: `allow-from=`, who may
//! ask. Source: <https://doc.powerdns.com/recursor/settings.html>.
//!
//! * `allow-from` names exceptions, with commas or blanks between them; `+=` adds
//!   some, `=` begins anew. What has `!` before it is not let in; the most specific
//!   network counts, and of the same one the latter (`NetmaskGroup` in
//!   `pdns/iputils.hh`). The recursor has no list of whom it blocks.
//! * All other settings are ignored. `include-dir` and `allow-from-file` are in
//!   doubt: what those files say is not here.

use std::ops::ControlFlow;

use super::super::addresses::network;
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::RejectReason;

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut members = MostSpecific::latter();
    let mut shape =
        lines::each(bytes, limits, b"#", visit, |line, said, visit| match setting(said) {
            Some((b"allow-from", value)) => {
                if !adds(said) {
                    members = MostSpecific::latter();
                }
                asked(line, value, &mut members, visit);
                ControlFlow::Continue(())
            }
            Some((name, value)) => {
                let elsewhere = matches!(name, b"include-dir" | b"allow-from-file");
                if elsewhere && !value.is_empty() {
                    visit.doubt(line, Why::Elsewhere("`include-dir` or `allow-from-file`"));
                }
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            None => visit.read(line, Err(RejectReason::Foreign)),
        });
    shape.over_entries_max |= members.finish(visit).is_break();
    shape
}

/// Sure if all lines are settings, and one says who may ask.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let allows = |line: &[u8]| matches!(setting(line), Some((b"allow-from", _)));
    if head.lines().any(allows) {
        head.most(b"#", |line| setting(line).is_some())
    } else {
        Likeness::None
    }
}

fn setting(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = &line[..memchr::memchr(b'#', line).unwrap_or(line.len())];
    let at = memchr::memchr(b'=', line)?;
    let name = line[..at].strip_suffix(b"+").unwrap_or(&line[..at]).trim_ascii();
    let known = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let fits = name.first().is_some_and(u8::is_ascii_lowercase) && name.iter().all(known);
    fits.then(|| (name, text::trim(&line[at + 1..])))
}

/// Whether a setting adds to what was said before.
fn adds(line: &[u8]) -> bool {
    let at = memchr::memchr(b'=', line);
    at.is_some_and(|at| line[..at].ends_with(b"+"))
}

fn asked<'a>(line: Line<'a>, value: &[u8], members: &mut MostSpecific<'a>, visit: &mut impl Visit) {
    let apart = |byte: &u8| byte.is_ascii_whitespace() || b",;".contains(byte);
    let mut lets_in = false;
    for word in value.split(apart).filter(|word| !word.is_empty()) {
        let kept_out = word.strip_prefix(b"!");
        match (network(kept_out.unwrap_or(word)), kept_out) {
            (Ok(entry), None) => {
                lets_in = true;
                members.pass(0, entry.range, line);
            }
            (Ok(entry), Some(_)) => members.block(0, entry.range),
            (Err(reason), _) => visit.reject(line, reason),
        }
    }
    if !lets_in {
        visit.ignore(line);
    }
}
