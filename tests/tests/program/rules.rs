//! Rules of the program's own: `[[rule]]` is all that a host needs to block,
//! nobody's hands keep a rule away, and those that are not wanted go.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe};
use lab::wire::{FREE_V4, FREE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::{names, succeed};
use serde_json::Value;

use crate::{V4, V6};

const LIST: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
const RULE: &str = "[[rule]]\nlist = \"drop\"\n";

fn with(tables: &str) -> Config {
    let daemon = "settle-ms = 20\nprobe-seconds = 1\non-stop = \"keep\"".into();
    Config { daemon, tables: tables.to_owned(), ..Config::default() }
}

/// Both addresses that the tests list.
fn peers() -> SortedPrefixes {
    SortedPrefixes::of(&format!("{PEER_V4} {PEER_V6}"))
}

fn nft(line: &str) -> String {
    succeed("nft", &line.split_whitespace().collect::<Vec<_>>())
}

/// What becomes of packets from the two addresses that are listed; others
/// always arrive.
#[track_caller]
fn check(probe: &mut PacketProbe, want: Fate) {
    for (listed, free) in [(PEER_V4.into(), FREE_V4.into()), (PEER_V6.into(), FREE_V6.into())] {
        assert_eq!(probe.fate(listed), want, "{listed}");
        assert_eq!(probe.fate(free), Fate::Delivered, "{free}");
    }
}

/// How many rules the status says are in place, if all are.
fn in_place(status: &Value) -> Option<usize> {
    let rules = status["rules"].as_array()?;
    rules.iter().all(|rule| rule["in-place"] == true).then_some(rules.len())
}

#[track_caller]
fn until_in_place(daemon: &Daemon<'_>, count: usize) {
    daemon.until("in place", |status| status["in-sync"] == true && in_place(status) == Some(count));
}

#[test]
fn one_line_blocks_and_goes_on_blocking_after_a_stop_and_a_kill() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", peers().feed());
        let daemon = Daemon::start(&host);
        until_in_place(&daemon, 2);
        check(&mut probe, Fate::Dropped);
        daemon.stop();
        check(&mut probe, Fate::Dropped);
        let handles = nft("-a list ruleset");
        let daemon = Daemon::start(&host);
        until_in_place(&daemon, 2);
        daemon.kill();
        check(&mut probe, Fate::Dropped);
        // What is as it should be is taken over, not made anew.
        let numbers = |text: &str| {
            let handles = text.lines().filter_map(|line| line.split_once("# handle "));
            handles.map(|(_, handle)| handle.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&nft("-a list ruleset")), numbers(&handles));
        let gone = host.denyset("teardown");
        assert_eq!(gone.code, 0, "{gone:?}");
        assert_eq!((nft("list ruleset"), names()), (String::new(), Vec::new()));
        check(&mut probe, Fate::Delivered);
    });
}

#[test]
fn a_reload_puts_rules_and_takes_them_away_and_then_their_sets_go() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(LIST));
        host.feed("list.txt", peers().feed());
        let daemon = Daemon::start(&host);
        until_in_place(&daemon, 0);
        check(&mut probe, Fate::Delivered);
        assert_eq!(nft("list ruleset"), "");
        for (tables, rules, fate) in [
            (format!("{LIST}{RULE}"), 2, Fate::Dropped),
            (format!("{LIST}{RULE}hook = \"input\"\n"), 2, Fate::Dropped),
            (LIST.to_owned(), 0, Fate::Delivered),
            (format!("{LIST}{RULE}"), 2, Fate::Dropped),
        ] {
            host.configure(&with(&tables));
            assert_eq!(host.denyset("reload").code, 0);
            until_in_place(&daemon, rules);
            check(&mut probe, fate);
        }
        assert_eq!(names(), [V4, V6]);
        let other = "[[list]]\nname = \"other\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"other\"\n";
        host.configure(&with(other));
        assert_eq!(host.denyset("reload").code, 0);
        until_in_place(&daemon, 2);
        check(&mut probe, Fate::Dropped);
        daemon.until("without the sets of before", |_| {
            names() == ["denyset-other-v4", "denyset-other-v6"]
        });
    });
}

#[test]
fn an_allow_only_rule_of_a_list_with_nobody_in_it_is_not_put() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let rule = format!("{RULE}verdict = \"allow-only\"\nudp-ports = [\"1-65535\"]\n");
        let guard = "allow-empty = true".into();
        let host = Host::with(&Config { guard, ..with(&format!("{LIST}{rule}")) });
        host.feed("list.txt", "# nobody yet\n");
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("would shut everybody out");
        daemon.wait_logged(&["would shut everybody out"]);
        assert_eq!(nft("list ruleset"), "");
        check(&mut probe, Fate::Delivered);
        host.feed("list.txt", format!("{FREE_V4}\n{FREE_V6}\n"));
        until_in_place(&daemon, 2);
        check(&mut probe, Fate::Dropped);
    });
}

#[test]
fn a_rule_that_waits_for_its_list_holds_no_other_back() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"bad*\"]\n\
                      [[list]]\nname = \"office\"\nfeeds = [\"office*\"]\noptional = true\n\
                      [[rule]]\nlist = \"office\"\nverdict = \"allow-only\"\ntcp-ports = [22]\n\
                      [[rule]]\nlist = \"drop\"\n";
        let host = Host::with(&with(tables));
        host.feed("bad.txt", peers().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("would shut everybody out");
        daemon.wait_logged(&["would shut everybody out"]);
        daemon.wait_logged(&["rules were put"]);
        check(&mut probe, Fate::Dropped);
        assert_eq!(daemon.status()["in-sync"], false);
        let rules = |port: &str| nft("list ruleset").matches(port).count();
        assert_eq!(rules("tcp dport 22"), 0);
        host.feed("office.txt", format!("{FREE_V4}\n"));
        until_in_place(&daemon, 4);
        assert_eq!(rules("tcp dport 22"), 2);
        check(&mut probe, Fate::Dropped);
    });
}

#[test]
fn apply_puts_rules_too_and_plan_says_what_it_would_do() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", peers().feed());
        let plan = host.denyset_json("plan").json();
        assert_eq!(plan["rules"].as_array().map(Vec::len), Some(2), "{plan:#}");
        assert_eq!(host.denyset("apply").code, 0);
        check(&mut probe, Fate::Dropped);
        let plan = host.denyset("plan");
        assert_eq!(plan.code, 0, "{plan:?}");
    });
}
