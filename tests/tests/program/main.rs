//! The built program, from outside: files go in, and `ipset`, packets, exit
//! codes, the log and JSON say what came out. One promise a test.

mod algebra;
mod around;
mod attacked;
mod beside;
mod boot;
mod clients;
mod clock;
mod configuration;
mod contents;
mod deciding;
mod exports;
mod facts;
mod files;
mod first;
mod foreign;
mod gateway;
mod given;
mod handed;
mod hits;
mod kills;
mod layouts;
mod leftovers;
mod life;
mod load;
mod lockout;
mod looking;
mod losses;
mod manual;
mod neighbours;
mod questions;
mod reading;
mod reload;
mod rights;
mod rules;
mod scarcity;
mod servers;
mod state;
mod steady;
mod stories;
mod taken;
mod unit;
mod verbs;
mod watching;
mod web;

use lab::members::SortedPrefixes;
use lab::witness::members;

/// The sets of the list that every [`lab::host::Config`] has.
const V4: &str = "denyset-drop-v4";
const V6: &str = "denyset-drop-v6";

/// A feed that nothing is wrong with: hosts and prefixes of both families.
fn good() -> SortedPrefixes {
    let hosts = (1..=40).map(|last| format!("45.9.8.{last} 2a01:4f8::{last}"));
    SortedPrefixes::of(&(hosts.collect::<Vec<_>>().join(" ") + " 91.200.0.0/16 2a02:6b8::/32"))
}

/// Asserts that the sets hold exactly `want`.
#[track_caller]
fn kernel_holds(want: &SortedPrefixes) {
    members(V4).expect(&want.family(true));
    members(V6).expect(&want.family(false));
}

/// A user who is nobody else.
const NOBODY: &str = "65534";

/// Whether there are other users than root here. In a user namespace that
/// somebody made who is not root there are none, and what is promised of them
/// cannot be tried.
fn has_other_users() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").expect("it is there");
    let numbers = |line: &str| line.split_whitespace().map(str::parse).collect::<Vec<_>>();
    let has = map.lines().any(|line| {
        let [Ok(first), _, Ok(count)] = numbers(line)[..] else { return false };
        (first..first + count).contains(&NOBODY.parse::<u64>().expect("a number"))
    });
    if !has {
        eprintln!("NOT TRIED: there is no user {NOBODY} here; run the tests as root for it");
    }
    has
}
