//! What `ipset save` writes and `ipset restore` reads: `create SET TYPE …` and
//! `add SET ENTRY …`, also in the old spelling (`-N`, `-A`), and shell scripts
//! of `ipset add SET ENTRY` lines. Source: ipset(8).
//!
//! * All sets of a file together are what is blocked. Within a set the most
//!   specific entry counts, which matters where some are `nomatch`: what only
//!   those name is an exception, as is what `del` takes out again.
//! * `timeout` is what remains, in seconds, 0 for ever; without it an entry has
//!   that of its set. `netmask` of a set widens its entries.
//! * Only sets of addresses are read, see [`Kind`]. Commands that say nothing
//!   of entries are ignored. `#` begins a line of comment.

mod command;

use std::collections::HashMap;
use std::ops::ControlFlow;

use self::command::{Added, Command, Created, Kind, command};
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use crate::token::range_entry;
use crate::{Address, AddressRange, AnyRange, Entry, RejectReason};

/// Words without which entries cannot take anything out of one another.
const TAKING_OUT: [&[u8]; 3] = [b"nomatch", b"del", b"-D"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let takes_out = TAKING_OUT.iter().any(|word| memchr::memmem::find(bytes, word).is_some());
    let mut sets = Sets { members: takes_out.then(MostSpecific::default), ..Sets::default() };
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
            Command::Add(name, added) => self.add(line, name, &added, visit),
            Command::Delete(name, entry) => match self.entry(name, entry) {
                Ok(entry) => {
                    self.take_out(line, name, entry);
                    ControlFlow::Continue(())
                }
                Err(reason) => visit.read(line, Err(reason)),
            },
        }
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
        let number = self.number(name);
        if let Some(members) = &mut self.members {
            members.block(number, entry.range);
        }
        match added.timeout.or(created.timeout) {
            None | Some(0) => visit.entry(line, entry),
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

    fn finish(self, mut shape: Shape, visit: &mut impl Visit) -> Shape {
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
