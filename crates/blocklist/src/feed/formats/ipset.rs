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
//! * Only sets of addresses are read, see [`SetKind`]. Commands that say nothing
//!   of entries are ignored. `#` begins a line of comment.

pub(super) mod command;
mod kept;

use std::collections::HashMap;
use std::ops::ControlFlow;

use self::command::{Added, Created, IpsetCommand, SetKind, command};
use self::kept::{Kept, Member, SetsChange};
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::verdict::is_welcoming;
use super::super::visit::{Line, Visit};
use super::super::words::goes_on;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::token::range_entry;
use crate::{Address, AddressRange, AnyRange, Entry, RejectReason};

/// Words without which what was added stays where it is.
const CHANGING: [&[u8]; 11] = [
    b"nomatch", b"del", b"flush", b"destroy", b"swap", b"rename", b"-D", b"-F", b"-X", b"-W", b"-E",
];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let changes = CHANGING.iter().any(|word| memchr::memmem::find(bytes, word).is_some());
    let mut sets =
        Sets { options: Some(options), kept: changes.then(Kept::default), ..Sets::default() };
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        if goes_on(said) {
            visit.doubt(line, Why::Program("several commands in one line"));
        }
        match command(said) {
            Ok(command) => sets.meaning(line, command, visit),
            Err(reason) => visit.read(line, Err(reason)),
        }
    });
    sets.finish(shape, visit)
}

/// Sure if most lines are commands that make a set or put something into one.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| !matches!(command(line), Err(_) | Ok(IpsetCommand::Other)))
}

