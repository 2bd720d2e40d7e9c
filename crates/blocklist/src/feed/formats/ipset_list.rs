//! What `ipset list` prints: for each set a head of `Name:`, `Type:`, `Header:`
//! and other fields, then `Members:` and below it the entries. Source: ipset(8).
//!
//! * What the types and options of sets mean is as in what `ipset save` writes:
//!   only sets of addresses are read, `timeout` is what remains in seconds, and
//!   `nomatch` takes out of the set what only it names.
//! * Several sets of which the names do not say that they mean the same are in
//!   doubt until `select` names those that block. A set that is named for those
//!   who are welcome makes exceptions.
//! * The fields of a head are ignored; a set without `Members:` has been cut
//!   off, and a line between sets that is no field is rejected.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::verdict::is_welcoming;
use super::super::visit::{Line, Visit};
use super::super::words::words;
use super::super::{Limits, Options, Shape, Why, lines};
use super::ipset::command::{Created, SetKind, added, created};
use crate::{RejectReason, parse_entry};

/// The fields of a head that say nothing of the entries.
const FIELDS: [&[u8]; 4] =
    [b"Revision:", b"Size in memory:", b"References:", b"Number of entries:"];

/// Reads all sets, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut listing =
        Listing { options, sets: Vec::new(), members: MostSpecific::default(), first: None };
    let nomatch = memchr::memmem::find(bytes, b" nomatch").is_some();
    let mut shape = lines::each(bytes, limits, b"", visit, |line, said, visit| {
        match listing.line(line, said, nomatch, visit) {
            Ok(flow) => flow,
            Err(reason) => visit.read(line, Err(reason)),
        }
    });
    let counts = listing.sets.iter().map(|set| (set.name, set.entries));
    if let Some((line, why)) = listing.first.zip(Why::sets(counts))
        && options.select.is_empty()
    {
        visit.doubt(line, why);
    }
    shape.over_entries_max |= listing.members.finish(visit).is_break();
    shape
}

/// Sure if a set begins with its name and its type.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut lines = head.lines();
    let named = lines.next().is_some_and(|line| line.starts_with(b"Name: "));
    let typed = lines.next().is_some_and(|line| line.starts_with(b"Type: "));
    if named && typed { Likeness::Sure } else { Likeness::None }
}

/// A set, as far as its head was read.
struct Set<'a> {
    name: &'a [u8],
    kind: &'a [u8],
    created: Created,
    /// Whether the head is over.
    open: bool,
    entries: u64,
}

struct Listing<'a, 'o> {
    options: &'o Options,
    sets: Vec<Set<'a>>,
    members: MostSpecific<'a>,
    first: Option<Line<'a>>,
}

impl<'a> Listing<'a, '_> {
    fn line(
        &mut self,
        line: Line<'a>,
        said: &'a [u8],
        nomatch: bool,
        visit: &mut impl Visit,
    ) -> Result<ControlFlow<()>, RejectReason> {
        if let Some(name) = said.strip_prefix(b"Name: ") {
            let (kind, created) = (&b""[..], Created::default());
            let name = name.trim_ascii();
            self.sets.push(Set { name, kind, created, open: false, entries: 0 });
            visit.ignore(line);
            return Ok(ControlFlow::Continue(()));
        }
        let number = self.sets.len();
        let set = self.sets.last_mut().ok_or(RejectReason::Foreign)?;
        if set.open {
            return self.member(line, said, number, nomatch, visit);
        }
        match said {
            b"Members:" => set.open = true,
            _ if FIELDS.iter().any(|field| said.starts_with(field)) => {}
            _ => match (said.strip_prefix(b"Type: "), said.strip_prefix(b"Header: ")) {
                (Some(kind), _) => set.kind = kind.trim_ascii(),
                (_, Some(header)) => set.created = created(set.kind, words(header))?,
                _ => return Err(RejectReason::Foreign),
            },
        }
        visit.ignore(line);
        Ok(ControlFlow::Continue(()))
    }

    fn member(
        &mut self,
        line: Line<'a>,
        said: &'a [u8],
        number: usize,
        nomatch: bool,
        visit: &mut impl Visit,
    ) -> Result<ControlFlow<()>, RejectReason> {
        let set = self.sets.last_mut().ok_or(RejectReason::Foreign)?;
        if set.created.kind == SetKind::WithoutAddresses || !self.options.selects(set.name) {
            visit.ignore(line);
            return Ok(ControlFlow::Continue(()));
        }
        let mut parts = words(said);
        let member = added(parts.next().unwrap_or_default(), parts, false)?;
        if set.created.kind == SetKind::MoreThanAddresses || member.entry.contains(&b',') {
            return Err(RejectReason::MoreThanAddress);
        }
        let entry = parse_entry(member.entry)?;
        self.first.get_or_insert(line);
        set.entries += u64::from(!member.nomatch);
        if member.nomatch {
            self.members.pass(number, entry.range, line);
            return Ok(ControlFlow::Continue(()));
        }
        if self.options.select.is_empty() && is_welcoming(set.name) {
            visit.rules();
            return Ok(visit.exception(line, entry));
        }
        if nomatch {
            self.members.block(number, entry.range);
        }
        let seconds = member.timeout.or(set.created.timeout).filter(|&seconds| seconds > 0);
        Ok(match seconds {
            None => visit.entry(line, entry),
            Some(seconds) => visit.lasting(line, entry, seconds),
        })
    }
}
