//! A boot at which the daemon cannot start: what the early unit does then, and
//! that rules which name our sets are restored all the same.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::generate::{RandomNumbers, feed};
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::program;
use lab::witness::{fed, ipset, iptables, members, names, saved_set, succeed};
use serde_json::json;

use crate::{V4, V6, good, kernel_holds};

const EARLY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/denyset-early.service"));

/// Rules as netfilter-persistent restores them, one of which names our set.
const RULES: &str = "*filter\n:INPUT ACCEPT [0:0]\n\
    -A INPUT -p tcp -m tcp --dport 23 -j DROP\n\
    -A INPUT -m set --match-set denyset-drop-v4 src -j DROP\nCOMMIT\n";

/// Two lists, of which one is empty.
const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"allow/*\"]\n\
    [[list]]\nname = \"ssh\"\nfeeds = [\"ssh/*\"]\noptional = true";

/// A host whose daemon has run well, after a boot: nothing is in the kernel.
fn booted(feed: impl AsRef<[u8]>) -> Host {
    run_and_boot(Host::with(&Config { tables: TABLES.into(), ..Config::default() }), feed)
}

fn run_and_boot(host: Host, feed: impl AsRef<[u8]>) -> Host {
    host.feed("list.txt", feed);
    let daemon = Daemon::start(&host);
    let script = host.state().join("boot/denyset.toml");
    daemon.until("kept for the next boot", |_| script.exists());
    daemon.stop();
    ipset("destroy");
    host
}

/// Runs what the unit runs, with the program and the paths of a test.
fn early_unit(host: &Host, program: &str) -> Output {
    let line = EARLY.lines().find_map(|line| line.strip_prefix("ExecStart=/bin/sh -c '"));
    let line = line.and_then(|line| line.strip_suffix('\'')).expect("the unit runs a shell");
    let verb = format!("{program} prepare --config {}", host.config().display());
    let line = line.replace("/usr/bin/denyset prepare", &verb);
    let line = line.replace("/var/lib/denyset/state", &host.state().to_string_lossy());
    // The capabilities that the unit has.
    let confined = ["--bounding-set=-all,+net_admin", "--inh-caps=-all", "--no-new-privs"];
    let mut command = Command::new("setpriv");
    command.args(confined).args(["sh", "-c", &line]);
    command.output().expect("`setpriv` can be started")
}

fn good_program() -> String {
    program::binary().to_string_lossy().into_owned()
}

#[track_caller]
fn succeeds(output: &Output) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&text));
}

#[track_caller]
fn rules_are_restored() {
    let output = fed("iptables-restore", &[] as &[&str], RULES.as_bytes());
    succeeds(&output);
    let rules = iptables("-S INPUT");
    assert!(rules.contains("--dport 23") && rules.contains(V4), "{rules}");
}

#[test]
fn rules_outlive_a_bad_configuration() {
    isolated(|| {
        let host = booted(good().feed());
        host.write_config(&format!(
            "[daemon]\nstate-dir = {:?}\nprobe-second = 10\n",
            host.state()
        ));
        host.denyset("run").exits(78);
        succeeds(&early_unit(&host, &good_program()));
        kernel_holds(&good());
        assert_eq!(names(), [V4, V6, "denyset-ssh-v4", "denyset-ssh-v6"]);
        rules_are_restored();
    });
}

#[test]
fn rules_outlive_a_program_that_does_not_run() {
    isolated(|| {
        let host = booted(good().feed());
        // As the dynamic linker ends that misses a version of the C library.
        succeeds(&early_unit(&host, "false"));
        assert_eq!(names(), [V4, V6, "denyset-ssh-v4", "denyset-ssh-v6"]);
        rules_are_restored();
        // Twice does not harm.
        succeeds(&early_unit(&host, "false"));
        // The daemon takes them for its own.
        let daemon = Daemon::start(&host);
        let status = daemon.until_members(V4, good().family(true).len());
        assert_eq!(status["degraded"].as_array().map(Vec::len), Some(0), "{status:#}");
        kernel_holds(&good());
        assert_eq!(names().len(), 4);
        daemon.stop();
    });
}

#[test]
fn the_daemon_goes_on_with_what_was_prepared() {
    isolated(|| {
        let host = booted(good().feed());
        let prepared = host.denyset_json("prepare").exits(0).json();
        let set = |set: &str, members: usize| json!({"set": set, "made": true, "members": members});
        let [v4, v6] = [true, false].map(|ipv4| good().family(ipv4).len());
        let sets = [set(V4, v4), set(V6, v6), set("denyset-ssh-v4", 0), set("denyset-ssh-v6", 0)];
        assert_eq!(prepared, json!({"sets": sets, "problems": []}));
        let initval = |name: &str| saved_set(name).expect("it is there").create;
        let before = initval(V4);
        let daemon = Daemon::start(&host);
        daemon.until_members(V4, good().family(true).len());
        assert_eq!(initval(V4), before, "adopted, not made anew");
        daemon.stop();
    });
}

