//! What lets packets through though lists and rules are as they should be:
//! ways around rules, and sets that nothing asks.

use blocklist::Family;
use reconcile::{Bypass, Rule, RulesSeen};

use crate::snapshot::SnapshotFacts;

/// Rules that one sentence names.
const NAMED_MAX: usize = 5;

/// One sentence each on what carries packets past these rules.
pub fn ways_around<'a>(
    bypasses: &[Bypass],
    rules: &(impl Iterator<Item = &'a Rule> + Clone),
) -> Vec<String> {
    let sentence = |bypass: &Bypass| {
        let passed = rules.clone().filter(|rule| bypass.passes(rule));
        let mut names: Vec<&str> = passed.map(|rule| rule.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(NAMED_MAX);
        names.truncate(NAMED_MAX);
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let plural = if names.len() > 1 { "the rules" } else { "the rule" };
        let line = format!("{bypass}; it concerns {plural} {}{and_more}", names.join(", "));
        (!names.is_empty()).then_some(line)
    };
    bypasses.iter().filter_map(sentence).collect()
}

/// What nothing in the kernel asks is not blocked, and which line to add.
pub fn nobody_asks(list: &str, set: &str, family: Family) -> String {
    let program = match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    };
    format!(
        "nothing in the kernel asks the set {set}, so that it blocks nothing: add a [[rule]] with \
         list = {list:?}, or a rule of your own, `{program} -t raw -I PREROUTING -m set --match-set \
         {set} src -j DROP`"
    )
}

/// Everything of the kind that the snapshot knows.
pub(super) fn warnings(facts: &SnapshotFacts) -> Vec<String> {
    let rules = facts.rules.iter().flat_map(|seen: &RulesSeen| seen.wanted.rules());
    let mut sentences = ways_around(&facts.surroundings.bypasses, &rules);
    for list in &facts.lists {
        for family in Family::ALL {
            let name = &list.list.name;
            let Ok(set) = facts.prefix.live(name, family) else { continue };
            let seen = facts.sets.get(&set).and_then(|set| set.seen);
            let is_asked = rules.clone().any(|rule| rule.set == set);
            if seen.is_some_and(|seen| seen.is_ours && seen.references == 0) && !is_asked {
                sentences.push(nobody_asks(name, &set.to_string(), family));
            }
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use reconcile::{BypassKind, End, Hook, SetPrefix, Verdict};

    use super::*;

    #[test]
    fn a_way_around_is_told_with_the_rules_that_it_passes_by() {
        let bypass = Bypass { kind: BypassKind::Bridge, interfaces: vec!["br0".to_owned()] };
        let rule = |number: usize, hook| Rule {
            name: format!("r{number}"),
            set: SetPrefix::new("x-").and_then(|x| x.live("a", Family::Ipv4)).expect("fits"),
            end: End::Source,
            hook,
            verdict: Verdict::Drop,
            ports: Vec::new(),
            interfaces: Vec::new(),
            new_only: false,
            sample: None,
        };
        let check = |count: usize, hook, end: Option<&str>| {
            let rules: Vec<_> = (0..count).map(|number| rule(number, hook)).collect();
            let told = ways_around(std::slice::from_ref(&bypass), &rules.iter());
            assert_eq!(told.len(), usize::from(end.is_some()), "{told:?}");
            assert!(end.is_none_or(|end| told[0].ends_with(end)), "{told:?}");
        };
        check(0, Hook::Forward, None);
        check(2, Hook::Input, None);
        check(1, Hook::Forward, Some("; it concerns the rule r0"));
        check(7, Hook::Prerouting, Some("; it concerns the rules r0, r1, r2, r3, r4 and 2 more"));
    }
}
