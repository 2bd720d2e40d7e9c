//! What is in the kernel, as far as it is known. Every gap in that knowledge
//! has a name here, because a gap must lead to another look, never to a guess.

use std::collections::BTreeMap;

use blocklist::Family;

use crate::{
    Capacity, KernelError, KernelErrorKind, LaidOut, Members, Observe, Op, Rule, RuleSet,
    RulesFound, RulesSeen, SetName, SetPrefix, SetSpec,
};

/// The type that all our sets have.
const TYPE_NAME: &str = "hash:net";

/// A set's own description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetHeader {
    /// Its name, which has the form of ours. It may be somebody else's.
    pub name: SetName,
    /// `hash:net` and the like.
    pub type_name: String,
    /// The family it was created with; `None` if it has neither.
    pub family: Option<Family>,
    /// Buckets and limit of members. Zero for types without.
    pub capacity: Capacity,
    /// The start value of the hash, if the kernel tells it.
    pub initval: Option<u32>,
    /// Whether entries carry timeout, counters, comment or skbinfo, which
    /// ours never do.
    pub extensions: bool,
    /// How many rules and sets refer to it.
    pub references: u32,
    /// How many members it has.
    pub elements: u32,
}

impl SetHeader {
    /// Whether this describes the same set as `other` does, as far as its
    /// creation tells: neither recreated nor swapped meanwhile.
    pub fn same_set(&self, other: &Self) -> bool {
        let identity = |header: &Self| (header.family, header.initval, header.extensions);
        self.type_name == other.type_name && identity(self) == identity(other)
    }

    /// Whether the set is ours, by type, family and mark.
    pub fn standing(&self, prefix: &SetPrefix) -> Standing {
        let family = self.name.family();
        if self.type_name != TYPE_NAME {
            return Standing::Foreign(Foreign::Type(self.type_name.clone()));
        }
        if self.family != Some(family) {
            return Standing::Foreign(Foreign::Family);
        }
        match self.initval {
            Some(initval) if prefix.marks(initval, family) && !self.extensions => Standing::Ours,
            _ => Standing::Foreign(Foreign::Mark),
        }
    }
}

/// Whose a set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Made by a writer with our prefix.
    Ours,
    /// Made by anybody else: never changed, never listed.
    Foreign(Foreign),
}

/// By what a set that has one of our names is known to be somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// It is of this other type.
    #[error("it is a {0}")]
    Type(String),
    /// It is of the other family.
    #[error("it is of the other family")]
    Family,
    /// It does not carry our mark in its INITVAL, or carries extensions.
    #[error("it does not carry the mark of this program")]
    Mark,
}

/// One set as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedSet {
    /// What it says of itself.
    pub header: SetHeader,
    /// Whose it is.
    pub standing: Standing,
    /// Its members. `None` while they are not known, which is always so for
    /// foreign sets and for shadows.
    pub members: Option<Members>,
    /// What these were laid out from, if that is known.
    pub laid_out: Option<LaidOut>,
}

/// All sets with names of our form, as they were last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// By name.
    pub sets: BTreeMap<SetName, ObservedSet>,
    /// The rules that were looked for, one for each family at the most.
    pub rules: Vec<RulesSeen>,
}

impl Observed {
    /// Looks at the kernel: every header, and the members of every live set
    /// that is ours. Where those are still what was `known` of them, the new
    /// picture shares them with the old one.
    ///
    /// # Errors
    /// The [`KernelError`] of listing the sets. A set whose members cannot be
    /// read is in the picture without them.
    pub fn look(
        prefix: &SetPrefix,
        kernel: &mut impl Observe,
        known: Option<&Self>,
    ) -> Result<Self, KernelError> {
        let mut observed = Self::default();
        for header in kernel.sets(prefix)? {
            let standing = header.standing(prefix);
            let known = known.and_then(|known| known.sets.get(&header.name));
            let contents = match standing {
                Standing::Ours if !header.name.is_shadow() => contents(&header, known, kernel),
                _ => Ok((None, None)),
            };
            let (members, laid_out) = match contents {
                // It went between the two looks.
                Err(error) if error.kind == KernelErrorKind::NotFound => continue,
                contents => contents.unwrap_or_default(),
            };
            let name = header.name.clone();
            observed.sets.insert(name, ObservedSet { header, standing, members, laid_out });
        }
        Ok(observed)
    }

