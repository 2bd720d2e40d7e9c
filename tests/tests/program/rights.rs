//! What the program may not: it says which right is missing, or which path
//! keeps it out, and the way out, in one line.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use lab::host::Host;
use lab::namespace::isolated;
use lab::program;
use lab::witness::{members, succeed};

use crate::{NOBODY, V4, good, has_other_users, kernel_holds};

/// Runs the program behind another one that takes rights away from it.
fn behind(words: &[&str], host: &Host, verb: &str) -> Output {
    let mut command = Command::new("timeout");
    command.arg("20").args(words).arg(program::binary());
    command.args(verb.split(' ')).arg("--config").arg(host.config());
    command.output().expect("`timeout` can be started")
}

/// The daemon as a user of its own, as the unit runs it.
fn as_nobody(host: &Host, verb: &str) -> Output {
    let words = [
        "setpriv",
        &format!("--reuid={NOBODY}"),
        &format!("--regid={NOBODY}"),
        "--clear-groups",
        "--bounding-set=-all,+net_admin",
        "--inh-caps=-all,+net_admin",
        "--ambient-caps=-all,+net_admin",
        "--no-new-privs",
    ];
    behind(&words, host, verb)
}

/// A host that other users may look into.
fn open_host() -> Host {
    let host = Host::new();
    fs::set_permissions(host.path(""), Permissions::from_mode(0o755)).expect("it is ours");
    host.feed("list.txt", good().feed());
    host
}

#[track_caller]
fn ends(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    let whole = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(text.lines().any(whole), "no line with {words:?} in: {text}");
}

#[test]
fn a_missing_capability_is_named() {
    isolated(|| {
        let host = open_host();
        let without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"];
        let in_a_container: &[&str] = &["unshare", "--user", "--map-root-user"];
        for way in [&without[..], in_a_container] {
            for verb in ["run", "apply", "plan", "teardown", "prepare"] {
                ends(&behind(way, &host, verb), 77, &["CAP_NET_ADMIN", "user namespace"]);
            }
            assert!(behind(way, &host, "check").status.success());
        }
    });
}

#[test]
fn a_container_with_a_network_of_its_own_has_the_right() {
    isolated(|| {
        let host = open_host();
        let own = ["unshare", "--user", "--map-root-user", "--net"];
        let output = behind(&own, &host, "apply");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

#[test]
fn a_state_dir_of_somebody_else_is_named_with_the_way_out() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        host.denyset("apply").exits(0);
        let state = host.state().display().to_string();
        ends(&as_nobody(&host, "run"), 2, &["cannot start: ", &state, "chown -R 65534"]);
        kernel_holds(&good());
    });
}

#[test]
fn the_early_unit_works_as_the_user_of_the_daemon() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        let own = |path: &OsStr| succeed("chown", &["-R".as_ref(), NOBODY.as_ref(), path]);
        own(host.state().as_os_str());
        let output = as_nobody(&host, "prepare");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        members(V4).expect(&lab::members::SortedPrefixes::default());
    });
}

#[test]
fn root_checks_with_the_eyes_of_the_daemon() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        host.feed("secret.txt", "91.2.0.1\n");
        let secret = host.feeds().join("secret.txt");
        let mode = |mode| fs::set_permissions(&secret, Permissions::from_mode(mode)).expect("ours");
        mode(0o600);
        let check = || behind(&[], &host, "check");
        // Without a user of its own the daemon is root, too.
        assert!(check().status.success());
        succeed("chown", &[NOBODY.as_ref(), host.state().as_os_str()]);
        let output = check();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let hint = format!("{} is readable for root only", secret.display());
        for words in ["Permission denied", &hint, "chmod a+r"] {
            assert!(text.contains(words), "{words} is not in: {text}");
        }
        mode(0o604);
        assert!(check().status.success());
    });
}

#[test]
fn whoever_cannot_become_the_daemon_says_so() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        succeed("chown", &[NOBODY.as_ref(), host.state().as_os_str()]);
        let output = host.denyset("check");
        output.exits(0);
        assert!(output.stdout.contains("is not judged"), "{}", output.stdout);
    });
}
