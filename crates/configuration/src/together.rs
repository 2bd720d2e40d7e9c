//! What rules make of each other: those that together would let nobody
//! through, and more than the kernel takes. Each alone was found to be good.

use reconcile::{Hook, Interface, Ports, Rule, RuleSet, Verdict};

use super::RuleConfig;

/// Why `rule` cannot stand beside those `before` it, if it cannot.
pub(super) fn objection(rule: &RuleConfig, before: &[RuleConfig]) -> Option<String> {
    before.iter().find_map(|other| between(rule, other)).or_else(|| room(rule, before))
}

fn between(rule: &RuleConfig, other: &RuleConfig) -> Option<String> {
    // Both families say the same.
    let (here, there) = (&rule.rules[0], &other.rules[0]);
    if !meet_the_same_packets(here, there) {
        return None;
    }
    let (line, name, list) = (other.at.line, &there.name, &rule.list);
    let only = |rule: &Rule| rule.verdict == Verdict::AllowOnly;
    match (only(here), only(there), rule.list == other.list) {
        (true, true, false) => Some(format!(
            "`allow-only` by the list {list:?} contradicts the rule {name:?} in line {line}, which \
             lets only those in {:?} reach the same ports: only who is in both would get through; \
             put the feeds of both into one list",
            other.list
        )),
        (true, false, true) | (false, true, true) => Some(format!(
            "contradicts the rule {name:?} in line {line}: one refuses whoever is in the list \
             {list:?}, the other whoever is not, so that nobody would get through"
        )),
        _ => None,
    }
}

/// Whether there are packets that both rules are about, and by the same end.
fn meet_the_same_packets(one: &Rule, other: &Rule) -> bool {
    one.end == other.end
        && on_one_way(one.hook, other.hook)
        && either(&one.interfaces, &other.interfaces, is_same_interface)
        && either(&one.ports, &other.ports, overlap)
}

/// Whether some packets meet both hooks: what arrives is let in or passed on.
fn on_one_way(one: Hook, other: Hook) -> bool {
    one == other
        || matches!(
            (one, other),
            (Hook::Prerouting, Hook::Input | Hook::Forward)
                | (Hook::Input | Hook::Forward, Hook::Prerouting)
        )
}

/// Whether a pair of these goes together, where none stands for all.
fn either<T>(one: &[T], other: &[T], pair: fn(&T, &T) -> bool) -> bool {
    let open = one.is_empty() || other.is_empty();
    open || one.iter().any(|one| other.iter().any(|other| pair(one, other)))
}

fn is_same_interface(one: &Interface, other: &Interface) -> bool {
    let begins = |short: &Interface, long: &Interface| {
        short.any_ending() && long.name().starts_with(short.name())
    };
    one == other || begins(one, other) || begins(other, one)
}

fn overlap(one: &Ports, other: &Ports) -> bool {
    let (one_range, other_range) = (&one.range, &other.range);
    one.transport == other.transport
        && one_range.start() <= other_range.end()
        && other_range.start() <= one_range.end()
}

/// Whether the kernel takes one more.
fn room(rule: &RuleConfig, before: &[RuleConfig]) -> Option<String> {
    let parts = |rule: &RuleConfig| rule.rules[0].parts();
    let count = before.iter().chain([rule]).map(parts).sum::<usize>();
    let max = RuleSet::PARTS_MAX;
    (count > max && count - parts(rule) <= max).then(|| {
        format!(
            "with this one the rules take {count} rules of the kernel in each family, at most {max} \
             fit: each of them takes one for every range of ports on every interface"
        )
    })
}
