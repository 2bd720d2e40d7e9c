//! Gathers what the lines of a feed mean, counts, and stops at the limit. Knows
//! no text; whichever format read the lines, this is what becomes of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::account::{Account, Came};
use super::visit::{Line, Visit};
use super::{Doubt, Feed, Format, Limits, Promise, Reject, Shape, Tally, Why, structure, text};
use crate::{
    Address, AddressRange, AnyPrefix, AnyRange, Entry, Prefix, PrefixSet, Prefixes, RejectReason,
};

/// The entries of one family, in the order of the lines.
struct Entries<A> {
    /// Single addresses, which almost all entries are and which take half of a
    /// prefix's room.
    hosts: Vec<A>,
    /// All other prefixes.
    prefixes: Vec<Prefix<A>>,
    /// Only those that are not one prefix.
    ranges: Vec<AddressRange<A>>,
}

impl<A: Address> Entries<A> {
    const fn new() -> Self {
        Self { hosts: Vec::new(), prefixes: Vec::new(), ranges: Vec::new() }
    }

    fn count(&self) -> u64 {
        (self.hosts.len() + self.prefixes.len() + self.ranges.len()) as u64
    }

    #[inline]
    fn push(&mut self, prefix: Prefix<A>) {
        if prefix.length() == A::BITS {
            self.hosts.push(prefix.first());
        } else {
            self.prefixes.push(prefix);
        }
    }

    /// All prefixes, and how many entries differ from one another.
    fn finish(mut self) -> (PrefixSet<A>, u64) {
        self.ranges.sort_unstable();
        self.ranges.dedup();
        let hosts = PrefixSet::from_hosts(self.hosts);
        let wider = PrefixSet::from_unsorted(self.prefixes);
        let distinct = (hosts.len() + wider.len() + self.ranges.len()) as u64;
        let split: PrefixSet<A> =
            self.ranges.into_iter().flat_map(AddressRange::prefixes).collect();
        (PrefixSet::union_of([hosts, wider, split]), distinct)
    }
}

/// Entries of lines with nothing else in them, by far the most. Of these, nothing
/// is noted when they come: they are what is left when all others are counted.
#[derive(Default)]
struct Singly {
    /// Entries that are in other lines.
    others: u64,
    /// Those of them whose host bits were cleared.
    others_masked: u64,
}

/// A visitor that keeps everything.
pub(super) struct Gather<'a> {
    limits: &'a Limits,
    ipv4: Entries<u32>,
    ipv6: Entries<u128>,
    /// Entries that end, with the seconds until then.
    lasting: Vec<(AnyRange, u64)>,
    /// Entries that end at a moment, with that moment in seconds since 1970.
    until: Vec<(AnyRange, u64)>,
    /// The moment at which it is read, on the same count, if anybody knows.
    now: Option<u64>,
    exceptions: Vec<AnyRange>,
    /// How many more prefixes may come.
    room: u64,
    /// Only the numbers that nothing else here says.
    tally: Tally,
    rejects: Vec<Reject>,
    /// The last line that may be only the beginning of one.
    dubious_line: u64,
    account: Account,
    /// Entries that were told line by line and are not in [`Self::account`].
    singly: Singly,
    /// The last line of which something was rejected.
    rejected_line: u64,
    /// Whether the configuration names the format.
    decided: bool,
    doubt: Option<Doubt>,
    /// Whether exceptions are what rules let in.
    rules: bool,
    /// Whether all entries are exceptions.
    welcome: bool,
}

impl<'a> Gather<'a> {
    /// `decided`: whether the configuration names the format. `now`, in seconds
    /// since 1970: what has ended by then is no entry.
    pub(super) fn new(limits: &'a Limits, decided: bool, now: Option<u64>) -> Self {
        Self {
            limits,
            ipv4: Entries::new(),
            ipv6: Entries::new(),
            lasting: Vec::new(),
            until: Vec::new(),
            now,
            exceptions: Vec::new(),
            room: limits.entries_max,
            tally: Tally::default(),
            rejects: Vec::new(),
            dubious_line: 0,
            account: Account::default(),
            singly: Singly::default(),
            rejected_line: 0,
            decided,
            doubt: None,
            rules: false,
            welcome: false,
        }
    }

