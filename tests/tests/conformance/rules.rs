//! Rules in the model against rules in the kernel: what it comes to to put some,
//! to find some, to have others flush them, and to take away what they name.

use std::time::{Duration, Instant};

use blocklist::Family;
use lab::namespace::isolated;
use lab::witness::succeed;
use netfilter::Netfilter;
use netfilter_model::{ModelKernel, Random};
use reconcile::{
    End, Hook, Kernel, KernelErrorKind, Observe, Op, RejectWith, Rule, RuleSet, RulesFound,
    SetName, Verdict,
};

use crate::scripts::{prefix, shadow, spec};

/// How long the kernel takes to let go of what rules named that are gone. It does
/// so behind everybody's back (`nf_tables_trans_destroy_work`).
const PATIENCE: Duration = Duration::from_secs(5);

/// One thing that is done, to the kernel and to the model alike.
#[derive(Clone, Debug)]
enum Step {
    Op(Op),
    Put(RuleSet),
    /// By somebody else: `nft flush ruleset`.
    Flush,
    /// By somebody else: our table of this family is deleted.
    Delete(Family),
}

fn live(list: &str, family: Family) -> SetName {
    prefix().live(list, family).expect("a good name")
}

fn rule(list: &str, family: Family, hook: Hook, verdict: Verdict) -> Rule {
    Rule {
        name: format!("{list} at {hook:?}"),
        set: live(list, family),
        end: End::Source,
        hook,
        verdict,
        ports: Vec::new(),
        interfaces: Vec::new(),
        new_only: false,
        sample: None,
    }
}

/// Rules that a family may have, none at all among them.
fn choices(family: Family) -> Vec<RuleSet> {
    let drop = rule("drop", family, Hook::Prerouting, Verdict::Drop);
    // The order counts in one hook, and nowhere else.
    let other = rule("other", family, Hook::Prerouting, Verdict::Drop);
    let again = rule("drop", family, Hook::Input, Verdict::Reject(RejectWith::Prohibited));
    let of = |rules: &[&Rule]| RuleSet::new(&prefix(), family, rules.iter().copied().cloned());
    vec![of(&[]), of(&[&drop]), of(&[&drop, &other]), of(&[&other, &drop]), of(&[&again, &drop])]
}

/// What is found, the counts apart.
fn found(kernel: &mut impl Observe) -> Vec<String> {
    let wanted = Family::ALL.into_iter().flat_map(choices);
    let told = wanted.map(|wanted| match kernel.rules(&wanted) {
        Ok(RulesFound::AsWanted(_)) => "as wanted".to_owned(),
        other => format!("{:?}", other.map_err(|error| error.kind)),
    });
    told.collect()
}

/// The sets, and how often each is referred to.
fn references(kernel: &mut impl Observe) -> Vec<(SetName, u32)> {
    let headers = kernel.sets(&prefix()).expect("sets can be listed");
    let mut all: Vec<_> = headers.into_iter().map(|one| (one.name, one.references)).collect();
    all.sort();
    all
}

fn outcome(kernel: &mut impl Kernel, step: &Step) -> Result<bool, KernelErrorKind> {
    match step {
        Step::Op(op) => kernel.execute(op).map(|()| true),
        Step::Put(rules) => kernel.put_rules(rules),
        Step::Flush | Step::Delete(_) => return Ok(true),
    }
    .map_err(|error| error.kind)
}

/// Does it to the kernel, and again while it is busy with what is gone already.
fn outcome_when_free(
    kernel: &mut Netfilter,
    step: &Step,
    want: Result<bool, KernelErrorKind>,
) -> Result<bool, KernelErrorKind> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let got = outcome(kernel, step);
        if got != Err(KernelErrorKind::Busy) || got == want || Instant::now() > deadline {
            return got;
        }
    }
}

