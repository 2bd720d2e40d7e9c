//! The verbs, with and without a daemon: exit codes, and the JSON that other
//! programs hold on to.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::program;
use lab::witness::{drop_from, ipset, members, names};
use serde_json::{Value, json};

use crate::{V4, V6, good, kernel_holds};

fn host() -> Host {
    let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"allow/*\", \"45.9.8.4\"]";
    let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
    host.feed("list.txt", format!("# a comment\n{}45.9.8.7 ; again\n", good().feed()));
    host.feed("allow/ours.txt", "45.9.8.5\n");
    host
}

/// What the sets of [`host`] hold.
fn wanted() -> SortedPrefixes {
    good().without(&SortedPrefixes::of("45.9.8.4 45.9.8.5"))
}

/// Asserts that a document has at least these keys, and these kinds of value.
#[track_caller]
fn check_keys(document: &Value, want: &Value) {
    match (document, want) {
        (Value::Object(document), Value::Object(want)) => {
            for (key, want) in want {
                let found = document.get(key).unwrap_or_else(|| panic!("no {key}: {document:#?}"));
                check_keys(found, want);
            }
        }
        (Value::Array(document), Value::Array(want)) => {
            if let [want] = &want[..] {
                assert!(!document.is_empty(), "there is nothing in it to look at");
                for found in document {
                    check_keys(found, want);
                }
            }
        }
        // Null stands for anything.
        (_, Value::Null) => {}
        (found, want) => assert_eq!(
            std::mem::discriminant(found),
            std::mem::discriminant(want),
            "{found} in place of the like of {want}"
        ),
    }
}

#[test]
fn apply_without_a_daemon_does_the_work_once() {
    isolated(|| {
        let host = host();
        let plan = host.denyset_json("plan").exits(3).json();
        assert_eq!(plan["in-sync"], false);
        assert!(names().is_empty(), "a plan writes nothing");
        let outcome = host.denyset_json("apply").exits(0).json();
        assert_eq!(outcome["in-sync"], true, "{outcome:#}");
        kernel_holds(&wanted());
        let plan = host.denyset_json("plan").exits(0).json();
        assert_eq!(plan["in-sync"], true, "{plan:#}");
        host.denyset("apply").exits(0);
        // A change in place, then one of the kernel's.
        host.feed("more.txt", "91.201.0.1\n");
        host.denyset("plan").exits(3);
        host.denyset("apply").exits(0);
        kernel_holds(&wanted().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect());
        ipset("flush denyset-drop-v4");
        host.denyset("plan").exits(3);
        host.denyset("apply").exits(0);
        kernel_holds(&wanted().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect());
    });
}

#[test]
fn apply_without_a_daemon_refuses_what_a_daemon_would() {
    isolated(|| {
        let host = host();
        host.denyset("apply").exits(0);
        host.feed("list.txt", "");
        let outcome = host.denyset_json("apply").exits(1).json();
        check_keys(&outcome["refusals"], &json!([{"feed": "", "guard": "", "found": ""}]));
        kernel_holds(&wanted());
        let plan = host.denyset_json("plan").json();
        check_keys(
            &plan["refusals"],
            &json!([{
                "feed": "", "guard": "", "expected": "", "found": "", "accept": null
            }]),
        );
    });
}

#[test]
fn apply_with_a_daemon_hands_the_work_to_it() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        ipset("flush denyset-drop-v4");
        host.denyset("apply").exits(0);
        kernel_holds(&wanted());
        ipset("flush denyset-drop-v6");
        host.denyset("resync").exits(0);
        kernel_holds(&wanted());
        host.denyset("reload").exits(0);
        daemon.stop();
    });
}

#[test]
fn the_plan_has_its_keys() {
    isolated(|| {
        let host = host();
        let plan = host.denyset_json("plan").exits(3).json();
        check_keys(
            &plan,
            &json!({
                "in-sync": false,
                "sets": [{"set": "", "route": "", "add": 0, "delete": 0, "members": 0, "reason": ""}],
                "rules": [],
                "refusals": [],
            }),
        );
        let find = |plan: &Value, set: &str| {
            let mut sets = plan["sets"].as_array().into_iter().flatten();
            sets.find(|found| found["set"] == set).cloned().expect("the set is planned")
        };
        let first = find(&plan, V4);
        assert_eq!(first["route"], "create");
        assert_eq!(first["add"], wanted().family(true).len());
        host.denyset("apply").exits(0);
        host.feed("list.txt", good().feed().replace("45.9.8.9\n", "45.9.8.99\n"));
        let change = find(&host.denyset_json("plan").exits(3).json(), V4);
        assert_eq!([&change["add"], &change["delete"]], [1, 1], "{change:#}");
        assert_eq!(change["route"], "in-place", "{change:#}");
    });
}

