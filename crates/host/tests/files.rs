//! Resolvers are followed, however their files come to be what they are.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use host::{Follow, Sources};

/// Less than the time between two looks that nobody asked for.
const PATIENCE: Duration = Duration::from_secs(20);

fn write(root: &Path, path: &str, servers: &str) {
    let text = format!("nameserver {}\n", servers.replace(' ', "\nnameserver "));
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
    fs::write(path, text).expect("a file can be written");
}

/// What is done to the host below a root, and the resolvers that it has then.
type Step<'a> = (&'a dyn Fn(&Path), &'a str);

/// Makes a host with `before`, and expects each of `steps` to be noticed.
fn check(before: impl FnOnce(&Path), steps: &[Step]) {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir(root.path().join("etc")).expect("a directory");
    fs::create_dir(root.path().join("run")).expect("a directory");
    before(root.path());
    let mut follow = Follow::begin(Sources::under(root.path()));
    assert!(follow.news().gaps.is_empty(), "{:?}", follow.news());
    for (number, (step, servers)) in steps.iter().enumerate() {
        step(root.path());
        let mut want: Vec<IpAddr> =
            servers.split_whitespace().map(|word| word.parse().expect("an address")).collect();
        want.sort_unstable();
        let deadline = Instant::now() + PATIENCE;
        while follow.news().facts.resolvers != want {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = follow.wait(left).map(|news| news.facts.resolvers.clone());
            assert!(news.is_some(), "step {number}: {:?}", follow.news());
        }
    }
}

const CONF: &str = "etc/resolv.conf";

#[test]
fn a_file_is_followed_when_it_is_written_replaced_deleted_and_made_anew() {
    check(
        |root| write(root, CONF, "192.0.2.1"),
        &[
            (&|root| write(root, CONF, "192.0.2.2"), "192.0.2.2"),
            (
                &|root| {
                    write(root, "etc/resolv.conf.new", "192.0.2.3 192.0.2.4");
                    fs::rename(root.join("etc/resolv.conf.new"), root.join(CONF)).expect("renamed");
                },
                "192.0.2.3 192.0.2.4",
            ),
            (&|root| fs::remove_file(root.join(CONF)).expect("removed"), ""),
            (&|root| write(root, CONF, "192.0.2.5"), "192.0.2.5"),
        ],
    );
}

#[test]
fn a_link_is_followed_to_a_target_that_comes_later_and_to_another() {
    const STUB: &str = "run/systemd/resolve/stub-resolv.conf";
    const UPSTREAM: &str = "run/systemd/resolve/resolv.conf";
    check(
        |root| symlink("../run/systemd/resolve/stub-resolv.conf", root.join(CONF)).expect("a link"),
        &[
            (&|root| write(root, STUB, "127.0.0.53"), "127.0.0.53"),
            (&|root| write(root, UPSTREAM, "192.0.2.1"), "127.0.0.53 192.0.2.1"),
            (
                &|root| {
                    fs::remove_dir_all(root.join("run/systemd")).expect("removed");
                    write(root, UPSTREAM, "192.0.2.2");
                },
                "192.0.2.2",
            ),
            (
                &|root| {
                    write(root, "run/elsewhere/resolv.conf", "192.0.2.7");
                    symlink("../run/elsewhere/resolv.conf", root.join("etc/link")).expect("a link");
                    fs::rename(root.join("etc/link"), root.join(CONF)).expect("renamed");
                },
                "192.0.2.7",
            ),
            (&|root| write(root, "run/elsewhere/resolv.conf", "192.0.2.8"), "192.0.2.8"),
        ],
    );
}

#[test]
fn records_of_interfaces_come_and_go_in_folders_that_come_later() {
    check(
        |root| write(root, CONF, "127.0.0.1"),
        &[
            (
                &|root| write(root, "run/resolvconf/interface/eth0.dhclient", "192.0.2.1"),
                "127.0.0.1 192.0.2.1",
            ),
            (
                &|root| write(root, "run/resolvconf/interface/eth1.dhclient", "192.0.2.2"),
                "127.0.0.1 192.0.2.1 192.0.2.2",
            ),
            (
                &|root| {
                    fs::remove_file(root.join("run/resolvconf/interface/eth0.dhclient"))
                        .expect("removed");
                },
                "127.0.0.1 192.0.2.2",
            ),
            (
                &|root| fs::remove_dir_all(root.join("run/resolvconf")).expect("removed"),
                "127.0.0.1",
            ),
            (
                &|root| write(root, "run/dhcpcd/hook-state/resolv.conf/eth0.ra", "2001:db8::53"),
                "127.0.0.1 2001:db8::53",
            ),
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_keeps_what_was_known_and_is_said() {
    let root = tempfile::tempdir().expect("a directory");
    write(root.path(), CONF, "192.0.2.1");
    let mut follow = Follow::begin(Sources::under(root.path()));
    let known = follow.news().facts.resolvers.clone();
    let large = root.path().join("etc/large");
    fs::write(&large, "#".repeat(70_000)).expect("a file can be written");
    fs::rename(&large, root.path().join(CONF)).expect("renamed");
    let deadline = Instant::now() + PATIENCE;
    while follow.news().failures.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(follow.wait(left).is_some(), "{:?}", follow.news());
    }
    let failure = follow.news().failures[0].to_string();
    assert!(failure.contains("resolvers") && failure.contains("resolv.conf"), "{failure}");
    assert_eq!(follow.news().facts.resolvers, known);
}
