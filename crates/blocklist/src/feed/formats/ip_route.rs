//! Routes that lead nowhere: scripts of `ip route add blackhole 192.0.2.0/24`,
//! files for `ip -batch`, what `ip route show` prints, and the older
//! `route add -host 192.0.2.1 reject`. Source: ip-route(8), route(8).
//!
//! * `blackhole`, `unreachable` and `prohibit` are entries; with `reject` at its
//!   end, so is a command of `route`. Routes `via` somewhere block nobody, but
//!   the most specific route counts: what they lead out of a wider one that
//!   leads nowhere is an exception.
//! * Commands are carried out in their order: `add` and `append` leave a route to
//!   the same place as it is, `replace`, `change` and `prepend` do not, `del`
//!   takes it out, `flush` all. Of several with a metric the least counts.
//! * Routes of other tables than the main one, and those for one kind of service
//!   (`tos`), are for a part of all packets, and are ignored; so is `default`.
//! * Everything else, rules of `ip rule` too, puts the whole in doubt.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::disjoint::Both;
use super::super::precedence::MostSpecific;
use super::super::visit::{Line, Visit};
use super::super::words::{number, unquoted, words};
use super::super::{Limits, Options, Shape, lines};
use crate::{AnyRange, Entry, RejectReason};

/// Reads all lines, and tells what is left of what they add.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut routes = Routes::default();
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        match command(said) {
            Ok(command) => routes.take(line, command, visit),
            Err(reason) => visit.reject(line, reason),
        }
        ControlFlow::Continue(())
    });
    shape.over_entries_max |= routes.tell(visit).is_break();
    shape
}

/// Sure if most lines are routes, and one of them leads nowhere.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let nowhere = |line| matches!(command(line), Ok(Command::Put(_, Route { blocks: true, .. })));
    if head.lines().any(nowhere) {
        head.most(b"#", |line| command(line).is_ok())
    } else {
        Likeness::None
    }
}

/// What is to become of a route to the same place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    /// It stays.
    Behind,
    /// The new one comes instead.
    Instead,
    /// The new one comes only if there is one.
    IfThere,
}

#[derive(Clone, Copy)]
struct Route {
    entry: Entry,
    metric: u64,
    blocks: bool,
}

#[derive(Clone, Copy)]
enum Command {
    Put(Put, Route),
    /// With a metric, if it has to have this one, and whether it has to block.
    Delete(Entry, Option<u64>, bool),
    Flush,
    /// About a part of what there is.
    Other,
}

#[derive(Default)]
struct Routes<'a> {
    /// By where they lead, and how much they cost.
    held: BTreeMap<(AnyRange, u64), (Line<'a>, Route)>,
}

impl<'a> Routes<'a> {
    fn take(&mut self, line: Line<'a>, command: Command, visit: &mut impl Visit) {
        let (put, route) = match command {
            Command::Put(put, route) if !is_everything(route.entry) => (put, route),
            Command::Delete(entry, metric, blocks) => {
                let (from, to) = metric.map_or((0, u64::MAX), |metric| (metric, metric));
                let mut fitting = self.held.range((entry.range, from)..=(entry.range, to));
                let found = fitting.find(|(_, (_, route))| route.blocks || !blocks);
                if let Some((&key, &(taken, _))) = found {
                    self.held.remove(&key);
                    visit.ignore(taken);
                }
                return visit.ignore(line);
            }
            Command::Flush => {
                for (taken, _) in std::mem::take(&mut self.held).into_values() {
                    visit.ignore(taken);
                }
                return visit.ignore(line);
            }
            _ => return visit.ignore(line),
        };
        let key = (route.entry.range, route.metric);
        let stays = match put {
            Put::Behind => self.held.contains_key(&key),
            Put::Instead => false,
            Put::IfThere => !self.held.contains_key(&key),
        };
        if stays {
            visit.ignore(line);
        } else if let Some((taken, _)) = self.held.insert(key, (line, route)) {
            visit.ignore(taken);
        }
    }