#[test]
fn the_status_has_its_keys() {
    isolated(|| {
        let host = host();
        host.denyset("status").exits(2).complains(&["daemon"]);
        let daemon = Daemon::start(&host);
        drop_from(V4);
        let status = host.denyset_json("status").exits(0).json();
        check_keys(
            &status,
            &json!({
                "in-sync": true, "degraded": [], "generation": 0, "uptime-seconds": 0,
                "sets": [{
                    "set": "", "list": "", "family": "", "members": 0, "references": 0,
                    "last-applied": null, "last-verified": null,
                }],
                "feeds": [{
                    "feed": "", "format": "", "entries": 0, "rejected": 0, "state": "", "since": "",
                    "refused": null,
                }],
            }),
        );
        assert_eq!(status["sets"].as_array().map(Vec::len), Some(2));
        assert_eq!(status["feeds"].as_array().map(Vec::len), Some(2));
        let applied = status["sets"][0]["last-applied"].as_str().expect("a time");
        assert!(applied.len() == 20 && applied.ends_with('Z'), "RFC 3339 in UTC: {applied}");
        let generation = status["generation"].as_u64().expect("a number");
        host.feed("more.txt", "91.201.0.1\n");
        daemon.until_members(V4, wanted().family(true).len() + 1);
        assert!(daemon.status()["generation"].as_u64() > Some(generation), "it grows");
        host.feed("more.txt", "");
        daemon.until_feed("more.txt", "refused");
        host.denyset("status").exits(1);
    });
}

#[test]
fn why_names_the_list_the_feed_and_the_line() {
    isolated(|| {
        let host = host();
        host.denyset("why 45.9.8.7").exits(2);
        let _daemon = Daemon::start(&host);
        let why = host.denyset_json("why 91.200.3.4").exits(0).json();
        assert_eq!(why["verdict"], "blocked");
        assert_eq!(why["kernel"], true);
        let line = good().feed().lines().position(|line| line == "91.200.0.0/16");
        let line = line.expect("it is in the feed") + 2;
        assert_eq!(why["lists"][0]["list"], "drop");
        assert_eq!(why["lists"][0]["prefix"], "91.200.0.0/16");
        let source = json!([{"feed": "list.txt", "line": line, "text": "91.200.0.0/16"}]);
        check_keys(&why["lists"][0]["sources"], &source);
        assert_eq!(why["lists"][0]["sources"][0]["line"], line);
        assert_eq!(why["lists"][0]["allow"], Value::Null);

        let twice = host.denyset_json("why 45.9.8.7").exits(0).json();
        assert_eq!(twice["lists"][0]["sources"].as_array().map(Vec::len), Some(2), "{twice:#}");

        let allowed = host.denyset_json("why 45.9.8.5").exits(1).json();
        assert_eq!(allowed["verdict"], "allowed");
        assert_eq!(allowed["kernel"], false);
        assert_eq!(allowed["lists"][0]["allow"]["feed"], "allow/ours.txt");
        let literal = host.denyset_json("why 45.9.8.4").exits(1).json();
        assert_eq!(literal["lists"][0]["allow"]["literal"], "45.9.8.4");

        let unlisted = host.denyset_json("why 2a05::1").exits(1).json();
        assert_eq!(unlisted["verdict"], "unlisted");
        assert_eq!(unlisted["address"], "2a05::1");
        host.denyset_json("why 2a02:6b8::9").exits(0);
        host.denyset("why example.org").exits(64);
    });
}

#[test]
fn why_names_the_line_in_which_a_feed_takes_an_address_out_again() {
    isolated(|| {
        let host = host();
        let saved = "create x hash:net family inet\nadd x 91.202.0.0/24\n\
                     add x 91.202.0.7 nomatch\nadd x 91.203.0.7 nomatch\n";
        host.feed("saved.ipset", saved);
        let daemon = Daemon::start(&host);
        drop_from(V4);
        let why = host.denyset_json("why 91.202.0.7").exits(1).json();
        assert_eq!(why["verdict"], "allowed");
        assert_eq!(why["kernel"], false);
        assert_eq!(
            why["lists"][0]["sources"],
            json!([{"feed": "saved.ipset", "line": 2, "text": "add x 91.202.0.0/24"}])
        );
        let line = json!({"feed": "saved.ipset", "line": 3, "text": "add x 91.202.0.7 nomatch"});
        assert_eq!(why["lists"][0]["allow"], line);
        let beside = host.denyset_json("why 91.202.0.8").exits(0).json();
        assert_eq!(beside["lists"][0]["allow"], Value::Null);

        // What nobody would block is not listed, whoever exempts it.
        let nothing = host.denyset_json("why 91.203.0.7").exits(1).json();
        assert_eq!(nothing["verdict"], "unlisted");
        assert_eq!(nothing["lists"][0]["allow"]["line"], 4);
        // Another feed's entry is not outdone by it.
        let held = members(V4).len();
        host.feed("more.txt", "91.203.0.7\n");
        daemon.until_members(V4, held + 1);
        let again = host.denyset_json("why 91.203.0.7").exits(0).json();
        assert_eq!(again["lists"][0]["sources"][0]["feed"], "more.txt");
    });
}