/// Runs a script, and says at which step who told something else.
fn check(script: &[Step]) {
    isolated(|| {
        let mut real = Netfilter::open().expect("a kernel with ipset, and the capability");
        let mut model = ModelKernel::new(prefix());
        for (position, step) in script.iter().enumerate() {
            match step {
                Step::Flush => {
                    succeed("nft", &["flush", "ruleset"]);
                    model.machine().flush_rules();
                }
                Step::Delete(family) => delete(*family, &mut real, &model),
                Step::Op(_) | Step::Put(_) => {}
            }
            let want = outcome(&mut model, step);
            let got = outcome_when_free(&mut real, step, want);
            let before = &script[..position];
            let place = format!("after {before:#?},\nat {step:?}, first the model's");
            assert_eq!(want, got, "{place}");
            let deadline = Instant::now() + PATIENCE;
            while references(&mut real) != references(&mut model) && Instant::now() < deadline {}
            assert_eq!(references(&mut model), references(&mut real), "{place}");
            assert_eq!(found(&mut model), found(&mut real), "{place}");
        }
    });
}

/// Somebody deletes the table, if there is one.
fn delete(family: Family, real: &mut Netfilter, model: &ModelKernel) {
    let none = &choices(family)[0];
    if matches!(real.rules(none), Ok(RulesFound::Other(_))) {
        let family = if family == Family::Ipv4 { "ip" } else { "ip6" };
        succeed("nft", &["delete", "table", family, "denyset"]);
    }
    model.machine().flush_rules_of(family);
}

fn create(list: &str, family: Family) -> Step {
    Step::Op(Op::Create(spec(&live(list, family), 64, 100)))
}

#[test]
fn rules_are_put_as_a_whole_and_keep_the_sets_that_they_name() {
    for family in Family::ALL {
        let destroy = |list| Step::Op(Op::Destroy(live(list, family)));
        let [none, one, both, turned, twice] =
            <[RuleSet; 5]>::try_from(choices(family)).expect("five");
        check(&[
            Step::Put(none.clone()),
            Step::Put(one.clone()),
            create("drop", family),
            Step::Put(one.clone()),
            Step::Put(one.clone()),
            Step::Put(both.clone()),
            destroy("drop"),
            create("other", family),
            Step::Put(both),
            destroy("drop"),
            destroy("other"),
            Step::Put(turned),
            Step::Put(twice),
            destroy("other"),
            Step::Put(none),
            destroy("drop"),
        ]);
    }
}

#[test]
fn what_others_take_away_lets_the_sets_go() {
    for family in Family::ALL {
        let rules = choices(family)[2].clone();
        check(&[
            create("drop", family),
            create("other", family),
            Step::Put(rules.clone()),
            Step::Flush,
            Step::Put(rules.clone()),
            Step::Delete(family),
            Step::Op(Op::Destroy(live("other", family))),
            Step::Put(rules),
        ]);
    }
}

#[test]
fn a_swap_and_a_retirement_do_not_trouble_rules() {
    let family = Family::Ipv4;
    let (drop, other) = (live("drop", family), shadow(0, family));
    check(&[
        create("drop", family),
        Step::Put(choices(family)[1].clone()),
        Step::Op(Op::Create(spec(&other, 64, 100))),
        Step::Op(Op::Swap { shadow: other.clone(), live: drop.clone() }),
        Step::Op(Op::Destroy(drop.clone())),
        Step::Op(Op::Destroy(other.clone())),
        Step::Op(Op::Retire { set: drop.clone(), shadow: other.clone() }),
        Step::Put(choices(family)[0].clone()),
        Step::Op(Op::Retire { set: drop, shadow: other }),
    ]);
}

#[test]
fn random_scripts_of_rules_end_as_in_the_kernel() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        check(&(0..25).map(|_| random_step(&mut random)).collect::<Vec<_>>());
    }
}

fn random_step(random: &mut Random) -> Step {
    let family = *random.pick(&Family::ALL);
    let list = *random.pick(&["drop", "other"]);
    let set = live(list, family);
    match random.below(16) {
        0..4 => create(list, family),
        4..6 => Step::Op(Op::Destroy(set)),
        6 => Step::Op(Op::Flush(set)),
        7 => Step::Op(Op::Swap { shadow: live("other", family), live: live("drop", family) }),
        8 => Step::Flush,
        9 => Step::Delete(family),
        _ => Step::Put(random.pick(&choices(family)).clone()),
    }
}
