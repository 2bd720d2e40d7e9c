//! Access lists in the settings of the `PowerDNS` Recursor: `allow-from=`, who may
//! ask. Source: <https://doc.powerdns.com/recursor/settings.html>.
//!
//! * `allow-from` names exceptions, with commas or blanks between them; `+=` adds
//!   some. What has `!` before it is not let in, as nobody is whom the list does
//!   not name, and is ignored. The recursor has no list of whom it blocks.
//! * All other settings are ignored. `include-dir` and `allow-from-file` are in
//!   doubt: what those files say is not here.

use std::ops::ControlFlow;

use super::super::addresses::network;
use super::super::detect::{Head, Likeness};
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
    lines::each(bytes, limits, b"#", visit, |line, said, visit| match setting(said) {
        Some((b"allow-from", value)) => asked(line, value, visit),
        Some((name, value)) => {
            let elsewhere = matches!(name, b"include-dir" | b"allow-from-file");
            if elsewhere && !value.is_empty() {
                visit.doubt(line, Why::Elsewhere("`include-dir` or `allow-from-file`"));
            }
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        None => visit.read(line, Err(RejectReason::Foreign)),
    })
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

fn asked(line: Line<'_>, value: &[u8], visit: &mut impl Visit) -> ControlFlow<()> {
    let apart = |byte: &u8| byte.is_ascii_whitespace() || b",;".contains(byte);
    let mut named = false;
    for word in value.split(apart).filter(|word| !word.is_empty() && word[0] != b'!') {
        named = true;
        match network(word) {
            Ok(entry) => visit.exception(line, entry)?,
            Err(reason) => visit.reject(line, reason),
        }
    }
    if !named {
        visit.ignore(line);
    }
    ControlFlow::Continue(())
}