    pub(super) fn finish(self, format: Format, mut shape: Shape) -> Feed {
        let mut tally = self.tally;
        let singly = self.ipv4.count() + self.ipv6.count() - self.singly.others;
        let masked = tally.masked - self.singly.others_masked;
        let said = shape.lines.saturating_sub(shape.blank);
        let mut lines = self.account.finish(singly - masked, masked, said);
        tally.expiring = (self.lasting.len() + self.until.len()) as u64;
        let ends = self.lasting.iter().chain(&self.until);
        let ipv4_lasting = ends.filter(|(range, _)| matches!(range, AnyRange::V4(_))).count();
        tally.ipv4 = self.ipv4.count() + ipv4_lasting as u64;
        tally.ipv6 = self.ipv6.count() + tally.expiring - ipv4_lasting as u64;
        tally.entries = tally.ipv4 + tally.ipv6;
        tally.exceptions = self.exceptions.len() as u64;
        let (ipv4, ipv4_distinct) = self.ipv4.finish();
        let (ipv6, ipv6_distinct) = self.ipv6.finish();
        let (mut expiring, lasting_distinct) = by_seconds(self.lasting);
        let (mut ends, until_distinct) = by_seconds(self.until);
        let distinct = ipv4_distinct + ipv6_distinct + lasting_distinct + until_distinct;
        tally.duplicates = tally.entries - distinct;
        let mut prefixes = Prefixes { ipv4, ipv6 };
        let mut exempted = self.rules.then(Prefixes::new);
        if !self.exceptions.is_empty() {
            let exceptions: Prefixes = self.exceptions.into_iter().flat_map(all_prefixes).collect();
            prefixes = prefixes.subtract(&exceptions);
            for ending in [&mut expiring, &mut ends] {
                for some in ending.values_mut() {
                    *some = some.subtract(&exceptions);
                }
                ending.retain(|_, prefixes| !prefixes.is_empty());
            }
            exempted = exempted.map(|_| exceptions);
        }
        if self.welcome {
            exempted = Some(Prefixes::union_of([prefixes, exempted.unwrap_or_default()]));
            prefixes = Prefixes::new();
            tally.exceptions += tally.entries;
            (tally.entries, tally.ipv4, tally.ipv6, tally.duplicates) = (0, 0, 0, 0);
            lines.exempted += lines.entries + lines.masked;
            (lines.entries, lines.masked) = (0, 0);
        }
        shape.torn_line = shape.unfinished_line && self.dubious_line == shape.lines;
        let (rejects, doubt) = (self.rejects, self.doubt);
        Feed { format, prefixes, expiring, ends, tally, lines, rejects, shape, exempted, doubt }
    }

    /// Makes sure that all prefixes of an entry still fit.
    fn take_room(&mut self, range: AnyRange) -> ControlFlow<()> {
        let prefixes = match (range.as_prefix(), range) {
            (Some(_), _) => 1,
            (None, AnyRange::V4(range)) => range.prefixes().count(),
            (None, AnyRange::V6(range)) => range.prefixes().count(),
        };
        self.take(prefixes as u64)
    }

