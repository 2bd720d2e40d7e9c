//! Long runs of the whole state machine by seed: files come, change and go,
//! some of them bad; the rest as in the runs of the planner.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use blocklist::Family;
use keeper::Event;
use reconcile::Update;

use super::RunReport;
use super::configured::WITHDRAW;
use super::random_run::{LISTS, RunOptions, put_fault_in_store, target};
use super::site::Site;
use super::world::{ModelWay, differences, live};
use crate::sets::RawName;
use crate::{Hand, Invariant, Random, prefixes};

/// The files of every list.
const FILES: [&str; 2] = ["a", "b"];
/// Steps between two moments at which all must be well.
const CALM_EVERY: u64 = 30;
/// Plans carried out after the last fault until everything must be in sync:
/// two rounds, and one for every set that rests until a moment of its own.
const APPLIED_MAX: u64 = 8;
/// Times that the keeper may want to be woken until then.
const WAKES_MAX: usize = 60;

/// As [`super::simulate`], with the state machine in the middle and feeds at
/// its other end.
pub fn simulate_site(seed: u64, steps: u64, options: &RunOptions) -> RunReport {
    let mut random = Random::new(seed);
    let seeded = *random.pick(&[ModelWay::Ops, ModelWay::Bytes]);
    let update = *random.pick(&[Update::Auto, Update::Swap, Update::InPlace]);
    let mut site = Site::new(options.way.unwrap_or(seeded), update);
    for step in 1..=steps {
        if random.chance(options.fault_percent) {
            put_fault_in_store(&mut random, &site.kernel, options);
        }
        act(&mut random, &mut site, options);
        if step % CALM_EVERY == 0 || step == steps {
            converge(&mut random, &mut site);
        }
        if !site.kernel.machine().checker.violations().is_empty() {
            break;
        }
    }
    RunReport::of(&site.kernel)
}

fn act(random: &mut Random, site: &mut Site, options: &RunOptions) {
    let list: &str = random.pick::<&str>(&LISTS);
    let feed = format!("{list}/{}", random.pick(&FILES));
    match random.below(20) {
        0..4 => site.write(&feed, good(random)),
        4 => site.write(&feed, bad(random)),
        5 => site.delete(&feed),
        6..8 => site.configure(list, true),
        8 => site.configure(list, false),
        9 => site.start(),
        10 => site.happened(Event::Resync),
        11 => site.disk_fails = random.chance(30),
        12 => refer(random, site, list),
        13 if options.foreign_hands => {
            let (hand, name) = (random.pick(&Hand::ALL).clone(), target(random, &site.kernel));
            site.kernel.machine().foreign(&hand, &name);
        }
        14 | 15 => site.pass_time(Duration::from_secs(20)),
        16 => drop(site.settle(random)),
        _ => {
            for _ in 0..random.below(6) {
                site.perform_one(random);
            }
        }
    }
}

fn refer(random: &mut Random, site: &Site, list: &str) {
    let mut machine = site.kernel.machine();
    for family in Family::ALL {
        let name = RawName::from(&live(list, family));
        if random.chance(50) {
            machine.drop_rules(&name);
        } else {
            machine.add_rule(&name);
        }
    }
}

fn good(random: &mut Random) -> String {
    let mut text = String::from("# a feed\n");
    for family in Family::ALL {
        for prefix in prefixes(random, family, 8) {
            writeln!(text, "{prefix}").expect("a string takes any text");
        }
    }
    text
}

fn bad(random: &mut Random) -> String {
    let page = "<!DOCTYPE html>\n<p>404\n".to_owned();
    let noise = "\0\0\x01\x02".to_owned();
    let words = "198.51.100.1\nno\nnot\nan\naddress\n".to_owned();
    random.pick(&[page, noise, words]).clone()
}

/// Faults end, every feed is good again, time passes: all must be well, and
/// stay so without a further op.
fn converge(random: &mut Random, site: &mut Site) {
    site.disk_fails = false;
    for list in LISTS {
        for file in FILES {
            site.write(&format!("{list}/{file}"), good(random));
        }
    }
    let wanted: BTreeSet<RawName> = site.wanted().keys().map(RawName::from).collect();
    site.kernel.machine().end_faults(&wanted);
    if site.kernel.machine().crashed() {
        site.start();
    }
    // What was being done when the faults ended may end badly yet.
    site.settle(random);
    site.happened(Event::Resync);
    let applied = site.applied;
    let calm = (0..WAKES_MAX).any(|_| {
        let ends = site.settle(random);
        let calm = ends && site.in_sync();
        if !calm {
            site.pass_time(WITHDRAW);
        }
        calm
    });
    let mut complaints = Vec::new();
    if !calm {
        complaints.push("the keeper does not come to rest in sync".to_owned());
    }
    let rounds = site.applied - applied;
    if rounds > APPLIED_MAX {
        complaints.push(format!("it took {rounds} plans"));
    }
    let wanted = site.wanted();
    let mut machine = site.kernel.machine();
    complaints.extend(differences(&wanted, &machine));
    let step = machine.steps();
    for text in complaints {
        machine.checker.report(step, Invariant::Converges, text);
    }
    for name in wanted.keys() {
        machine.checker.settle(&name.into());
    }
    drop(machine);
    site.forget_history();
    stay_idle(random, site);
}

fn stay_idle(random: &mut Random, site: &mut Site) {
    let applied = site.applied;
    for _ in 0..3 {
        site.pass_time(Duration::from_secs(3_600));
        site.settle(random);
    }
    if site.applied != applied {
        let mut machine = site.kernel.machine();
        let step = machine.steps();
        machine.checker.report(step, Invariant::Idle, "a plan was carried out in sync".to_owned());
    }
}
