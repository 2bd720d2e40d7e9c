//! Foreign hands: what others do to our sets is noticed and repaired, and
//! their own sets are never touched, whatever their names.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::witness::{drop_from, ipset, names, saved_set};

use crate::{V4, V6, good, kernel_holds};

fn watchful() -> Config {
    let daemon = "settle-ms = 20\nprobe-seconds = 1\naudit-seconds = 1".into();
    Config { daemon, ..Config::default() }
}

/// Something is done behind the daemon's back, noticed and repaired.
fn check(meddle: &[&str]) {
    isolated(|| {
        let host = Host::with(&watchful());
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        kernel_holds(&good());
        let before = daemon.log().len();
        for line in meddle {
            ipset(line);
        }
        daemon.wait_logged_since(before, &["WARN", "somebody else changed set"]);
        daemon.until_members(V4, good().family(true).len());
        daemon.until_members(V6, good().family(false).len());
        kernel_holds(&good());
        assert_eq!(names(), [V4, V6]);
        daemon.assert_alive();
    });
}

#[test]
fn a_flushed_set_is_filled_again() {
    check(&["flush denyset-drop-v4"]);
}

#[test]
fn flushing_everything_is_repaired_in_both_families() {
    check(&["flush"]);
}

#[test]
fn a_destroyed_set_is_made_again() {
    check(&["destroy denyset-drop-v6"]);
}

#[test]
fn destroying_everything_is_repaired() {
    check(&["destroy"]);
}

#[test]
fn a_member_that_others_added_is_removed() {
    check(&["add denyset-drop-v4 8.8.8.8"]);
}

#[test]
fn a_member_that_others_deleted_is_added() {
    check(&["del denyset-drop-v4 45.9.8.7"]);
}

#[test]
fn one_member_exchanged_for_another_is_found_by_the_audit() {
    check(&["del denyset-drop-v4 45.9.8.7", "add denyset-drop-v4 8.8.8.8"]);
}

#[test]
fn a_renamed_set_is_made_again_and_the_other_name_is_not_kept() {
    isolated(|| {
        let host = Host::with(&watchful());
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        ipset("rename denyset-drop-v4 elsewhere");
        daemon.wait_logged(&["somebody else changed set"]);
        daemon.until_members(V4, good().family(true).len());
        kernel_holds(&good());
        assert!(names().contains(&"elsewhere".to_owned()), "what has no name of ours is not ours");
    });
}

#[test]
fn a_set_that_a_rule_names_is_repaired_in_its_place() {
    isolated(|| {
        let host = Host::with(&watchful());
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        drop_from(V4);
        ipset("flush denyset-drop-v4");
        daemon.wait_logged(&["somebody else changed set"]);
        let status = daemon.until_members(V4, good().family(true).len());
        assert_eq!(status["sets"][0]["references"], 1, "{status:#}");
        kernel_holds(&good());
    });
}

/// Sets of others, and their members.
const FOREIGN: [(&str, &str); 7] = [
    ("web hash:net", "8.8.8.8"),
    ("denyset hash:net", "8.8.8.8"),
    ("denyset- hash:net", "8.8.8.8"),
    ("denyset-other-v4 hash:ip", "8.8.8.8"),
    ("denyset-gone-v4 hash:net", "8.8.8.8"),
    ("denyset-.3-v4 hash:net", "8.8.8.8"),
    ("denyset-old-v6 hash:net family inet6 comment", "2a00::1"),
];

#[test]
fn foreign_sets_are_never_touched_whatever_their_names() {
    isolated(|| {
        for (create, member) in FOREIGN {
            ipset(&format!("create {create}"));
            let name = create.split(' ').next().expect("a name");
            ipset(&format!("add {name} {member}"));
        }
        let before: Vec<_> = names().iter().map(|name| saved_set(name)).collect();
        let unchanged = || {
            for set in before.iter().flatten() {
                assert_eq!(saved_set(&set.name).as_ref(), Some(set));
            }
        };
        let host = Host::with(&watchful());
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        unchanged();
        ipset("flush denyset-drop-v4");
        daemon.wait_logged(&["somebody else changed set"]);
        daemon.until_members(V4, good().family(true).len());
        host.denyset("resync").exits(0);
        unchanged();
        daemon.stop();
        host.denyset("teardown").exits(0);
        unchanged();
        assert_eq!(names().len(), FOREIGN.len());
    });
}

#[test]
fn a_foreign_set_under_our_very_name_is_left_alone_and_reported() {
    isolated(|| {
        ipset("create denyset-drop-v4 hash:net comment");
        ipset("add denyset-drop-v4 8.8.8.8");
        let before = saved_set(V4);
        let host = Host::with(&watchful());
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::spawn(&host);
        daemon.expect_error("cannot be brought to what it should be");
        daemon.wait_logged(&["ERROR", "denyset-drop-v4"]);
        daemon.until("degraded", |status| {
            status["in-sync"] == false && status["degraded"].to_string().contains(V4)
        });
        // The other family is not held up.
        lab::witness::members(V6).expect(&good().family(false));
        assert_eq!(saved_set(V4), before);
        daemon.assert_alive();
        // Once it is out of the way, all is well without another hand.
        ipset("destroy denyset-drop-v4");
        daemon.until_members(V4, good().family(true).len());
        kernel_holds(&good());
    });
}
