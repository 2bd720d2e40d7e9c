//! The keys of `[guard]`, which `[[list]]` and `[[feed]]` may override, and
//! which of several overrides is in force.

use std::str::FromStr as _;

use blocklist::Protect;
use intake::GuardOverrides;

use super::limits;
use super::section::{Section, Text, listed};

/// Reads the keys out of a table that may have others too.
pub(super) fn read(section: &mut Section<'_, '_>) -> GuardOverrides {
    let mut percent = |number| {
        let value = section.number(number)?;
        Some(u32::try_from(value).expect("the limits of percentages fit 32 bits"))
    };
    GuardOverrides {
        rejected_percent_max: percent(&limits::REJECTED_PERCENT),
        shrink_percent_max: percent(&limits::SHRINK_PERCENT),
        growth_percent_max: percent(&limits::GROWTH_PERCENT),
        coverage_percent_max: percent(&limits::COVERAGE_PERCENT),
        allow_empty: section.flag("allow-empty"),
        entries_max: section.number(&limits::ENTRIES),
        protect: protect(section),
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
