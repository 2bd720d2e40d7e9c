//! firewalld: rich rules as `firewall-cmd --list-rich-rules` prints them, and
//! scripts of `firewall-cmd`. Source: firewalld.richlanguage(5), firewall-cmd(1).
//!
//! * `rule … source address="ADDRESS" … reject|drop` is an entry, alone or as
//!   `--add-rich-rule`; so are `--add-source` to the zones `drop` and `block`,
//!   and `--add-entry` to a set.
//! * A rule with a service, a port, a limit or anything else that narrows it
//!   blocks only a part, and is ignored. So are `source NOT`, `accept` and `mark`
//!   (firewalld asks rules that deny first), and all other commands.

use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
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
    lines::each(bytes, limits, b"#", visit, |line, said, visit| match address(said) {
        Ok(Some(entry)) if !is_everything(entry) => visit.entry(line, entry),
        Ok(_) => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        Err(reason) => visit.read(line, Err(reason)),
    })
}

/// Sure if most lines are rules or commands.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| address(line).is_ok())
}

/// What a line blocks, if it is one that does.
fn address(line: &[u8]) -> Result<Option<Entry>, RejectReason> {
    if line.starts_with(b"rule ") {
        return rule(line);
    }
    let mut words = words(line).peekable();
    words.next_if(|word| *word == b"sudo");
    let program = words.next().unwrap_or_default();
    if program != b"firewall-cmd" && !program.ends_with(b"/firewall-cmd") {
        return Err(RejectReason::Foreign);
    }
    let mut blocks = false;
    let mut source = None;
    while let Some(word) = words.next() {
        let (option, value) = match memchr::memchr(b'=', word) {
            Some(at) => (&word[..at], Some(&word[at + 1..])),
            None => (word, None),
        };
        let mut value = || value.or_else(|| words.next()).ok_or(RejectReason::MissingField);
        match option {
            b"--add-rich-rule" => return rule(unquoted(value()?)),
            b"--zone" => blocks |= [&b"drop"[..], b"block"].contains(&unquoted(value()?)),
            b"--add-source" => source = Some(value()?),
            b"--add-entry" => (blocks, source) = (true, Some(value()?)),
            _ => {}
        }
    }
    match source {
        Some(text) if blocks && text.contains(&b',') => Err(RejectReason::MoreThanAddress),
        Some(text) if blocks => network(unquoted(text)).map(Some),
        _ => Ok(None),
    }
}

/// What a rich rule blocks.
fn rule(text: &[u8]) -> Result<Option<Entry>, RejectReason> {
    let text: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'\\').collect();
    let mut address = None;
    let (mut denies, mut other) = (false, false);
    // The element that attributes belong to.
    let mut element: &[u8] = b"";
    for word in words(&text) {
        let (name, value) = match memchr::memchr(b'=', word) {
            Some(at) => (&word[..at], Some(unquoted(&word[at + 1..]))),
            None => (word, None),
        };
        match (element, name, value) {
            (_, b"rule" | b"source" | b"log" | b"audit", None) => element = name,
            (_, b"reject" | b"drop", None) => (denies, element) = (true, name),
            (b"rule", b"family" | b"priority", Some(_)) => {}
            (b"source", b"address", Some(value)) => address = Some(value),
            (b"log", b"prefix" | b"level", Some(_)) | (b"reject", b"type", Some(_)) => {}
            _ => other = true,
        }
    }
    match address {
        Some(address) if denies && !other => network(address).map(Some),
        // A rule cut off before its end denies nothing and is no rule.
        Some(_) if !denies && !other => Err(RejectReason::Foreign),
        _ => Ok(None),
    }
}
