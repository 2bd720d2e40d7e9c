//! A cheap look for what others did behind our back. The kernel tells nobody
//! that a set was changed; asking for everything every few seconds would cost
//! more than the drift.

use std::fmt;

use crate::{
    Chunk, KernelError, KernelErrorKind, Members, Observe, RuleSet, RulesFound, SetHeader, SetName,
};

/// What to probe in one set.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The set as it was last seen.
    pub known: SetHeader,
    /// The members it should have; `None` for a set whose header alone
    /// matters, because it is not ours or only waits to go.
    pub members: Option<Members>,
    /// A few members that it should not have any more: they were taken out lately.
    pub gone: Option<Members>,
    /// How many members are tested at the most.
    pub tests: usize,
    /// Chooses the members that are tested, so that all get their turn.
    pub turn: usize,
    /// Whether to have the kernel count the members, which walks the table
    /// with a CPU's packets waiting: 20 ms for a million.
    pub count: bool,
    /// Rules to look for besides, if it is this set's turn to stand for them.
    pub rules: Option<RuleSet>,
}

/// What somebody else did to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is not there any more.
    Gone,
    /// Another set stands in its place, or what refers to it has changed.
    Replaced,
    /// The rules of its family are gone or others.
    Rules,
    /// Some of the members that were tested are missing.
    Absent {
        /// Members tested.
        tested: usize,
        /// Members missing among them.
        absent: usize,
    },
    /// Members that were taken out are back.
    Back {
        /// Members tested.
        tested: usize,
        /// Members that are back among them.
        back: usize,
    },
    /// There are more or fewer members than there should be.
    Count {
        /// How many there should be.
        expected: usize,
        /// How many the kernel counts.
        found: usize,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => out.write_str("the set is gone"),
            Self::Replaced => out.write_str("the set was replaced or what refers to it changed"),
            Self::Rules => out.write_str("the rules were changed or removed"),
            Self::Absent { tested, absent } => {
                write!(out, "{absent} of {tested} members tested are missing")
            }
            Self::Back { tested, back } => {
                write!(out, "{back} of {tested} members that were taken out are back")
            }
            Self::Count { expected, found } => {
                write!(out, "{found} members where {expected} should be")
            }
        }
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What somebody else did, if anything was noticed.
    pub drift: Option<Drift>,
    /// How many rules and sets refer to the set, if the header was read.
    pub references: Option<u32>,
}

impl Probe {
    /// The set's name.
    pub fn set(&self) -> &SetName {
        &self.known.name
    }

    /// Looks. No drift means that none was noticed, not that there is none.
    ///
    /// # Errors
    /// [`KernelError`], other than that the set is gone.
    pub fn look(&self, kernel: &mut impl Observe) -> Result<Found, KernelError> {
        let mut found = Found { drift: None, references: None };
        if self.count {
            let header = kernel.header(self.set())?;
            found.references = header.as_ref().map(|header| header.references);
            found.drift = header.map_or(Some(Drift::Gone), |header| self.compare(&header));
        }
        if found.drift.is_none() {
            found.drift = self.test(kernel)?;
        }
        if let (None, Some(rules)) = (found.drift, &self.rules)
            && !matches!(kernel.rules(rules)?, RulesFound::AsWanted(_))
        {
            found.drift = Some(Drift::Rules);
        }
        Ok(found)
    }

    /// Tests a few members.
    fn test(&self, kernel: &mut impl Observe) -> Result<Option<Drift>, KernelError> {
        let members = self.members.as_ref();
        let there = members.and_then(|members| Chunk::spread(members, self.tests, self.turn));
        let gone = self.gone.as_ref().filter(|_| members.is_some());
        let gone = gone.and_then(|gone| Chunk::spread(gone, self.tests, self.turn));
        let mut absent = |chunk: &Chunk| match kernel.absent(self.set(), chunk) {
            Ok(absent) => Ok(Some(absent)),
            Err(error) if error.kind == KernelErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        if let Some(chunk) = there {
            let tested = chunk.len();
            match absent(&chunk)? {
                None => return Ok(Some(Drift::Gone)),
                Some(0) => {}
                Some(absent) => return Ok(Some(Drift::Absent { tested, absent })),
            }
        }
        let Some(chunk) = gone else { return Ok(None) };
        let tested = chunk.len();
        Ok(match absent(&chunk)? {
            None => Some(Drift::Gone),
            Some(absent) if absent == tested => None,
            Some(absent) => Some(Drift::Back { tested, back: tested - absent }),
        })
    }

    fn compare(&self, header: &SetHeader) -> Option<Drift> {
        let Some(members) = &self.members else {
            let same = (header.references > 0) == (self.known.references > 0)
                && header.type_name == self.known.type_name
                && header.initval == self.known.initval;
            return (!same).then_some(Drift::Replaced);
        };
        if header.type_name != self.known.type_name || header.initval != self.known.initval {
            return Some(Drift::Replaced);
        }
        let (expected, found) = (members.len(), header.elements as usize);
        (expected != found).then_some(Drift::Count { expected, found })
    }
}