/// The sets of a file by name.
#[derive(Default)]
struct Sets<'a> {
    created: HashMap<&'a [u8], Created>,
    /// The place of each set among those that entries were added to.
    numbers: HashMap<&'a [u8], usize>,
    /// All entries, if some take others out.
    members: Option<MostSpecific<'a>>,
    /// What is in the sets so far, if that may change again.
    kept: Option<Kept<'a>>,
    options: Option<&'a Options>,
    /// The set that the last entry was added to: mostly the next one is, too.
    last: Option<(&'a [u8], Created)>,
    /// What was told of each set.
    told: HashMap<&'a [u8], Told>,
    /// What was told of the last of them since.
    telling: Option<(&'a [u8], Told)>,
    first: Option<Line<'a>>,
}

/// A set of which entries were told.
#[derive(Clone, Copy)]
struct Told {
    entries: u64,
    /// Whether it is named for those who are welcome, and nobody has decided.
    welcome: bool,
}

impl<'a> Sets<'a> {
    fn meaning(
        &mut self,
        line: Line<'a>,
        command: IpsetCommand<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        match command {
            IpsetCommand::Create(name, created) => {
                self.last = None;
                self.created.insert(name, created);
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            IpsetCommand::Other => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            IpsetCommand::Add(name, _) if !self.selects(name) => {
                visit.left_out(line);
                ControlFlow::Continue(())
            }
            IpsetCommand::Add(name, added) => self.add(line, name, &added, visit),
            IpsetCommand::Delete(name, text) => match entry(self.created(name), text) {
                Ok(entry) => {
                    let grain = self.created(name).grain;
                    let gone = Member { line, entry, seconds: None, nomatch: true };
                    if let Some(kept) = &mut self.kept {
                        kept.delete(name, grain, gone);
                    }
                    visit.ignore(line);
                    ControlFlow::Continue(())
                }
                Err(reason) => {
                    visit.doubt(line, Why::Program("nobody knows what is taken out"));
                    visit.read(line, Err(reason))
                }
            },
            IpsetCommand::Change(_) if memchr::memchr(b'$', line.text()).is_some() => {
                visit.doubt(line, Why::Program("a command with a variable"));
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            IpsetCommand::Change(change) => {
                self.change(change);
                visit.ignore(line);
                ControlFlow::Continue(())
            }
        }
    }

    fn change(&mut self, change: SetsChange<'a>) {
        if let Some(kept) = &mut self.kept {
            kept.change(change);
        }
        // What a set is goes with its entries.
        self.last = None;
        let created = &mut self.created;
        match change {
            SetsChange::Empty(_) => {}
            SetsChange::Swap(one, other) => {
                let [first, second] = [one, other].map(|name| created.remove(name));
                created.extend(first.map(|set| (other, set)));
                created.extend(second.map(|set| (one, set)));
            }
            SetsChange::Rename(from, to) => {
                if let Some(set) = created.remove(from) {
                    created.insert(to, set);
                }
            }
        }
    }

    fn created(&self, name: &[u8]) -> Created {
        self.created.get(name).copied().unwrap_or_default()
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
        let created = match self.last {
            Some((last, created)) if last == name => created,
            _ => self.created.get(name).copied().unwrap_or_default(),
        };
        self.last = Some((name, created));
        if created.kind == SetKind::WithoutAddresses {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        let entry = match entry(created, added.entry) {
            Ok(entry) => entry,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let seconds = added.timeout.or(created.timeout).filter(|&seconds| seconds > 0);
        let member = Member { line, entry, seconds, nomatch: added.nomatch };
        if let Some(kept) = &mut self.kept {
            if !kept.add(name, created.grain, member) {
                visit.doubt(line, Why::Program("an entry is there with and without `nomatch`"));
            }
            return ControlFlow::Continue(());
        }
        self.tell(name, member, visit)
    }

    fn tell(
        &mut self,
        name: &'a [u8],
        Member { line, entry, seconds, nomatch }: Member<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        if nomatch {
            let number = self.number(name);
            if let Some(members) = &mut self.members {
                members.pass(number, entry.range, line);
            }
            return ControlFlow::Continue(());
        }
        self.first.get_or_insert(line);
        if self.welcomes(name) {
            visit.rules();
            return visit.exception(line, entry);
        }
        if self.members.is_some() {
            let number = self.number(name);
            self.members.iter_mut().for_each(|members| members.block(number, entry.range));
        }
        match seconds {
            None => visit.entry(line, entry),
            Some(seconds) => visit.lasting(line, entry, seconds),
        }
    }

    /// Counts an entry. Whether its set is named for those who are welcome.
    fn welcomes(&mut self, name: &'a [u8]) -> bool {
        if let Some((_, told)) = self.telling.as_mut().filter(|(telling, _)| *telling == name) {
            told.entries += 1;
            return told.welcome;
        }
        let decided = self.options.is_some_and(|options| !options.select.is_empty());
        let welcome = || Told { entries: 0, welcome: !decided && is_welcoming(name) };
        let mut told = self.told.remove(name).unwrap_or_else(welcome);
        told.entries += 1;
        self.told.extend(self.telling.replace((name, told)));
        told.welcome
    }

    fn number(&mut self, name: &'a [u8]) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(name).or_insert(next)
    }

    fn finish(mut self, mut shape: Shape, visit: &mut impl Visit) -> Shape {
        let kept = self.kept.take().map(Kept::into_members).unwrap_or_default();
        let taking_out = kept.iter().any(|(_, member)| member.nomatch);
        self.members = taking_out.then(MostSpecific::default);
        for (name, member) in kept {
            if !self.options.is_none_or(|options| options.selects(name)) {
                visit.left_out(member.line);
            } else if self.tell(name, member, visit).is_break() {
                return Shape { over_entries_max: true, ..shape };
            }
        }
        let selected = self.options.is_some_and(|options| !options.select.is_empty());
        self.told.extend(self.telling);
        let counts = self.told.iter().map(|(&name, told)| (name, told.entries));
        if let Some((line, why)) = self.first.zip(Why::sets(counts)).filter(|_| !selected) {
            visit.doubt(line, why);
        }
        if let Some(members) = self.members {
            shape.over_entries_max |= members.finish(visit).is_break();
        }
        shape
    }
}

/// An entry as its set takes it.
fn entry(created: Created, text: &[u8]) -> Result<Entry, RejectReason> {
    match created.kind {
        SetKind::Addresses if text.contains(&b',') => Err(RejectReason::MoreThanAddress),
        SetKind::Addresses => widened(crate::parse_entry(text)?, created.netmask),
        SetKind::MoreThanAddresses | SetKind::WithoutAddresses => {
            Err(RejectReason::MoreThanAddress)
        }
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