    /// Looks for rules. Where that fails, what is there is not known.
    pub fn look_for_rules<'a>(
        &mut self,
        wanted: impl IntoIterator<Item = &'a RuleSet>,
        kernel: &mut impl Observe,
    ) {
        let seen = |wanted: &RuleSet| RulesSeen {
            wanted: wanted.clone(),
            found: kernel.rules(wanted).ok(),
        };
        self.rules = wanted.into_iter().map(seen).collect();
    }

    /// Makes these the rules to look for next; what is known of others goes.
    /// Of rules of which only some could be put, those are what to look for.
    pub fn expect_rules(&mut self, wanted: &[RuleSet]) {
        let seen = |wanted: &RuleSet| {
            let known = self.rules.iter().find(|seen| seen.wanted == *wanted);
            if let (None, Some(part)) = (known, self.part_in_force(wanted)) {
                return part.clone();
            }
            let found = known.and_then(|seen| seen.found.clone());
            RulesSeen { wanted: wanted.clone(), found }
        };
        self.rules = wanted.iter().map(seen).collect();
    }

    /// What is known to stand where these rules should.
    pub fn rules_found(&self, wanted: &RuleSet) -> Option<&RulesFound> {
        self.rules.iter().find(|seen| seen.wanted == *wanted)?.found.as_ref()
    }

    /// Of rules of which only some could be put, those.
    pub fn part_in_force(&self, wanted: &RuleSet) -> Option<&RulesSeen> {
        self.rules.iter().find(|seen| {
            let in_force = matches!(seen.found, Some(RulesFound::AsWanted(_)));
            in_force && seen.wanted.is_part_of(wanted)
        })
    }

    /// Whether a rule is known to be in force.
    pub fn has_in_force(&self, rule: &Rule) -> bool {
        self.rules.iter().any(|seen| match &seen.found {
            Some(RulesFound::AsWanted(_)) => seen.wanted.rules().contains(rule),
            Some(RulesFound::Other(in_force)) => in_force.contains(rule),
            _ => false,
        })
    }

    /// Whether any rules of a family are known to be in force.
    pub(crate) fn has_rules_in_force(&self, family: Family) -> bool {
        self.rules.iter().any(|seen| {
            let in_force = matches!(seen.found, Some(RulesFound::AsWanted(_)));
            in_force && seen.wanted.family() == family && !seen.wanted.rules().is_empty()
        })
    }

    /// Whether a table of ours was seen that is neither what was looked for nor
    /// what was put last, which is `put`.
    pub(crate) fn has_others(&self, put: &RuleSet) -> bool {
        let of_family = |seen: &&RulesSeen| seen.wanted.family() == put.family();
        let mut others = self.rules.iter().filter(of_family).filter(|seen| seen.wanted != *put);
        others.any(|seen| matches!(seen.found, Some(RulesFound::Other(_))))
    }

    /// Notes that the rules of a family are not what was looked for. Says
    /// whether they were thought to be.
    pub fn lose_rules(&mut self, family: Family) -> bool {
        let mut seen = self.rules.iter_mut().filter(|seen| seen.wanted.family() == family);
        let Some(seen) = seen.next() else { return false };
        let were = matches!(seen.found, Some(RulesFound::AsWanted(_)));
        seen.found = Some(RulesFound::Other(Vec::new()));
        were
    }

    /// Notes that these rules are in the kernel now.
    pub(crate) fn note_rules(&mut self, put: &RuleSet) {
        self.rules.retain(|seen| seen.wanted.family() != put.family());
        let found = Some(RulesFound::AsWanted(Vec::new()));
        self.rules.push(RulesSeen { wanted: put.clone(), found });
    }

    /// Where rules were as wanted and are not any more, told of a set that
    /// they ask.
    fn rules_changed(&self, known: &Self) -> Vec<Difference> {
        let as_wanted = |found: &Option<RulesFound>| matches!(found, Some(RulesFound::AsWanted(_)));
        let were = known.rules.iter().filter(|seen| as_wanted(&seen.found));
        let gone = were.filter(|before| {
            let now = self.rules.iter().find(|seen| seen.wanted == before.wanted);
            now.is_some_and(|now| now.found.is_some() && !as_wanted(&now.found))
        });
        let differences = gone.filter_map(|seen| {
            let set = seen.wanted.rules().first()?.set.clone();
            Some(Difference { set, kind: DifferenceKind::Rules })
        });
        differences.collect()
    }

    /// Where this differs from what was `known`, set by set. Compares all
    /// members, so it takes some milliseconds a million.
    pub fn drift_from(&self, known: &Self) -> Vec<Difference> {
        let ours = known.sets.iter().filter(|(_, set)| set.standing == Standing::Ours);
        let differences = ours.filter_map(|(name, known)| {
            let kind = match self.sets.get(name) {
                None => DifferenceKind::Gone,
                Some(set) if set.standing != Standing::Ours => DifferenceKind::Replaced,
                Some(set) => match (&set.members, &known.members) {
                    (Some(found), Some(expected)) if found != expected => {
                        let [missing, extra] = expected.differences(found).map(|some| some.len());
                        DifferenceKind::Members { missing, extra }
                    }
                    _ => return None,
                },
            };
            Some(Difference { set: name.clone(), kind })
        });
        differences.chain(self.rules_changed(known)).collect()
    }

    /// Notes what is known after an op that succeeded. While members are
    /// written one chunk after the other they count as not known, until
    /// [`Self::settle`].
    pub(crate) fn note(&mut self, op: &Op) {
        match op {
            Op::Create(spec) => {
                self.sets.insert(spec.name.clone(), created(spec));
            }
            Op::Add { set, .. } | Op::Delete { set, .. } => {
                if let Some(set) = self.sets.get_mut(set) {
                    (set.members, set.laid_out) = (None, None);
                }
            }
            Op::Swap { shadow, live } => self.swap(shadow, live),
            Op::Retire { set, shadow } => self.rename(set, shadow),
            Op::Flush(set) => self.settle(set, &Members::none(set.family())),
            Op::Destroy(set) => {
                self.sets.remove(set);
            }
        }
    }

    /// Notes what the members of a set were laid out from.
    pub(crate) fn came_of(&mut self, set: &SetName, laid_out: Option<&LaidOut>) {
        if let Some(set) = self.sets.get_mut(set) {
            set.laid_out = laid_out.cloned();
        }
    }

    /// Notes that a set now holds exactly these members.
    pub(crate) fn settle(&mut self, set: &SetName, members: &Members) {
        if let Some(set) = self.sets.get_mut(set) {
            set.header.elements = u32::try_from(members.len()).unwrap_or(u32::MAX);
            set.members = Some(members.clone());
            set.laid_out = None;
        }
    }

    fn rename(&mut self, from: &SetName, to: &SetName) {
        if let Some(mut set) = self.sets.remove(from) {
            set.header.name = to.clone();
            self.sets.insert(to.clone(), set);
        }
    }

    /// Exchanges all but names and references.
    fn swap(&mut self, a: &SetName, b: &SetName) {
        let (Some(mut first), Some(mut second)) = (self.sets.remove(a), self.sets.remove(b)) else {
            return;
        };
        std::mem::swap(&mut first.header.name, &mut second.header.name);
        std::mem::swap(&mut first.header.references, &mut second.header.references);
        // It is on its way out, and a list's members are not kept for it.
        second.laid_out = None;
        self.sets.insert(a.clone(), second);
        self.sets.insert(b.clone(), first);
    }
}