#[test]
fn what_is_there_is_not_touched() {
    isolated(|| {
        let host = booted(good().feed());
        ipset(&format!("create {V4} hash:ip"));
        ipset(&format!("add {V4} 91.1.0.1"));
        succeeds(&early_unit(&host, &good_program()));
        let theirs = saved_set(V4).expect("it is there");
        assert!(theirs.create.starts_with("hash:ip "), "{theirs:?}");
        theirs.members.expect(&SortedPrefixes::of("91.1.0.1"));
        members(V6).expect(&good().family(false));
        let before = lab::witness::saved();
        let outcome = host.denyset_json("prepare").exits(0).json();
        let made =
            outcome["sets"].as_array().into_iter().flatten().filter(|set| set["made"] == true);
        assert_eq!(made.count(), 0, "{outcome:#}");
        assert_eq!(lab::witness::saved(), before);
    });
}

#[test]
fn beside_a_daemon_nothing_is_left_to_do() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        host.denyset("prepare").exits(0);
        kernel_holds(&good());
        daemon.stop();
    });
}

#[test]
fn a_damaged_copy_costs_its_own_entries_only() {
    isolated(|| {
        let host = booted(good().feed());
        let copy = copy_of(&host, "list");
        let mut bytes = fs::read(&copy).expect("a copy can be read");
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&copy, bytes).expect("a copy can be written");
        let outcome = host.denyset_json("prepare").exits(0).json();
        let problems = outcome["problems"].to_string();
        assert!(problems.contains("checksum"), "{problems}");
        members(V4).expect(&SortedPrefixes::default());
        rules_are_restored();
    });
}

/// The last good copy with this word in its name.
fn copy_of(host: &Host, word: &str) -> PathBuf {
    let copies = fs::read_dir(host.state().join("feeds")).expect("there are copies");
    let mut paths = copies.map(|copy| copy.expect("a file").path());
    let is_it =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().contains(word));
    paths.find(is_it).expect("there is such a copy")
}

#[test]
fn a_list_whose_exceptions_are_in_doubt_stays_empty() {
    isolated(|| {
        let host = Host::with(&Config { tables: TABLES.into(), ..Config::default() });
        host.feed("allow/us", "45.9.8.7\n");
        let host = run_and_boot(host, good().feed());
        let copy = copy_of(&host, "us");
        fs::write(copy, "nothing that was kept\n").expect("a copy can be written");
        let outcome = host.denyset_json("prepare").exits(0).json();
        assert!(outcome["problems"].to_string().contains("list drop stays empty"), "{outcome:#}");
        members(V4).expect(&SortedPrefixes::default());
    });
}

#[test]
fn addresses_that_were_protected_stay_out_of_the_sets() {
    isolated(|| {
        lab::witness::ip("address add 45.9.8.3/32 dev lo");
        let host = booted(good().feed());
        lab::witness::ip("address del 45.9.8.3/32 dev lo");
        host.denyset("prepare").exits(0);
        let held = members(V4);
        assert_eq!(held.len(), good().family(true).len() - 1);
        assert!(!held.to_string().contains("45.9.8.3 "), "{held}");
    });
}

#[test]
fn a_million_entries_hold_the_boot_up_for_a_second_at_most() {
    isolated(|| {
        let addresses = RandomNumbers::seeded(17).addresses(1_000_000, 0);
        let host = booted(feed(&addresses));
        let begun = Instant::now();
        let outcome = host.denyset_json("prepare").exits(0).json();
        let took = begun.elapsed();
        // With what it takes to start a process on a busy machine.
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert_eq!(outcome["sets"].as_array().map(Vec::len), Some(4), "{outcome:#}");
        // Whole or empty.
        let held = outcome["sets"][0]["members"].as_u64().expect("a number");
        assert!(held == 0 || held == 1_000_000, "{outcome:#}");
        rules_are_restored();
    });
}

#[test]
fn without_a_state_dir_the_sets_of_a_good_configuration_are_made() {
    isolated(|| {
        let host = booted(good().feed());
        fs::remove_dir_all(host.state()).expect("it is there");
        host.denyset("prepare").exits(0);
        assert_eq!(names(), [V4, V6, "denyset-ssh-v4", "denyset-ssh-v6"]);
        members(V4).expect(&SortedPrefixes::default());
        ipset("destroy");
        host.write_config("[daemon]\nprobe-second = 10\n");
        host.denyset("prepare").exits(78).complains(&["probe-second", "denyset check"]);
    });
}

#[test]
fn before_the_first_list_there_is_nothing_to_make() {
    isolated(|| {
        let host = Host::with(&Config { tables: String::new(), ..Config::default() });
        let outcome = host.denyset("prepare");
        outcome.exits(0);
        assert!(outcome.stdout.contains("no list is configured"), "{}", outcome.stdout);
        assert_eq!(names(), [] as [&str; 0]);
    });
}

#[test]
fn a_new_list_is_made_beside_those_of_the_last_good_configuration() {
    isolated(|| {
        let host = booted(good().feed());
        let tables = "[[list]]\nname = \"new\"\nfeeds = [\"new/*\"]".into();
        host.configure(&Config { tables, ..Config::default() });
        host.denyset("prepare").exits(0);
        assert_eq!(names().len(), 6, "{:?}", names());
        kernel_holds(&good());
    });
}

#[test]
fn the_script_is_one_that_ipset_reads_by_itself() {
    isolated(|| {
        let host = booted(good().feed());
        let script = host.state().join("boot/sets.ipset");
        succeed("ipset", &["restore".as_ref(), "-file".as_ref(), script.as_os_str()]);
        assert_eq!(names().len(), 4);
    });
}