    fn tell(self, visit: &mut impl Visit) -> ControlFlow<()> {
        let mut held: Vec<(Line<'a>, Route)> = Vec::new();
        let mut last = None;
        for ((range, _), (line, route)) in self.held {
            // Of those to the same place, the first costs least.
            if last.replace(range) == Some(range) {
                visit.ignore(line);
            } else {
                held.push((line, route));
            }
        }
        let mut blocked = Both::new();
        for (_, route) in held.iter().filter(|(_, route)| route.blocks) {
            blocked.insert(route.entry.range);
        }
        held.sort_by_key(|(line, _)| line.number());
        let mut members = MostSpecific::default();
        for (line, Route { entry, blocks, .. }) in held {
            if blocks {
                members.block(0, entry.range);
                visit.entry(line, entry)?;
            } else if blocked.inside(entry.range).is_empty() {
                visit.ignore(line);
            } else {
                members.pass(0, entry.range, line);
            }
        }
        members.finish(visit)
    }
}

/// Reads a line that is neither blank nor a comment.
fn command(line: &[u8]) -> Result<Command, RejectReason> {
    let mut words = words(line).map(|word| word.strip_suffix(b";").unwrap_or(word)).peekable();
    words.next_if(|word| *word == b"sudo");
    let is = |word: &[u8], program: &str| {
        word.rsplit(|&byte| byte == b'/').next() == Some(program.as_bytes())
    };
    if words.next_if(|word| is(word, "ip")).is_some() {
        while words
            .next_if(|word| matches!(*word, b"-4" | b"-6" | b"-force" | b"-f" | b"inet" | b"inet6"))
            .is_some()
        {}
        words
            .next_if(|word| matches!(*word, b"route" | b"ro" | b"r"))
            .ok_or(RejectReason::Foreign)?;
        return verb(words);
    }
    let program = words.next_if(|word| is(word, "route") || matches!(*word, b"ro"));
    match (program, words.peek()) {
        (Some(_), Some(&(b"-A" | b"-4" | b"-6"))) => Err(RejectReason::Foreign),
        (Some(_), _)
            if memchr::memmem::find(line, b" -host ").is_some()
                || memchr::memmem::find(line, b" -net ").is_some() =>
        {
            old(words)
        }
        (Some(_), _) => verb(words),
        (None, _) => route(words, true).map(|(route, part)| placed(Put::Behind, route, part)),
    }
}

fn placed(put: Put, route: Route, part: bool) -> Command {
    if part { Command::Other } else { Command::Put(put, route) }
}

/// What stands behind `ip route`.
fn verb<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Command, RejectReason> {
    let put = match words.next().ok_or(RejectReason::Foreign)? {
        b"add" | b"a" | b"append" => Put::Behind,
        b"replace" | b"repl" | b"prepend" => Put::Instead,
        b"change" | b"chg" => Put::IfThere,
        b"del" | b"delete" | b"d" => {
            let (Route { entry, metric, blocks }, part) = route(words, false)?;
            let metric = Some(metric).filter(|&metric| metric > 0);
            return Ok(if part { Command::Other } else { Command::Delete(entry, metric, blocks) });
        }
        b"flush" => {
            let rest: Vec<&[u8]> = words.collect();
            return match &rest[..] {
                [b"cache"] => Ok(Command::Other),
                [] | [b"table", b"main" | b"all"] => Ok(Command::Flush),
                _ => Err(RejectReason::Foreign),
            };
        }
        b"show" | b"list" | b"ls" | b"get" | b"save" => return Ok(Command::Other),
        _ => return Err(RejectReason::Foreign),
    };
    let (route, part) = route(words, false)?;
    Ok(placed(put, route, part))
}

/// A route, and whether it is for a part of all packets. `shown`: whether it has
/// to say where it leads, as one that was printed does.
fn route<'a>(
    words: impl Iterator<Item = &'a [u8]>,
    shown: bool,
) -> Result<(Route, bool), RejectReason> {
    let mut words = words.peekable();
    let kinds: [&[u8]; 9] = [
        b"unicast",
        b"local",
        b"broadcast",
        b"multicast",
        b"anycast",
        b"throw",
        b"blackhole",
        b"unreachable",
        b"prohibit",
    ];
    let kind = words.next_if(|word| kinds.contains(word));
    words.next_if(|word| *word == b"to");
    let destination = unquoted(words.next().ok_or(RejectReason::MissingField)?);
    let blocks = matches!(kind, Some(b"blackhole" | b"unreachable" | b"prohibit"));
    let everything: &[u8] = b"0.0.0.0/0";
    let text = if destination == b"default" { everything } else { destination };
    let (mut leads, mut part, mut metric) = (kind.is_some(), false, 0);
    while let Some(word) = words.next() {
        match word {
            b"via" | b"dev" | b"nexthop" | b"nhid" => leads = true,
            b"metric" | b"preference" | b"priority" => {
                metric = words.next().and_then(number).ok_or(RejectReason::Number)?;
            }
            b"table" => {
                part |= !matches!(words.next(), Some(b"main" | b"254"));
            }
            b"tos" | b"dsfield" => part |= !matches!(words.next(), Some(b"0" | b"0x00" | b"0x0")),
            // Whatever ends the command and begins another one.
            _ if word.first().is_some_and(|first| b"&|;#>".contains(first))
                || word.starts_with(b"2>") =>
            {
                break;
            }
            _ => {}
        }
    }
    if shown && !leads {
        return Err(RejectReason::Foreign);
    }
    let entry = network(text)?;
    Ok((Route { entry, metric, blocks }, part))
}

/// What stands behind `route`, as net-tools have it.
fn old<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Command, RejectReason> {
    let deletes = match words.next() {
        Some(b"add") => false,
        Some(b"del" | b"delete") => true,
        _ => return Err(RejectReason::Foreign),
    };
    let whole = words.next() == Some(b"-net");
    let target = words.next().ok_or(RejectReason::MissingField)?;
    let (mut mask, mut blocks) = (None, false);
    while let Some(word) = words.next() {
        match word {
            b"netmask" => mask = words.next(),
            b"reject" => blocks = true,
            b"gw" | b"dev" | b"metric" | b"mss" | b"window" => drop(words.next()),
            _ => {}
        }
    }
    let entry = match mask {
        Some(mask) => network(&[target, b"/", mask].concat())?,
        // Without a mask it is that of the class of the network.
        None if whole && !target.contains(&b'/') => return Err(RejectReason::Netmask),
        None => network(target)?,
    };
    let route = Route { entry, metric: 0, blocks };
    Ok(if deletes {
        Command::Delete(entry, None, blocks)
    } else {
        Command::Put(Put::Behind, route)
    })
}
