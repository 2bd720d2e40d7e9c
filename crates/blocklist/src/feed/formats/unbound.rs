//! Access lists of Unbound: `access-control: 192.0.2.0/24 refuse` among the other
//! options of its configuration. Source: unbound.conf(5).
//!
//! * `deny`, `refuse` and `always_deny` are entries, whatever begins with `allow`
//!   is an exception; the most specific network counts. `deny_non_local` and
//!   `refuse_non_local` answer in part, and are ignored; so are all other options.
//! * Networks that mean all addresses are about the rest, and are ignored.
//! * `include` is in doubt: what that file says is not here.

use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::visit::{Line, Visit};
use super::super::words::{unquoted, words};
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::RejectReason;

/// Reads all lines, and tells who is kept out.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut members = MostSpecific::default();
    let mut shape =
        lines::each(bytes, limits, b"#", visit, |line, said, visit| match option(said) {
            Some((b"access-control", value)) => match access(line, value, &mut members, visit) {
                Ok(flow) => flow,
                Err(reason) => visit.read(line, Err(reason)),
            },
            Some((name, _)) => {
                if name.starts_with(b"include") {
                    visit.doubt(line, Why::Elsewhere("`include`"));
                }
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            None => visit.read(line, Err(RejectReason::Foreign)),
        });
    shape.over_entries_max |= members.finish(visit).is_break();
    shape
}

/// Sure if all lines are options, and one controls access.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let controls = |line: &[u8]| matches!(option(line), Some((b"access-control", _)));
    if head.lines().any(controls) {
        head.most(b"#", |line| option(line).is_some())
    } else {
        Likeness::None
    }
}

/// The name and the value of an option, without a comment.
fn option(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end =
        memchr::memchr_iter(b'#', line).find(|&at| at == 0 || line[at - 1].is_ascii_whitespace());
    let line = text::trim(&line[..end.unwrap_or(line.len())]);
    let at = memchr::memchr(b':', line)?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    let known = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    let fits = name.first().is_some_and(u8::is_ascii_lowercase) && name.iter().all(known);
    // `fe80::1` is no option.
    let apart = value.is_empty() || value[0].is_ascii_whitespace();
    (fits && apart).then(|| (name, text::trim(value)))
}

fn access<'a>(
    line: Line<'a>,
    value: &[u8],
    members: &mut MostSpecific<'a>,
    visit: &mut impl Visit,
) -> Result<ControlFlow<()>, RejectReason> {
    let mut parts = words(value).map(unquoted);
    let entry = network(parts.next().ok_or(RejectReason::MissingField)?)?;
    let action = parts.next().ok_or(RejectReason::MissingField)?;
    if parts.next().is_some() {
        return Err(RejectReason::Trailing);
    }
    match action {
        b"deny" | b"refuse" | b"always_deny" if !is_everything(entry) => {
            members.block(0, entry.range);
            return Ok(visit.entry(line, entry));
        }
        b"allow" | b"allow_setrd" | b"allow_snoop" | b"allow_cookie" if !is_everything(entry) => {
            members.pass(0, entry.range, line);
        }
        b"deny" | b"refuse" | b"always_deny" | b"allow" | b"allow_setrd" | b"allow_snoop"
        | b"allow_cookie" | b"deny_non_local" | b"refuse_non_local" => visit.ignore(line),
        _ => return Err(RejectReason::Foreign),
    }
    Ok(ControlFlow::Continue(()))
}
