//! What `ipset save` writes and `ipset restore` reads: `create SET TYPE …` and
//! `add SET ENTRY …`, also in the old spelling (`-N`, `-A`), and shell scripts
//! of `ipset add SET ENTRY` lines. Source: ipset(8).
//!
//! * Commands are carried out in their order: what is taken out again, flushed,
//!   swapped or renamed is not, or is elsewhere. Within a set the most specific
//!   entry counts, which matters where some are `nomatch`: what only those name
//!   is an exception.
//! * Several sets of which the names do not say that they mean the same are in
//!   doubt until `select` names those that block. A set that is named for those
//!   who are welcome makes exceptions.
//! * `timeout` is what remains, in seconds, 0 for ever; without it an entry has
//!   that of its set. `netmask` of a set widens its entries.
//! * Only sets of addresses are read, see [`Kind`]. Commands that say nothing
//!   of entries are ignored. `#` begins a line of comment.

mod command;
mod kept;

use std::collections::HashMap;
use std::ops::ControlFlow;

use self::command::{Added, Command, Created, Kind, command};
use self::kept::{Kept, Member};
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::verdict::is_welcoming;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::token::range_entry;
use crate::{Address, AddressRange, AnyRange, Entry, RejectReason};

/// Words without which entries cannot take anything out of one another.
const TAKING_OUT: [&[u8]; 3] = [b"nomatch", b"del", b"-D"];
/// Words without which what was added stays where it is.
const CHANGING: [&[u8]; 10] =
    [b"del", b"flush", b"destroy", b"swap", b"rename", b"-D", b"-F", b"-X", b"-W", b"-E"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let has =
        |words: &[&[u8]]| words.iter().any(|word| memchr::memmem::find(bytes, word).is_some());
    let mut sets = Sets {
        options: Some(options),
        members: has(&TAKING_OUT).then(MostSpecific::default),
        kept: has(&CHANGING).then(Kept::default),
        ..Sets::default()
    };
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| match command(said) {
        Ok(command) => sets.meaning(line, command, visit),
        Err(reason) => visit.read(line, Err(reason)),
    });
    sets.finish(shape, visit)
}

/// Sure if most lines are commands that make a set or put something into one.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| !matches!(command(line), Err(_) | Ok(Command::Other)))
}

/// The sets of a file by name.
#[derive(Default)]
struct Sets<'a> {
    created: HashMap<&'a [u8], Created>,
    /// The place of each set among those that entries were added to.
    numbers: HashMap<&'a [u8], usize>,
    /// All entries, if any is ever taken out.
    members: Option<MostSpecific<'a>>,
    /// What is in the sets so far, if that may change again.
    kept: Option<Kept<'a>>,
    options: Option<&'a Options>,
    /// How many entries each set has.
    counts: HashMap<&'a [u8], u64>,
    first: Option<Line<'a>>,
}

impl<'a> Sets<'a> {
    fn meaning(
        &mut self,
        line: Line<'a>,
        command: Command<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        match command {
            Command::Create(name, created) => {
                self.created.insert(name, created);
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            Command::Other => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            Command::Add(name, _) if !self.selects(name) => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            Command::Add(name, added) => self.add(line, name, &added, visit),
            Command::Delete(name, entry) => match self.entry(name, entry) {
                Ok(entry) => {
                    let members = self.kept.as_mut().map(|kept| kept.set(name));
                    if members.is_none_or(|members| members.remove(&entry.range).is_none()) {
                        self.take_out(line, name, entry);
                    } else {
                        visit.ignore(line);
                    }
                    ControlFlow::Continue(())
                }
                Err(reason) => visit.read(line, Err(reason)),
            },
            Command::Change(change) => {
                if let Some(kept) = &mut self.kept {
                    kept.change(change);
                }
                visit.ignore(line);
                ControlFlow::Continue(())
            }
        }
    }

    fn selects(&self, name: &[u8]) -> bool {
        // What a set is called may change before the end.
        self.kept.is_some() || self.options.is_none_or(|options| options.selects(name))
    }

    fn add(
        &mut self,
        line: Line<'a>,
        name: &'a [u8],
        added: &Added<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let created = self.created.get(name).copied().unwrap_or_default();
        if created.kind == Kind::WithoutAddresses {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        let entry = match self.entry(name, added.entry) {
            Ok(entry) => entry,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        if added.nomatch {
            self.take_out(line, name, entry);
            return ControlFlow::Continue(());
        }
        let seconds = added.timeout.or(created.timeout).filter(|&seconds| seconds > 0);
        if let Some(kept) = &mut self.kept {
            kept.set(name).insert(entry.range, Member { line, entry, seconds });
            return ControlFlow::Continue(());
        }
        self.tell(name, Member { line, entry, seconds }, visit)
    }

    fn tell(
        &mut self,
        name: &'a [u8],
        Member { line, entry, seconds }: Member<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        *self.counts.entry(name).or_default() += 1;
        self.first.get_or_insert(line);
        if self.options.is_none_or(|options| options.select.is_empty()) && is_welcoming(name) {
            visit.rules();
            return visit.exception(line, entry);
        }
        let number = self.number(name);
        if let Some(members) = &mut self.members {
            members.block(number, entry.range);
        }
        match seconds {
            None => visit.entry(line, entry),
            Some(seconds) => visit.lasting(line, entry, seconds),
        }
    }

    fn take_out(&mut self, line: Line<'a>, name: &'a [u8], entry: Entry) {
        let number = self.number(name);
        if let Some(members) = &mut self.members {
            members.pass(number, entry.range, line);
        }
    }

    fn number(&mut self, name: &'a [u8]) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(name).or_insert(next)
    }

    /// An entry as its set takes it.
    fn entry(&self, name: &[u8], text: &[u8]) -> Result<Entry, RejectReason> {
        let created = self.created.get(name).copied().unwrap_or_default();
        match created.kind {
            Kind::Addresses if text.contains(&b',') => Err(RejectReason::MoreThanAddress),
            Kind::Addresses => widened(crate::parse_entry(text)?, created.netmask),
            Kind::MoreThanAddresses | Kind::WithoutAddresses => Err(RejectReason::MoreThanAddress),
        }
    }

    fn finish(mut self, mut shape: Shape, visit: &mut impl Visit) -> Shape {
        for (name, member) in self.kept.take().map(Kept::into_members).unwrap_or_default() {
            if !self.options.is_none_or(|options| options.selects(name)) {
                visit.ignore(member.line);
            } else if self.tell(name, member, visit).is_break() {
                return Shape { over_entries_max: true, ..shape };
            }
        }
        let selected = self.options.is_some_and(|options| !options.select.is_empty());
        let counts = self.counts.iter().map(|(&name, &count)| (name, count));
        if let Some((line, why)) = self.first.zip(Why::sets(counts)).filter(|_| !selected) {
            visit.doubt(line, why);
        }
        if let Some(members) = self.members {
            shape.over_entries_max |= members.finish(visit).is_break();
        }
        shape
    }
}

/// The networks of so many bits that an entry is in.
fn widened(entry: Entry, netmask: Option<u8>) -> Result<Entry, RejectReason> {
    fn wide<A: Address>(range: AddressRange<A>, length: u8) -> Result<Entry, RejectReason> {
        let mask = A::mask(length);
        range_entry((range.first() & mask).to_ip(), (range.last() | !mask).to_ip())
    }
    match (netmask, entry.range) {
        (None, _) => Ok(entry),
        (Some(length), AnyRange::V4(range)) => wide(range, length),
        (Some(length), AnyRange::V6(range)) => wide(range, length),
    }
}
