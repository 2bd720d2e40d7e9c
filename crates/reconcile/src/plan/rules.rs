//! What must change in the rules. They are put as a whole, family by family,
//! and only where that shuts nobody out by mistake: a rule that lets only
//! members through waits until it is known that there are any, and the other
//! rules of its family do not wait with it.

use crate::step::{ObjectPlan, Phase, PlannedStep, Step};
use crate::{
    Desired, Gate, Object, Observed, Obstacle, Policy, Reason, Route, Rule, RuleSet, RulesFound,
    Standing, Verdict,
};

/// The plan for the rules of every family that is looked after. Where there
/// are none and should be none, nothing is said of it.
pub(super) fn plan(desired: &Desired, observed: &Observed, policy: &Policy) -> Vec<ObjectPlan> {
    let planned = desired.rules.iter().filter_map(|wanted| {
        let family = wanted.family();
        let object = Object::Rules(family);
        if is_in_force(wanted, observed) {
            let none = wanted.rules().is_empty();
            return (!none).then(|| ObjectPlan::nothing(object, Reason::InSync, None));
        }
        if let Some(obstacle) = rest(wanted, policy) {
            return Some(ObjectPlan::blocked(object, obstacle, None));
        }
        let waits = |rule: &&Rule| waits_for(rule, desired, observed, policy).is_some();
        let Some(first) = wanted.rules().iter().find(waits) else {
            return Some(put(object, wanted, None));
        };
        let obstacle = waits_for(first, desired, observed, policy);
        let shuts_out = matches!(obstacle, Some(Obstacle::ShutsOut(_)));
        let others = wanted.rules().iter().filter(|rule| !waits(rule)).cloned();
        let others = RuleSet::new(wanted.prefix(), family, others);
        let blocked = || ObjectPlan::blocked(object.clone(), obstacle.clone()?, None).into();
        match observed.rules_found(wanted) {
            Some(RulesFound::Other(_)) | None if observed.has_others(&others) => {
                // What is there may be a rule that must not go before its time.
                if policy.gate == Gate::AddOnly || shuts_out {
                    return blocked();
                }
                // What is there and wanted does not wait, the rest has to go.
                Some(put(object.clone(), &others, obstacle.clone()))
            }
            _ if others.rules().is_empty() && !observed.has_rules_in_force(family) => blocked(),
            _ if is_in_force(&others, observed) => blocked(),
            _ => Some(put(object.clone(), &others, obstacle.clone())),
        }
    });
    planned.collect()
}

fn is_in_force(wanted: &RuleSet, observed: &Observed) -> bool {
    matches!(observed.rules_found(wanted), Some(RulesFound::AsWanted(_)))
}

fn put(object: Object, rules: &RuleSet, obstacle: Option<Obstacle>) -> ObjectPlan {
    let steps = vec![PlannedStep { phase: Phase::Rule, step: Step::Put(rules.clone()) }];
    ObjectPlan {
        route: Route::Put,
        obstacle,
        steps,
        ..ObjectPlan::nothing(object, Reason::Rules, None)
    }
}

/// Why no rule of a family must be put now.
fn rest(wanted: &RuleSet, policy: &Policy) -> Option<Obstacle> {
    let failed = policy.resting_rules.contains(&wanted.family());
    // Who is let through is being found out.
    let only = wanted.rules().iter().any(|rule| rule.verdict == Verdict::AllowOnly);
    let unknown = wanted.rules().iter().any(|rule| policy.resting.contains(&rule.set));
    (failed || only && unknown).then_some(Obstacle::Resting)
}

/// Why one rule must not be put now, though others may. What is in force
/// already shuts nobody out who is not.
fn waits_for(
    rule: &Rule,
    desired: &Desired,
    observed: &Observed,
    policy: &Policy,
) -> Option<Obstacle> {
    if observed.has_in_force(rule) {
        return None;
    }
    // Whoever has made a set of our name decides what is in it.
    let standing = observed.sets.get(&rule.set).map(|seen| &seen.standing);
    if let Some(Standing::Foreign(foreign)) = standing {
        return Some(Obstacle::Foreign(foreign.clone()));
    }
    if policy.unclear.contains(&rule.set) {
        return Some(Obstacle::ShutsOut(rule.set.clone()));
    }
    if rule.verdict != Verdict::AllowOnly {
        return None;
    }
    if policy.gate == Gate::AddOnly {
        // Who may pass is not known yet.
        return Some(Obstacle::Gate);
    }
    let nobody = !lets_anybody_through(rule, desired, observed, policy);
    nobody.then(|| Obstacle::Nobody(rule.set.clone()))
}

