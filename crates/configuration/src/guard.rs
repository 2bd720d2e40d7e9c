//! The keys of `[guard]`, which `[[list]]` and `[[feed]]` may override, and
//! which of several overrides is in force.

use std::str::FromStr as _;

use blocklist::{GuardPolicy, Protect};

use super::limits;
use super::section::{Section, Text, listed};

/// Guards as far as one table sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardOverrides {
    /// Unparsable lines, in percent of all.
    pub rejected_percent_max: Option<u32>,
    /// Shrinkage against the last good version, in percent.
    pub shrink_percent_max: Option<u32>,
    /// Growth against the last good version, in percent.
    pub growth_percent_max: Option<u32>,
    /// Share of the IPv4 address space, in percent.
    pub coverage_percent_max: Option<u32>,
    /// Whether a feed without any entry is taken.
    pub allow_empty: Option<bool>,
    /// Entries of one feed.
    pub entries_max: Option<u64>,
    /// What no deny list may hold.
    pub protect: Option<Vec<Protect>>,
}

impl GuardOverrides {
    /// Reads the keys out of a table that may have others too.
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let mut percent = |number| {
            let value = section.number(number)?;
            Some(u32::try_from(value).expect("the limits of percentages fit 32 bits"))
        };
        Self {
            rejected_percent_max: percent(&limits::REJECTED_PERCENT),
            shrink_percent_max: percent(&limits::SHRINK_PERCENT),
            growth_percent_max: percent(&limits::GROWTH_PERCENT),
            coverage_percent_max: percent(&limits::COVERAGE_PERCENT),
            allow_empty: section.flag("allow-empty"),
            entries_max: section.number(&limits::ENTRIES),
            protect: protect(section),
        }
    }

    /// `base` with what is set here in its place.
    #[must_use]
    pub fn over(&self, base: &GuardPolicy) -> GuardPolicy {
        GuardPolicy {
            rejected_percent_max: self.rejected_percent_max.unwrap_or(base.rejected_percent_max),
            shrink_percent_max: self.shrink_percent_max.unwrap_or(base.shrink_percent_max),
            growth_percent_max: self.growth_percent_max.unwrap_or(base.growth_percent_max),
            coverage_percent_max: self.coverage_percent_max.unwrap_or(base.coverage_percent_max),
            allow_empty: self.allow_empty.unwrap_or(base.allow_empty),
            entries_max: self.entries_max.unwrap_or(base.entries_max),
        }
    }
}

/// Of two policies that concern the same feed, every guard at its strictest.
pub(super) fn strictest(one: &GuardPolicy, other: &GuardPolicy) -> GuardPolicy {
    GuardPolicy {
        rejected_percent_max: one.rejected_percent_max.min(other.rejected_percent_max),
        shrink_percent_max: one.shrink_percent_max.min(other.shrink_percent_max),
        growth_percent_max: one.growth_percent_max.min(other.growth_percent_max),
        coverage_percent_max: one.coverage_percent_max.min(other.coverage_percent_max),
        allow_empty: one.allow_empty && other.allow_empty,
        entries_max: one.entries_max.min(other.entries_max),
    }
}

/// Reads `protect`: each category once, in the order given.
fn protect(section: &mut Section<'_, '_>) -> Option<Vec<Protect>> {
    let mut categories = Vec::new();
    for Text { text, at } in section.texts("protect")? {
        match Protect::from_str(text) {
            Ok(category) if !categories.contains(&category) => categories.push(category),
            Ok(_) => section.note(at, "protect", format!("{text:?} stands here twice")),
            Err(_) => {
                let allowed = listed(Protect::ALL.map(Protect::name));
                let message = format!("{text:?} is unknown, {allowed} is allowed");
                section.note(at, "protect", message);
            }
        }
    }
    Some(categories)
}
