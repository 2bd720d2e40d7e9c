//! Address lists of `RouterOS`, as scripts for `/import` and as `/export` writes
//! them: `add list=NAME address=ADDRESS` below `/ip firewall address-list`.
//! Source: <https://help.mikrotik.com/docs/display/ROS/Address-lists> and
//! <https://help.mikrotik.com/docs/display/ROS/Scripting>.
//!
//! * Where there are rules of `/ip firewall filter` or `raw`, they decide: what
//!   they drop of all that comes to this router is blocked. Without any, the
//!   lists are what is blocked; several of which the names do not say that they
//!   mean the same are in doubt until `select` names those that block, and one
//!   that is named for those who are welcome makes exceptions.
//! * `forward` protects other hosts and not the router: a file that has rules for it
//!   and none for `input` or `raw` is in doubt, as one of iptables is.
//! * Only entries of address lists have both properties, so the menu they stand
//!   below does not matter; `:do { … } on-error={}` may stand around them.
//! * A menu may stand without its slash. What a loop over an array of the script
//!   puts into a list is in it.
//! * `disabled=yes`, host names and `0.0.0.0/0` are ignored. `timeout` is what
//!   remains: `1d02:03:04`, `1w2d`, `24h`; none at all and zero mean for ever.
//! * A line that ends with a backslash goes on in the next one, which is neither
//!   blank nor a comment then, whatever it begins with. All other
//!   commands are ignored, but not those that name an address in another way.

mod arrays;
mod router;
mod rules;

use std::borrow::Cow;

use self::arrays::Arrays;
use self::router::Router;
use super::super::addresses::{is_everything, is_host_name, network};
use super::super::detect::{Head, Likeness};
use super::super::program::Named;
use super::super::visit::{Line, Visit};
use super::super::words::{is_torn, number, unquoted, words};
use super::super::{Limits, Options, Shape, lines, text};
use crate::token::range_entry;
use crate::{Entry, RejectReason, parse_address};

/// The menus of address lists, in the spellings of `RouterOS` 6 and 7.
const MENUS: [&[u8]; 8] = [
    b"/ip firewall address-list",
    b"/ip firewall address-list/",
    b"/ip/firewall/address-list",
    b"/ip/firewall/address-list/",
    b"/ipv6 firewall address-list",
    b"/ipv6 firewall address-list/",
    b"/ipv6/firewall/address-list",
    b"/ipv6/firewall/address-list/",
];
/// How other commands, and what closes a block, begin.
const OTHERS: [&[u8]; 7] = [b":", b"/", b"{", b"}", b"add ", b"set ", b"remove "];

/// Reads all lines, and carries them out.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut router = Router::default();
    let mut shape = commands(bytes, limits, &mut router, visit);
    shape.over_entries_max |= router.finish(options, visit).is_break();
    shape
}

/// Tells the router all commands.
fn commands<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    router: &mut Router<'a>,
    visit: &mut impl Visit,
) -> Shape {
    let (mut rest, mut shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    // A command that goes on, from its first line.
    let mut open: Option<(Line<'_>, Vec<u8>)> = None;
    let mut arrays = Arrays::default();
    while !rest.is_empty() {
        let (text, taken) = lines::first(rest);
        rest = &rest[taken..];
        shape.lines += 1;
        let line = Line::At { number: shape.lines, text };
        // A command goes on in the very next line or not at all.
        if text::trim(text).is_empty() || text.len() > limits.line_bytes_max {
            reject_open(&mut open, visit);
        }
        let Some(said) = lines::said(line, limits, visit, &mut shape) else { continue };
        if open.is_none() && said.starts_with(b"#") {
            shape.blank += 1;
            continue;
        }
        let (line, text) = match open.take() {
            Some((first, text)) => (first, [&text, said].concat()),
            None => (line, said.to_vec()),
        };
        match text.strip_suffix(b"\\") {
            Some(text) if text.len() <= limits.line_bytes_max => open = Some((line, text.to_vec())),
            _ if arrays::is_open(&text) && text.len() < arrays::BYTES_MAX => {
                open = Some((line, [&text[..], b" "].concat()));
            }
            _ => match (arrays.define(&text), arrays.run(&text)) {
                (true, _) => visit.ignore(line),
                (false, None) => tell(line, &text, router, visit),
                (false, Some(all)) => all.iter().for_each(|text| tell(line, text, router, visit)),
            },
        }
    }
    reject_open(&mut open, visit);
    shape
}

/// Rejects a command that should have gone on.
fn reject_open(open: &mut Option<(Line<'_>, Vec<u8>)>, visit: &mut impl Visit) {
    if let Some((line, _)) = open.take() {
        visit.reject(line, RejectReason::Foreign);
    }
}

/// Sure if most lines put something into an address list.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| {
        let array = arrays::is_open(line) || line.starts_with(b":foreach ");
        let line = &with_slash(line)[..];
        MENUS.contains(&line) || array || member(line).is_some() || rules::command(line).is_some()
    })
}

/// An entry, and for how many seconds it is one.
struct Said {
    entry: Entry,
    seconds: Option<u64>,
}

/// A command with the slash that may be missing before its menu.
fn with_slash(text: &[u8]) -> Cow<'_, [u8]> {
    let begins = [&b"ip firewall"[..], b"ip/firewall", b"ipv6 firewall", b"ipv6/firewall"];
    if begins.iter().any(|begin| text.starts_with(begin)) {
        Cow::Owned([b"/", text].concat())
    } else {
        Cow::Borrowed(text)
    }
}

