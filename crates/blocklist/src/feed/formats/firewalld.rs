//! firewalld: rich rules as `firewall-cmd --list-rich-rules` prints them, and
//! scripts of `firewall-cmd`. Source: firewalld.richlanguage(5), firewall-cmd(1).
//!
//! * `rule … source address="ADDRESS" … reject|drop` is an entry, alone or as
//!   `--add-rich-rule`; so are `--add-source` to the zones `drop` and `block`,
//!   and `--add-entry` to a set.
//! * `--remove-…` takes back what was added before. Several sets of which the
//!   names do not say that all of them block are in doubt until `select` names
//!   those that do.
//! * A rule with a service, a port, a limit or anything else that narrows it
//!   blocks only a part, and is ignored. So are `source NOT` and `mark`, and all
//!   other commands. `accept`, and a source in the zone `trusted`, is an exception
//!   to what nothing denies: firewalld asks rules that deny first.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::precedence::FirstMatch;
use super::super::verdict::is_welcoming;
use super::super::visit::{Line, Visit};
use super::super::words::{unquoted, words};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{AnyRange, Entry, RejectReason};

/// Reads all lines, and tells what is left of what they add.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut held: BTreeMap<u64, (Line<'_>, Said<'_>)> = BTreeMap::new();
    let mut places: HashMap<Key<'_>, u64> = HashMap::new();
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        match command(said) {
            Ok(Some(said)) if said.removes => {
                if let Some((taken, _)) = places.remove(&said.key()).and_then(|at| held.remove(&at))
                {
                    visit.ignore(taken);
                }
                visit.ignore(line);
            }
            Ok(Some(said)) if !said.set.is_none_or(|set| options.selects(set)) => {
                visit.ignore(line);
            }
            Ok(Some(said)) => {
                places.insert(said.key(), line.number());
                held.insert(line.number(), (line, said));
            }
            Ok(None) => visit.ignore(line),
            Err(reason) => visit.reject(line, reason),
        }
        ControlFlow::Continue(())
    });
    let mut counts: HashMap<&[u8], u64> = HashMap::new();
    held.values()
        .filter_map(|(_, said)| said.set)
        .for_each(|set| *counts.entry(set).or_default() += 1);
    let doubt = Why::sets(counts.into_iter()).filter(|_| options.select.is_empty());
    if let Some((why, (line, _))) = doubt.zip(held.values().next()) {
        visit.doubt(*line, why);
    }
    shape.over_entries_max |= tell(held.into_values().collect(), options, visit).is_break();
    shape
}

/// Tells what is denied, and then what is let in: firewalld asks in this order.
fn tell(
    held: Vec<(Line<'_>, Said<'_>)>,
    options: &Options,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let mut rules = FirstMatch::new(true);
    let welcoming = |set: &[u8]| options.select.is_empty() && is_welcoming(set);
    let (denied, let_in): (Vec<_>, Vec<_>) = held
        .into_iter()
        .filter(|(_, said)| !is_everything(said.entry))
        .partition(|(_, said)| said.denies && !said.set.is_some_and(welcoming));
    denied.into_iter().try_for_each(|(line, said)| rules.block(line, said.entry, visit))?;
    let_in.into_iter().try_for_each(|(line, said)| rules.allow(line, said.entry, visit))
}

/// Sure if most lines are rules or commands.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| command(line).is_ok())
}

/// What a line says of an address.
struct Said<'a> {
    entry: Entry,
    denies: bool,
    /// Whether it takes back what was said before.
    removes: bool,
    /// The set it is in.
    set: Option<&'a [u8]>,
}

/// What tells what a line adds from what others add.
type Key<'a> = (AnyRange, bool, Option<&'a [u8]>);

impl<'a> Said<'a> {
    const fn key(&self) -> Key<'a> {
        (self.entry.range, self.denies, self.set)
    }
}

/// What a line says, if it says anything of an address as a whole.
fn command(line: &[u8]) -> Result<Option<Said<'_>>, RejectReason> {
    let of_rule = |text: &[u8], removes| {
        Ok(rule(text)?.map(|(entry, denies)| Said { entry, denies, removes, set: None }))
    };
    if line.starts_with(b"rule ") {
        return of_rule(line, false);
    }
    let mut words = words(line).peekable();
    words.next_if(|word| *word == b"sudo");
    let program = words.next().unwrap_or_default();
    if program != b"firewall-cmd" && !program.ends_with(b"/firewall-cmd") {
        return Err(RejectReason::Foreign);
    }
    let (mut set, mut zone, mut source) = (None, None, None);
    while let Some(word) = words.next() {
        let (option, value) = match memchr::memchr(b'=', word) {
            Some(at) => (&word[..at], Some(&word[at + 1..])),
            None => (word, None),
        };
        let mut value =
            || value.or_else(|| words.next()).map(unquoted).ok_or(RejectReason::MissingField);
        match option {
            b"--add-rich-rule" => return of_rule(value()?, false),
            b"--remove-rich-rule" => return of_rule(value()?, true),
            b"--zone" => zone = Some(value()?),
            b"--ipset" => set = Some(value()?),
            b"--add-source" | b"--add-entry" => source = Some((value()?, false)),
            b"--remove-source" | b"--remove-entry" => source = Some((value()?, true)),
            _ => {}
        }
    }
    let Some((text, removes)) = source else { return Ok(None) };
    let denies = set.is_some() || matches!(zone, Some(b"drop" | b"block"));
    let trusts = zone == Some(b"trusted");
    match (denies || trusts, text.contains(&b',')) {
        (false, _) => Ok(None),
        (true, true) => Err(RejectReason::MoreThanAddress),
        (true, false) => Ok(Some(Said { entry: network(text)?, denies, removes, set })),
    }
}

/// Whom a rich rule denies everything, or lets in.
fn rule(text: &[u8]) -> Result<Option<(Entry, bool)>, RejectReason> {
    let text: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'\\').collect();
    let mut address = None;
    let (mut denies, mut accepts, mut other) = (false, false, false);
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
            (_, b"accept", None) => (accepts, element) = (true, name),
            (b"rule", b"family" | b"priority", Some(_)) => {}
            (b"source", b"address", Some(value)) => address = Some(value),
            (b"log", b"prefix" | b"level", Some(_)) | (b"reject", b"type", Some(_)) => {}
            _ => other = true,
        }
    }
    match address {
        Some(address) if (denies || accepts) && !other => {
            network(address).map(|entry| Some((entry, denies)))
        }
        // A rule cut off before its end denies nothing and is no rule.
        Some(_) if !other => Err(RejectReason::Foreign),
        _ => Ok(None),
    }
}
