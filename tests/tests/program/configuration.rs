//! Configurations with every kind of mistake: the place and the key are
//! named, nothing starts with one, and a running daemon keeps its own.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use rustix::process::Signal;

use crate::{V4, good, kernel_holds};

/// A configuration, where its mistake is, and what is said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("[daemon\n", "1:", "]"),
    ("[daemon]\nprobe-second = 10\n", "2:1", "probe-second"),
    ("[demon]\n", "1:2", "demon"),
    ("[daemon]\nprobe-seconds = \"10\"\n", "2:17", "probe-seconds"),
    ("[daemon]\nprobe-seconds = 0\n", "2:17", "probe-seconds"),
    ("[daemon]\nprobe-seconds = -1\n", "2:17", "probe-seconds"),
    ("[daemon]\nsettle-ms = 5\nsettle-ms = 5\n", "3:1", "settle-ms"),
    ("[daemon]\non-stop = \"kep\"\n", "2:11", "on-stop"),
    ("[daemon]\nfeeds-dir = \"feeds\"\n", "2:13", "feeds-dir"),
    ("[kernel]\nupdate = \"slow\"\n", "2:10", "update"),
    ("[kernel]\nset-prefix = \"a b\"\n", "2:14", "set-prefix"),
    ("[kernel]\nset-prefix = \"\"\n", "2:14", "set-prefix"),
    ("[guard]\nshrink-percent-max = 101\n", "2:22", "shrink-percent-max"),
    ("[guard]\nprotect = [\"privat\"]\n", "2:12", "privat"),
    ("[[list]]\nfeeds = [\"*\"]\n", "1:", "name"),
    ("[[list]]\nname = \"a/b\"\nfeeds = [\"*\"]\n", "2:8", "a/b"),
    ("[[list]]\nname = \"far-too-long-a-name-for-a-set\"\nfeeds = [\"*\"]\n", "2:8", "31"),
    ("[[list]]\nname = \"a\"\n[[list]]\nname = \"a\"\n", "4:8", "line 2"),
    ("[[list]]\nname = \"a\"\nfeeds = [\"[\"]\n", "3:10", "feeds"),
    ("[[list]]\nname = \"a\"\nallow = [\"192.0.2.300\"]\n", "3:10", "192.0.2.300"),
    ("[[list]]\nname = \"a\"\nallow = [\"192.0.2.1/24\"]\n", "3:10", "192.0.2.1/24"),
    ("[[feed]]\nformat = \"plain\"\n", "1:", "match"),
    ("[[feed]]\nmatch = \"*\"\nformat = \"plane\"\n", "3:10", "plane"),
];

#[test]
fn each_mistake_is_named_with_its_file_line_and_column() {
    let host = Host::new();
    for (text, place, what) in MISTAKES {
        host.write_config(text);
        let at = format!("denyset.toml:{place}");
        println!("{text}");
        host.denyset("check").exits(78).complains(&[&at, what]);
    }
}

#[test]
fn all_mistakes_of_a_file_are_named_at_once() {
    let host = Host::new();
    host.write_config(
        "[daemon]\nprobe-second = 10\nsettle-ms = \"x\"\n[kernel]\nupdate = \"slow\"\n",
    );
    host.denyset("check").exits(78).complains(&["probe-second", "settle-ms", "update"]);
}

#[test]
fn no_verb_goes_on_with_a_bad_configuration() {
    isolated(|| {
        let host = Host::new();
        host.write_config("[daemon]\nprobe-second = 10\n");
        for verb in ["run", "apply", "plan", "check", "status", "why 192.0.2.1", "teardown"] {
            host.denyset(verb).exits(78).complains(&["denyset.toml:2:1", "probe-second"]);
        }
    });
}

#[test]
fn a_configuration_that_is_not_there_is_said_to_be_so() {
    let host = Host::new();
    std::fs::remove_file(host.config()).expect("the configuration was there");
    host.denyset("check").exits(78).complains(&["denyset.toml", "No such file"]);
}

#[test]
fn what_is_no_text_is_no_configuration() {
    let host = Host::new();
    std::fs::write(host.config(), b"[daemon]\n\xff\xfe\0")
        .expect("the configuration can be written");
    host.denyset("check").exits(78).complains(&["denyset.toml"]);
}

#[test]
fn a_hangup_with_a_bad_configuration_keeps_the_running_one() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is bad");
        let good_config = std::fs::read(host.config()).expect("the configuration is there");
        for (text, place, _) in MISTAKES {
            host.write_config(text);
            let before = daemon.log().len();
            daemon.signal(Signal::HUP);
            daemon.wait_notified("RELOADING=1");
            daemon.wait_ready();
            daemon.wait_logged_since(before, &["ERROR", &format!("denyset.toml:{place}")]);
        }
        kernel_holds(&good());
        std::fs::write(host.config(), good_config).expect("the configuration can be written");
        daemon.assert_alive();
        // The running one still does its work.
        host.feed("more.txt", "91.201.0.1\n");
        daemon.until_members(V4, good().family(true).len() + 1);
    });
}

#[test]
fn the_default_configuration_is_the_one_that_is_shipped() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/denyset.toml");
    let text = std::fs::read_to_string(shipped).expect("the shipped configuration is there");
    let host = Host::new();
    // It names directories of the system, which a test must not depend on.
    let feeds = host.feeds().to_string_lossy().into_owned();
    let text = text.replace("/var/lib/denyset/feeds", &feeds);
    let text = text.replace("/var/lib/denyset/state", &host.state().to_string_lossy());
    host.write_config(&text);
    host.denyset("check").exits(0);
}

#[test]
fn a_list_may_set_its_own_guards_and_a_feed_wins_over_it() {
    isolated(|| {
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nshrink-percent-max = 10\n\
                      [[feed]]\nmatch = \"loose*\"\nshrink-percent-max = 100";
        let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
        let most = good().feed();
        let most = most.lines().take(good().len() * 8 / 10).collect::<Vec<_>>().join("\n") + "\n";
        for name in ["loose.txt", "strict.txt"] {
            host.feed(name, good().feed());
        }
        let daemon = Daemon::start(&host);
        for name in ["loose.txt", "strict.txt"] {
            host.feed(name, &most);
        }
        daemon.until_feed("strict.txt", "refused");
        daemon.until_feed("loose.txt", "current");
    });
}
