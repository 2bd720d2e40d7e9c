//! Observing: listings, headers, members, tests. A set that is not a plain
//! `hash:net` of its family has no members as far as this is concerned.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use blocklist::{Address, AnyPrefix, Family, Prefix, PrefixSet};
use reconcile::{
    Capacity, Chunk, KernelError, KernelErrorKind, Members, Observe, RuleSet, RulesFound,
    SetHeader, SetName, SetPrefix, Stage,
};

use super::Netfilter;
use super::sum::MemberSum;
use crate::limits::TESTS_PER_SEND;
use crate::wire::{TYPE_NAME, code};
use crate::{ExchangeFailure, ListingPart, Request, SetEntry, Transport, WireHeader};

impl<T: Transport> Observe for Netfilter<T> {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        let mut names = Vec::new();
        self.exchange
            .list(&Request::Names, |part| names.extend(prefix.recognise(&part.name)))
            .map_err(|failure| failure.error(Stage::List, None, None))?;
        let mut headers = Vec::with_capacity(names.len());
        for name in &names {
            headers.extend(self.header(name)?);
        }
        Ok(headers)
    }

    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        let mut header = None;
        let listed = self.exchange.list(&Request::Header(set), |part| {
            header = about(set, part).and_then(|part| part.header);
        });
        match listed {
            Ok(()) => Ok(header.map(|header| set_header(set, header))),
            Err(failure) if failure.kind(Stage::List) == KernelErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure.at(Stage::List, set)),
        }
    }

    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        let mut dump = Dump::default();
        self.exchange
            .list(&Request::Dump(set), |part| dump.take(set, part))
            .map_err(|failure| failure.at(Stage::Dump, set))?;
        dump.finish(set.family()).map_err(|(kind, detail)| KernelError {
            detail,
            ..KernelError::new(Stage::Dump, set, kind)
        })
    }

    fn holds(&mut self, set: &SetName, members: &Members) -> Result<bool, KernelError> {
        let (keys, hurry) = (self.keys, self.hurry.clone());
        let at_leisure = || hurry.as_ref().is_some_and(|hurry| !hurry.load(Ordering::Relaxed));
        let (mut header, mut found) = (None, MemberSum::default());
        let mut begun = Instant::now();
        let mut worked = || {
            if at_leisure() && begun.elapsed() >= PIECE {
                thread::sleep(begun.elapsed());
                begun = Instant::now();
            }
        };
        let take = |part| {
            let Some(part) = about(set, part) else { return };
            header = part.header.or(header.take());
            part.entries.into_iter().for_each(|entry| found.add(entry, &keys));
            worked();
        };
        self.exchange
            .list(&Request::Dump(set), take)
            .map_err(|failure| failure.at(Stage::Dump, set))?;
        let ours = header.is_some_and(|header| is_ours(&header, set.family()));
        Ok(ours && found == MemberSum::of(members, &keys))
    }

    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        let mut absent = 0;
        for start in (0..chunk.len()).step_by(TESTS_PER_SEND) {
            let part = start..chunk.len().min(start + TESTS_PER_SEND);
            let count = u32::try_from(part.len()).expect("at most TESTS_PER_SEND");
            let first = self.exchange.reserve(count);
            let outcome = match self.batch.tests(set, chunk, part, first) {
                Ok(messages) => self.exchange.group(messages, first, count),
                Err(unwritable) => Err(ExchangeFailure::Unwritable(unwritable)),
            };
            let codes = outcome.map_err(|failure| failure.at(Stage::Test, set))?;
            // Anything but a miss says that nothing was tested.
            if let Some(&code) = codes.iter().find(|&&code| code != code::EXIST) {
                return Err(ExchangeFailure::Refused { code, number: None }.at(Stage::Test, set));
            }
            absent += codes.len();
        }
        Ok(absent)
    }

    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        if address.family() != set.family() {
            return Ok(false);
        }
        let outcome = self.exchange.command(&Request::Matches { set, address });
        match outcome {
            Ok(()) => Ok(true),
            Err(ExchangeFailure::Refused { code: code::EXIST, .. }) => Ok(false),
            Err(failure) => Err(failure.at(Stage::Test, set)),
        }
    }

    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        self.find_rules(wanted)
    }
}

/// How long members are compared before a pause of as long.
const PIECE: Duration = Duration::from_micros(500);

/// Whether it is a set of our type for a family.
fn is_ours(header: &WireHeader, family: Family) -> bool {
    header.type_name == TYPE_NAME && header.family == Some(family)
}

/// The part, if it is about this set, which it always should be.
fn about(set: &SetName, part: ListingPart) -> Option<ListingPart> {
    (part.name == set.as_str().as_bytes()).then_some(part)
}

fn set_header(name: &SetName, header: WireHeader) -> SetHeader {
    SetHeader {
        name: name.clone(),
        type_name: header.type_name,
        family: header.family,
        capacity: Capacity { hashsize: header.hashsize, maxelem: header.maxelem },
        initval: header.initval,
        extensions: header.extensions,
        references: header.references,
        elements: header.elements,
    }
}

/// A listing of members, as far as it has arrived.
#[derive(Default)]
struct Dump {
    header: Option<WireHeader>,
    ipv4: Vec<Prefix<u32>>,
    ipv6: Vec<Prefix<u128>>,
    /// Entries that are not plain prefixes.
    other: usize,
}

impl Dump {
    fn take(&mut self, set: &SetName, part: ListingPart) {
        let Some(part) = about(set, part) else { return };
        if let Some(header) = part.header {
            let expected = header.elements as usize;
            match set.family() {
                Family::Ipv4 => self.ipv4.reserve(expected),
                Family::Ipv6 => self.ipv6.reserve(expected),
            }
            self.header = Some(header);
        }
        for entry in part.entries {
            match entry {
                SetEntry::Member(AnyPrefix::V4(prefix)) => self.ipv4.push(prefix),
                SetEntry::Member(AnyPrefix::V6(prefix)) => self.ipv6.push(prefix),
                SetEntry::Other => self.other += 1,
            }
        }
    }

    /// The members, if they are what the header promises.
    fn finish(self, family: Family) -> Result<Members, (KernelErrorKind, String)> {
        let changed = |detail| Err((KernelErrorKind::Changed, detail));
        let Some(header) = self.header else { return changed("no header arrived".to_owned()) };
        if !is_ours(&header, family) {
            let found = header.family.map_or("no family", Family::name);
            let detail = format!("it is a {} of {found}", header.type_name);
            return Err((KernelErrorKind::Mismatch, detail));
        }
        if self.other > 0 {
            return changed(format!("{} members are not plain prefixes", self.other));
        }
        let members: Members = match family {
            Family::Ipv4 => sorted(self.ipv4).into(),
            Family::Ipv6 => sorted(self.ipv6).into(),
        };
        if members.len() != header.elements as usize {
            return changed(format!("{} of {} members read", members.len(), header.elements));
        }
        Ok(members)
    }
}

fn sorted<A: Address>(prefixes: Vec<Prefix<A>>) -> PrefixSet<A> {
    PrefixSet::from_unsorted(prefixes)
}