/// Tells the router what a whole command says.
fn tell<'a>(line: Line<'a>, text: &[u8], router: &mut Router<'a>, visit: &mut impl Visit) {
    let text = &with_slash(text)[..];
    match rules::command(text) {
        Some(rules::RouterCommand::Menu(name)) => router.menu = name,
        Some(rules::RouterCommand::Clear(list)) => router.clear(&list),
        Some(rules::RouterCommand::Rule(rule)) => match router.rule(line, &rule) {
            Ok(()) => {}
            Err(reason) => return visit.reject(line, reason),
        },
        None => match command(text) {
            Ok(Some((list, Said { entry, seconds }))) => {
                return router.add(list, Named { line, entry, seconds });
            }
            Ok(None) => {}
            Err(reason) => return visit.reject(line, reason),
        },
    }
    visit.ignore(line);
}

/// What a command puts into a list, if it does.
fn command(text: &[u8]) -> Result<Option<(Vec<u8>, Said)>, RejectReason> {
    let Some(member) = member(text) else {
        let names_address = memchr::memmem::find(text, b"address=").is_some();
        let known = OTHERS.iter().any(|begin| text.starts_with(begin)) || MENUS.contains(&text);
        return if known && !names_address { Ok(None) } else { Err(RejectReason::Foreign) };
    };
    if words(member.text).any(is_torn) {
        return Err(RejectReason::Trailing);
    }
    let address = unquoted(member.address);
    if member.disabled || is_host_name(address) {
        return Ok(None);
    }
    let entry = address_or_range(address)?;
    let seconds = match member.timeout.map(unquoted) {
        None | Some(b"none-static" | b"none-dynamic") => None,
        Some(text) => Some(seconds(text).ok_or(RejectReason::Duration)?).filter(|&left| left > 0),
    };
    let said = Said { entry, seconds };
    Ok((!is_everything(entry)).then(|| (unquoted(member.list).to_vec(), said)))
}

/// The properties of a member of an address list.
struct Member<'a> {
    /// All of them.
    text: &'a [u8],
    list: &'a [u8],
    address: &'a [u8],
    timeout: Option<&'a [u8]>,
    disabled: bool,
}

/// The member that a command adds, if it is such a command.
fn member(text: &[u8]) -> Option<Member<'_>> {
    let text = without_menu(inner(text)?);
    let text = text.strip_prefix(b"add ")?;
    let (mut list, mut address, mut timeout, mut disabled) = (None, None, None, false);
    for word in words(text) {
        let at = memchr::memchr(b'=', word)?;
        let value = &word[at + 1..];
        match &word[..at] {
            b"list" => list = Some(value),
            b"address" => address = Some(value),
            b"timeout" => timeout = Some(value),
            b"disabled" => disabled = [&b"yes"[..], b"true"].contains(&value),
            _ => {}
        }
    }
    let (list, address) = list.zip(address)?;
    Some(Member { text, list, address, timeout, disabled })
}

/// The command in `:do { … } on-error={}`, or the text itself.
fn inner(text: &[u8]) -> Option<&[u8]> {
    let Some(block) = text.strip_prefix(b":do") else { return Some(text) };
    let block = block.trim_ascii_start().strip_prefix(b"{")?.trim_ascii();
    let mut quoted = false;
    let end = block.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b'}' && !quoted
    })?;
    let after = block[end + 1..].trim_ascii();
    (after.is_empty() || after.starts_with(b"on-error")).then(|| block[..end].trim_ascii())
}

/// The command behind the menu, where that stands before it.
fn without_menu(text: &[u8]) -> &[u8] {
    let after = MENUS.iter().rev().find_map(|menu| text.strip_prefix(*menu));
    after.map_or(text, <[u8]>::trim_ascii_start)
}

fn address_or_range(text: &[u8]) -> Result<Entry, RejectReason> {
    match memchr::memchr(b'-', text) {
        Some(at) => range_entry(parse_address(&text[..at])?, parse_address(&text[at + 1..])?),
        None => network(text),
    }
}

/// `1w2d3h4m5s`, and `1d02:03:04`, where the part with colons stands last.
fn seconds(text: &[u8]) -> Option<u64> {
    let (mut sum, mut rest) = (0_u64, text);
    while let Some(end) = rest.iter().position(|byte| !byte.is_ascii_digit()) {
        let scale = match rest[end] {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            b':' => return sum.checked_add(clock(rest)?),
            _ => return None,
        };
        sum = sum.checked_add(number(&rest[..end])?.checked_mul(scale)?)?;
        rest = &rest[end + 1..];
    }
    // Digits without a unit are seconds, and only if they stand alone.
    match (rest, rest.len() == text.len()) {
        ([], false) => Some(sum),
        (digits, true) => number(digits),
        _ => None,
    }
}

/// `02:03:04`, in seconds.
fn clock(text: &[u8]) -> Option<u64> {
    let mut parts = text.split(|&byte| byte == b':').map(number);
    let [hours, minutes, seconds] = [parts.next()??, parts.next()??, parts.next()??];
    let good = parts.next().is_none() && minutes < 60 && seconds < 60;
    hours.checked_mul(3_600)?.checked_add(minutes * 60 + seconds).filter(|_| good)
}
