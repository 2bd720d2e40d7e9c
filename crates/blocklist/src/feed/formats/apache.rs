//! Apache: `Deny from`, `Allow from` and `Order` of 2.2, `Require [not] ip` of
//! 2.4. Source: <https://httpd.apache.org/docs/2.4/mod/mod_access_compat.html>
//! and <https://httpd.apache.org/docs/2.4/mod/mod_authz_core.html>.
//!
//! * `Deny from` and `Require not ip` block, and so does `Require ip` in
//!   `<RequireNone>`. `Allow from` is an exception, but not with `Order
//!   Allow,Deny`, where to deny counts more, and wherever in the file that is;
//!   with `Order Deny,Allow` itself `Allow from all` makes all of `Deny` void, and
//!   with no `Order` it is a word without an address. `Require ip`
//!   is one unless it stands in `<RequireAll>` or `<RequireNone>`, where it lets
//!   nobody in alone; `Require all granted` beside these makes them void.
//! * Many addresses a line; also the beginning of one, `192.0.2` or `192.0.2.`.
//!   The last line of a file needs its end for the former, and one number alone
//!   needs its dot.
//! * What stands in `<Location>`, `<Files>`, `<Directory>`, `<Limit>`, `<If>` and
//!   `<VirtualHost>` is about a part of the host, and ignored; but not what is in
//!   `<Location />` or `<Directory />`.
//! * `all`, `env=…` and host names are ignored, and all other directives.

mod access;

use std::ops::ControlFlow;

use self::access::{Access, AccessLine, Effect};
use super::super::addresses::{beginning, is_everything, is_host_name, network};
use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::words::{unquoted, words};
use super::super::{Limits, Options, Shape, lines};
use crate::{Entry, RejectReason};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut access = Access::of(lines::all(bytes));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let ended = line.text().as_ptr_range().end < bytes.as_ptr_range().end;
        match access.line(said) {
            AccessLine::Nothing => visit.ignore(line),
            AccessLine::Narrower => visit.narrower(line),
            AccessLine::Foreign => visit.reject(line, RejectReason::Foreign),
            AccessLine::Addresses(effect, text) => {
                return addresses(line, text, effect, ended, visit);
            }
        }
        ControlFlow::Continue(())
    })
}

/// Sure if most lines are directives that blocklists have.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", access::is_usual)
}

fn addresses(
    line: Line<'_>,
    text: &[u8],
    effect: Effect,
    ended: bool,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    for word in words(text) {
        match (address(unquoted(word), ended), effect) {
            (Ok(Some(entry)), Effect::Blocks) => visit.entry(line, entry)?,
            (Ok(Some(entry)), Effect::Allows) => visit.exception(line, entry)?,
            (Ok(_), _) => visit.ignore(line),
            (Err(reason), _) => visit.reject(line, reason),
        }
    }
    ControlFlow::Continue(())
}

/// What a word names, if not all addresses or something without any.
fn address(word: &[u8], ended: bool) -> Result<Option<Entry>, RejectReason> {
    if word.eq_ignore_ascii_case(b"all") || word.starts_with(b"env=") || is_host_name(word) {
        return Ok(None);
    }
    let dots = memchr::memchr_iter(b'.', word).count();
    let begun = match (dots, word.ends_with(b".")) {
        (1..=3, true) => beginning(word),
        (1 | 2, false) if ended => beginning(&[word, b"."].concat()),
        _ => None,
    };
    let entry = begun.map_or_else(|| network(word), Ok)?;
    Ok(Some(entry).filter(|&entry| !is_everything(entry)))
}