/// How somebody else has changed a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The set.
    pub set: SetName,
    /// What was done to it.
    pub kind: DifferenceKind,
}

/// What was done to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceKind {
    /// It is not there under its name.
    #[error("the set was destroyed or renamed")]
    Gone,
    /// Somebody else's has its name.
    #[error("the set was replaced")]
    Replaced,
    /// The rules of its family are gone or others.
    #[error("the rules that ask the sets of this family were changed or removed")]
    Rules,
    /// Its members are others.
    #[error("{missing} members were taken out, {extra} were put in")]
    Members {
        /// Members that it should have and has not.
        missing: usize,
        /// Members that it has and should not.
        extra: usize,
    },
}

/// What a set holds, and what that was laid out from, if it is known.
fn contents(
    header: &SetHeader,
    known: Option<&ObservedSet>,
    kernel: &mut impl Observe,
) -> Result<(Option<Members>, Option<LaidOut>), KernelError> {
    if let Some(ObservedSet { members: Some(members), laid_out, .. }) = known
        && members.len() == header.elements as usize
        && kernel.holds(&header.name, members)?
    {
        return Ok((Some(members.clone()), laid_out.clone()));
    }
    Ok((Some(kernel.members(&header.name)?), None))
}

/// A set as it is right after its creation.
fn created(spec: &SetSpec) -> ObservedSet {
    let header = SetHeader {
        name: spec.name.clone(),
        type_name: TYPE_NAME.to_owned(),
        family: Some(spec.family()),
        capacity: spec.capacity,
        initval: Some(spec.initval),
        extensions: false,
        references: 0,
        elements: 0,
    };
    let members = Some(Members::none(spec.family()));
    ObservedSet { header, standing: Standing::Ours, members, laid_out: None }
}