/// Whether the sets that a rule asks will have any member, of either family. What
/// is held keeps members that no feed has any more, or gets none that feeds have.
fn lets_anybody_through(
    rule: &Rule,
    desired: &Desired,
    observed: &Observed,
    policy: &Policy,
) -> bool {
    let namesakes = desired.rules.iter().flat_map(RuleSet::rules);
    let mut sets = namesakes.filter(|other| other.name == rule.name).map(|other| &other.set);
    sets.any(|set| {
        let target = desired.sets.get(set);
        let after = target.and_then(|target| policy.after(set, target, observed.sets.get(set)));
        after.is_some_and(|after| !after.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use blocklist::{Family, Prefix, PrefixSet, Prefixes};

    use super::*;
    use crate::{End, Hold, Hook, PortProtocol, Ports, SetPrefix, Target};

    fn prefix() -> SetPrefix {
        SetPrefix::new("denyset-").expect("fits")
    }

    /// The rules of a list in both families, and its sets with so many members.
    fn desired(verdict: Verdict, ipv4: u32) -> Desired {
        let mut desired = Desired::default();
        let hosts: Vec<_> = (1..=ipv4).map(Prefix::host).collect();
        let members = Prefixes { ipv4: PrefixSet::from_unsorted(hosts), ..Prefixes::default() };
        let targets = Target::pair(members, Prefixes::default());
        desired.insert(&prefix(), "drop", targets).expect("fits");
        let rules = Family::ALL.map(|family| {
            let rule = Rule {
                name: "drop".to_owned(),
                set: prefix().live("drop", family).expect("fits"),
                end: End::Source,
                hook: Hook::Input,
                verdict,
                ports: vec![Ports { transport: PortProtocol::Tcp, range: 22..=22 }],
                interfaces: Vec::new(),
                new_only: false,
                sample: None,
            };
            RuleSet::new(&prefix(), family, [rule])
        });
        desired.rules = rules.into();
        desired
    }

    /// What the plan for the rules of IPv6 is.
    fn check(desired: &Desired, observed: &Observed, policy: &Policy, want: Result<Route, &str>) {
        let plans = plan(desired, observed, policy);
        let rules = Object::Rules(Family::Ipv6);
        let planned = plans.iter().find(|planned| planned.object == rules).expect("looked after");
        match (&planned.obstacle, want) {
            (None, Ok(route)) => assert_eq!(planned.route, route),
            (Some(obstacle), Err(why)) => {
                assert!(obstacle.to_string().contains(why), "{obstacle}");
                assert!(planned.steps.is_empty());
            }
            (_, want) => panic!("{planned:?} is not {want:?}"),
        }
    }

    #[test]
    fn rules_that_are_not_known_to_be_there_are_put_once() {
        let desired = desired(Verdict::Drop, 0);
        let (mut observed, policy) = (Observed::default(), Policy::new(prefix(), 0));
        check(&desired, &observed, &policy, Ok(Route::Put));
        observed.note_rules(&desired.rules[1]);
        check(&desired, &observed, &policy, Ok(Route::None));
        observed.expect_rules(&desired.rules[..1]);
        check(&desired, &observed, &policy, Ok(Route::Put));
    }

    #[test]
    fn what_lets_only_members_through_waits_until_somebody_is_known_to_be_one() {
        let observed = Observed::default();
        let open = Policy::new(prefix(), 0);
        let shut = Policy { gate: Gate::AddOnly, ..open.clone() };
        let nobody = Err("would shut everybody out");
        check(&desired(Verdict::AllowOnly, 0), &observed, &open, nobody);
        // A member of the other family is one: IPv6 is shut, and meant to be.
        check(&desired(Verdict::AllowOnly, 1), &observed, &open, Ok(Route::Put));
        check(&desired(Verdict::AllowOnly, 1), &observed, &shut, Err("before all feeds"));
        check(&desired(Verdict::Drop, 0), &observed, &shut, Ok(Route::Put));
    }

    #[test]
    fn of_a_list_that_is_held_what_its_sets_will_hold_counts() {
        let mut seen = Observed::default();
        let held = |hold| {
            let sets = Family::ALL.map(|family| prefix().live("drop", family).expect("fits"));
            let held = sets.map(|set| (set, hold)).into();
            Policy { held, ..Policy::new(prefix(), 0) }
        };
        let nobody = Err("would shut everybody out");
        // What feeds say does not come into a set that gains nothing.
        check(&desired(Verdict::AllowOnly, 1), &seen, &held(Hold::Frozen), nobody);
        // What they do not say any more stays in one that loses nothing, and the
        // rule with it that somebody has taken away.
        let there = desired(Verdict::AllowOnly, 1);
        for (name, target) in there.sets {
            let spec = held(Hold::AddOnly).spec(name.clone(), 1);
            seen.note(&crate::Op::Create(spec));
            seen.settle(&name, &target.members);
        }
        let none = desired(Verdict::AllowOnly, 0);
        check(&none, &seen, &held(Hold::AddOnly), Ok(Route::Put));
        check(&none, &seen, &held(Hold::Frozen), Ok(Route::Put));
        check(&none, &seen, &Policy::new(prefix(), 0), nobody);
    }

    #[test]
    fn a_rule_that_waits_holds_no_other_back() {
        let mut desired = desired(Verdict::AllowOnly, 0);
        let only = desired.rules[1].rules()[0].clone();
        let drop = Rule { name: "more".to_owned(), verdict: Verdict::Drop, ..only.clone() };
        let both = RuleSet::new(&prefix(), Family::Ipv6, [only, drop.clone()]);
        let others = RuleSet::new(&prefix(), Family::Ipv6, [drop]);
        desired.rules = vec![both.clone()];
        let policy = Policy::new(prefix(), 0);
        let mut observed = Observed::default();
        let check = |observed: &Observed, want: Option<&RuleSet>| {
            let plans = plan(&desired, observed, &policy);
            let [planned] = &plans[..] else { panic!("{plans:?}") };
            assert!(matches!(planned.obstacle, Some(Obstacle::Nobody(_))), "{planned:?}");
            let put = planned.steps.iter().find_map(|planned| match &planned.step {
                Step::Put(rules) => Some(rules),
                _ => None,
            });
            assert_eq!(put, want);
        };
        check(&observed, Some(&others));
        observed.note_rules(&others);
        check(&observed, None);
        // The next look is for what was put, and not for what waits.
        observed.expect_rules(&desired.rules);
        check(&observed, None);
        // What is in force already stays, and does not wait for anybody.
        observed.note_rules(&both);
        let changed = Rule { name: "new".to_owned(), ..both.rules()[1].clone() };
        let more = both.rules().iter().cloned().chain([changed]);
        desired.rules = vec![RuleSet::new(&prefix(), Family::Ipv6, more)];
        assert_eq!(plan(&desired, &observed, &policy)[0].obstacle, None);
    }

    #[test]
    fn what_is_in_force_among_others_does_not_go_while_another_waits() {
        let mut desired = desired(Verdict::AllowOnly, 1);
        let only = desired.rules[1].rules()[0].clone();
        let other = Rule { name: "more".to_owned(), ..only.clone() };
        let both = RuleSet::new(&prefix(), Family::Ipv6, [only.clone(), other.clone()]);
        desired.rules = vec![both.clone()];
        let shut = Policy { gate: Gate::AddOnly, ..Policy::new(prefix(), 0) };
        let unclear = [only.set.clone()].into();
        let unclear = Policy { unclear, ..Policy::new(prefix(), 0) };
        let check = |in_force: &[Rule], policy: &Policy, puts: bool| {
            let mut observed = Observed::default();
            observed.expect_rules(std::slice::from_ref(&both));
            observed.rules[0].found = Some(RulesFound::Other(in_force.to_vec()));
            let plans = plan(&desired, &observed, policy);
            assert_eq!(plans[0].steps.is_empty(), !puts, "{plans:?}");
        };
        // Before it is known who may come in, or as long as somebody would be shut
        // out, nothing goes: it may be what lets them in now.
        check(std::slice::from_ref(&only), &shut, false);
        check(&[], &unclear, false);
        check(&[only.clone(), other], &shut, true);
        check(&[only], &Policy::new(prefix(), 0), true);
    }

    #[test]
    fn rules_that_failed_rest() {
        let mut policy = Policy::new(prefix(), 0);
        policy.resting_rules.insert(Family::Ipv6);
        check(&desired(Verdict::Drop, 1), &Observed::default(), &policy, Err("tried again"));
    }

    #[test]
    fn of_no_rules_where_there_are_none_nothing_is_said() {
        let mut desired = Desired {
            rules: vec![RuleSet::new(&prefix(), Family::Ipv4, [])],
            ..Desired::default()
        };
        let mut observed = Observed::default();
        let policy = Policy::new(prefix(), 0);
        assert_eq!(plan(&desired, &observed, &policy).len(), 1);
        observed.note_rules(&desired.rules[0]);
        assert_eq!(plan(&desired, &observed, &policy), []);
        desired.rules.clear();
        assert_eq!(plan(&desired, &Observed::default(), &policy), []);
    }
}
