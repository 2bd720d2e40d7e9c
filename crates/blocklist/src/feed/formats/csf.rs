//! csf.deny and csf.allow of `ConfigServer` Security & Firewall, and its other
//! lists of the same form. Source: readme.txt of csf, "Advanced Allow/Deny
//! Filters", and the comments at the top of both files.
//!
//! * One address or prefix a line, `#` begins a comment wherever it stands.
//! * `tcp|in|d=22|s=192.0.2.1` is about a port and a direction, and is ignored.
//! * `Include FILE` is in doubt: what that file says is not here.
//! * The comment at the top of csf.allow says that its addresses are allowed:
//!   below it they are exceptions, and so does the one behind an address that
//!   somebody allowed. Of a file without any such comment and without
//!   an advanced line nobody can tell that it is one of csf: it is a plain list.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::{RejectReason, parse_entry};

/// What stands at the top of csf.allow.
const ALLOWED: &[u8] = b"will be allowed through iptables";
/// What csf writes behind an address that it was told to allow (`csf -a`).
const ALLOWED_BY_HAND: &[u8] = b"anually allowed";
/// What stands at the top of csf.deny.
const DENIED: &[u8] = b"will be blocked in iptables";

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let says = |words| memchr::memmem::find(bytes, words).is_some();
    let allows = (says(ALLOWED) || says(ALLOWED_BY_HAND)) && !says(DENIED);
    if allows {
        visit.rules();
    }
    lines::each(bytes, limits, b"#", visit, |line, said, visit| meaning(line, said, allows, visit))
}

/// Sure if the comment at the top says so, or if a line is an advanced one, and
/// all lines have a meaning.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mark = |line: &[u8]| {
        let says = |words| memchr::memmem::find(line, words).is_some();
        line[0] == b'#' && (says(ALLOWED) || says(DENIED)) || advanced(without_comment(line))
    };
    if head.lines().any(mark) {
        head.most(b"#", |line| {
            let said = without_comment(line);
            parse_entry(said).is_ok() || advanced(said) || included(said)
        })
    } else {
        Likeness::None
    }
}

fn meaning(line: Line<'_>, said: &[u8], allows: bool, visit: &mut impl Visit) -> ControlFlow<()> {
    let said = without_comment(said);
    if included(said) {
        visit.doubt(line, Why::Elsewhere("`Include`"));
    }
    if included(said) || advanced(said) {
        visit.ignore(line);
        return ControlFlow::Continue(());
    }
    match parse_entry(said) {
        Ok(entry) if allows => visit.exception(line, entry),
        Err(RejectReason::NotAnAddress) => visit.read(line, Err(RejectReason::Foreign)),
        entry => visit.read(line, entry),
    }
}

/// `tcp|in|d=22|s=192.0.2.1`: a protocol, directions, ports, and one address.
fn advanced(line: &[u8]) -> bool {
    let mut addresses = 0_usize;
    let mut parts = line.split(|&byte| byte == b'|').enumerate();
    let known = parts.all(|(at, part)| match part {
        b"tcp" | b"udp" | b"icmp" => at == 0,
        b"" | b"in" | b"out" => at > 0,
        [b's' | b'd', b'=' | b':', value @ ..] => {
            addresses += usize::from(parse_entry(value).is_ok());
            !value.is_empty()
        }
        [b'u' | b'g', b'=' | b':', id @ ..] => !id.is_empty(),
        _ => false,
    });
    known && line.contains(&b'|') && addresses <= 1
}

fn included(line: &[u8]) -> bool {
    line.strip_prefix(b"Include")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

fn without_comment(line: &[u8]) -> &[u8] {
    text::trim(&line[..memchr::memchr(b'#', line).unwrap_or(line.len())])
}