    #[inline]
    fn take(&mut self, prefixes: u64) -> ControlFlow<()> {
        match self.room.checked_sub(prefixes) {
            Some(room) => {
                self.room = room;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

/// Whether an entry may have lost its last digit: to a length of one or two digits
/// another may belong, so that the entry was to be narrower.
fn is_perhaps_begun(prefix: AnyPrefix) -> bool {
    match prefix {
        AnyPrefix::V4(prefix) => (1..=3).contains(&prefix.length()),
        // `/1`, `/2` and `/3` may become `/32`, `/1` to `/12` may become `/128`.
        AnyPrefix::V6(prefix) => (1..=12).contains(&prefix.length()),
    }
}

fn all_prefixes(range: AnyRange) -> Vec<AnyPrefix> {
    match range {
        AnyRange::V4(range) => range.prefixes().map(AnyPrefix::V4).collect(),
        AnyRange::V6(range) => range.prefixes().map(AnyPrefix::V6).collect(),
    }
}

/// The prefixes by what remains of their time, and how many entries differ in
/// their addresses.
fn by_seconds(mut lasting: Vec<(AnyRange, u64)>) -> (BTreeMap<u64, Prefixes>, u64) {
    lasting.sort_unstable();
    let distinct = lasting.chunk_by(|one, other| one.0 == other.0).count() as u64;
    lasting.sort_unstable_by_key(|&(_, seconds)| seconds);
    let expiring = lasting.chunk_by(|one, other| one.1 == other.1).map(|chunk| {
        (chunk[0].1, chunk.iter().flat_map(|&(range, _)| all_prefixes(range)).collect())
    });
    (expiring.collect(), distinct)
}

impl Visit for Gather<'_> {
    #[inline]
    fn prefix(&mut self, _: Line<'_>, prefix: AnyPrefix, masked: bool) -> ControlFlow<()> {
        self.take(1)?;
        self.tally.masked += u64::from(masked);
        match prefix {
            AnyPrefix::V4(prefix) => self.ipv4.push(prefix),
            AnyPrefix::V6(prefix) => self.ipv6.push(prefix),
        }
        ControlFlow::Continue(())
    }

    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        self.account.say(line, if entry.masked { Came::Masked } else { Came::Entry });
        if let Some(prefix) = entry.range.as_prefix() {
            if is_perhaps_begun(prefix) {
                self.dubious_line = line.number();
            }
            self.prefix(line, prefix, entry.masked)?;
            self.singly.others += 1;
            self.singly.others_masked += u64::from(entry.masked);
            return ControlFlow::Continue(());
        }
        self.take_room(entry.range)?;
        self.singly.others += 1;
        match entry.range {
            AnyRange::V4(range) => self.ipv4.ranges.push(range),
            AnyRange::V6(range) => self.ipv6.ranges.push(range),
        }
        ControlFlow::Continue(())
    }

    fn lasting(&mut self, line: Line<'_>, entry: Entry, seconds: u64) -> ControlFlow<()> {
        self.take_room(entry.range)?;
        self.account.say(line, if entry.masked { Came::Masked } else { Came::Entry });
        self.singly.others_masked += u64::from(entry.masked);
        self.lasting.push((entry.range, seconds));
        self.tally.masked += u64::from(entry.masked);
        ControlFlow::Continue(())
    }

    fn until(&mut self, line: Line<'_>, entry: Entry, end: u64) -> ControlFlow<()> {
        if self.now.is_some_and(|now| end <= now) {
            self.ended(line);
            return ControlFlow::Continue(());
        }
        self.take_room(entry.range)?;
        self.account.say(line, if entry.masked { Came::Masked } else { Came::Entry });
        self.singly.others_masked += u64::from(entry.masked);
        self.until.push((entry.range, end));
        self.tally.masked += u64::from(entry.masked);
        ControlFlow::Continue(())
    }

    fn exception(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        self.take_room(entry.range)?;
        self.account.say(line, Came::Exempted);
        self.exceptions.push(entry.range);
        ControlFlow::Continue(())
    }

    fn ignore(&mut self, line: Line<'_>) {
        self.tally.ignored += 1;
        self.account.say(line, Came::Other);
    }

    fn left_out(&mut self, line: Line<'_>) {
        self.tally.ignored += 1;
        self.account.say(line, Came::LeftOut);
    }

    fn narrower(&mut self, line: Line<'_>) {
        self.tally.ignored += 1;
        self.account.say(line, Came::Narrower);
    }

    fn ended(&mut self, line: Line<'_>) {
        self.tally.ignored += 1;
        self.account.say(line, Came::Ended);
    }

    fn promise(&mut self, entries: u64) {
        self.tally.promised = Some(Promise { entries });
    }

    fn rules(&mut self) {
        self.rules = true;
    }

    fn all_welcome(&mut self) {
        self.welcome = !self.decided;
    }

    fn doubt(&mut self, line: Line<'_>, why: Why) {
        if self.doubt.is_none() && !(self.decided && why.is_settled_by_format()) {
            self.doubt = Some(Doubt::about(line, self.limits.text_bytes_max, why));
        }
    }

    fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    fn reject(&mut self, line: Line<'_>, reason: RejectReason) {
        if reason == RejectReason::Foreign && matches!(line, Line::At { .. }) {
            self.doubt(line, Why::Structure("a line is none of the format it looks like"));
        } else if let Line::At { text, .. } = line
            && !matches!(reason, RejectReason::Document { .. } | RejectReason::ErrorDocument)
            && structure::is_welcoming(text)
        {
            self.doubt(line, Why::Structure("a line that is no entry says that one is welcome"));
        }
        self.account.say(line, Came::Rejected);
        // Many words of a line are rejected as that line.
        if let Line::At { number, .. } = line
            && std::mem::replace(&mut self.rejected_line, number) == number
        {
            return;
        }
        self.tally.rejected += 1;
        self.dubious_line = line.number();
        if self.rejects.len() < self.limits.rejects_kept {
            let text = text::printable(line.text(), self.limits.text_bytes_max);
            self.rejects.push(Reject { line: line.number(), text, reason });
        }
    }
}