#[test]
fn check_counts_and_names_what_it_rejects_and_needs_no_kernel() {
    let host = host();
    let check = host.denyset_json("check").exits(0).json();
    check_keys(
        &check,
        &json!({
            "feeds": [{
                "feed": "", "format": "", "entries": 0, "ipv4": 0, "ipv6": 0, "duplicates": 0,
                "rejected": 0, "refused": null, "rejects": [],
            }],
            "lists": [{
                "list": "",
                "ipv4": {"members": 0, "addresses": "", "lengths": null},
                "ipv6": {"members": 0, "addresses": "", "lengths": null},
            }],
            "problems": [],
        }),
    );
    let mut feeds = check["feeds"].as_array().into_iter().flatten();
    let list = feeds.find(|feed| feed["feed"] == "list.txt").expect("the feed is there");
    assert_eq!(list["entries"], good().len() + 1);
    assert_eq!(list["duplicates"], 1);
    assert_eq!(check["lists"][0]["ipv4"]["members"], wanted().family(true).len());
    assert_eq!(check["lists"][0]["ipv4"]["addresses"], (38 + 65_536).to_string());

    let bad = host.path("bad.txt");
    std::fs::write(&bad, "45.9.8.1\n45.9.8\n045.9.8.1\nhost.example\n").expect("a file");
    let check = host.denyset_json(&format!("check {}", bad.display())).exits(1).json();
    let rejects = &check["feeds"][0]["rejects"];
    check_keys(rejects, &json!([{"line": 0, "text": "", "reason": ""}]));
    assert_eq!(check["feeds"][0]["rejected"], 3);
    assert_eq!(rejects[0], json!({"line": 2, "text": "45.9.8", "reason": rejects[0]["reason"]}));
    assert!(!check["feeds"][0]["refused"].is_null());
    host.denyset(&format!("check {}", host.path("nowhere.txt").display())).exits(1);
}

#[test]
fn compile_does_algebra_on_files_and_needs_no_configuration() {
    let host = Host::new();
    let write = |name: &str, text: &str| {
        std::fs::write(host.path(name), text).expect("a file can be written");
        host.path(name).to_string_lossy().into_owned()
    };
    let (a, b) =
        (write("a", "10.0.0.0/25\n10.0.0.128/25\n2001:db8::1\n"), write("b", "10.0.1.0/24\n"));
    let allow = write("allow", "10.0.0.0/24\n");
    let run = |arguments: &[&str]| program::run([&["compile"], arguments].concat());
    let plain = run(&[&a, &b]);
    plain.exits(0);
    assert_eq!(plain.stdout, "10.0.0.0/23\n2001:db8::1\n");
    let less = run(&[&a, &b, "--allow", &allow, "--family", "ipv4"]);
    assert_eq!(less.stdout, "10.0.1.0/24\n");
    run(&["/nowhere"]).exits(2).complains(&["/nowhere"]);
    isolated(|| {
        let script = run(&[&a, &b, "--output", "ipset"]);
        let file = write("script", &script.stdout);
        lab::witness::ipset_restore(file.as_ref());
        assert_eq!(names(), ["compiled-v4", "compiled-v6"]);
        members("compiled-v4").expect(&SortedPrefixes::of("10.0.0.0/23"));
        members("compiled-v6").expect(&SortedPrefixes::of("2001:db8::1"));
        let script = run(&[&a, &b, "--output", "nft"]);
        let file = write("script", &script.stdout);
        lab::witness::succeed("nft", &["-f", &file]);
        let listed = lab::witness::succeed("nft", &["list", "ruleset"]);
        assert!(listed.contains("10.0.0.0/23") && listed.contains("2001:db8::1"), "{listed}");
    });
}

#[test]
fn teardown_removes_what_is_ours_and_nothing_else() {
    isolated(|| {
        let host = host();
        host.denyset("apply").exits(0);
        ipset("create mine hash:net");
        host.denyset("teardown").exits(0);
        assert_eq!(names(), ["mine"]);
        host.denyset("teardown").exits(0);
    });
}

#[test]
fn teardown_says_which_set_a_rule_still_names() {
    isolated(|| {
        let host = host();
        host.denyset("apply").exits(0);
        drop_from(V6);
        let outcome = host.denyset("teardown");
        outcome.exits(2);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains(V6), "{said}");
        assert_eq!(names(), [V6]);
        members(V6).expect(&wanted().family(false));
    });
}

#[test]
fn who_may_not_is_told_what_is_missing() {
    let host = host();
    // In no namespace of ours: the capability counts in the one that owns the
    // network, and here there is none left.
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--"]).arg(program::binary());
    let output =
        command.args(["apply", "--config"]).arg(host.config()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("CAP_NET_ADMIN"), "{said}");
}

#[test]
fn wrong_usage_is_told_apart() {
    for arguments in [&["no-such-verb"][..], &["status", "--no-such-option"], &[], &["why"]] {
        program::run(arguments).exits(64);
    }
    for arguments in [&["--help"][..], &["--version"], &["help", "why"], &["apply", "--help"]] {
        program::run(arguments).exits(0);
    }
}
