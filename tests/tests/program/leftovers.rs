//! What is no feed by its name, and what is one under another name: leftovers
//! of programs, links of a Kubernetes volume, feeds that were renamed.

use std::fs;
use std::os::unix::fs::symlink;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::witness::{members, succeed};

use crate::{V4, good, kernel_holds};

fn host(daemon: &str) -> Host {
    let daemon = format!("settle-ms = 20\n{daemon}");
    Host::with(&Config { daemon, ..Config::default() })
}

fn one(address: &str) -> SortedPrefixes {
    SortedPrefixes::of(address)
}

fn with_good(more: &str) -> SortedPrefixes {
    good().iter().chain(one(more).iter()).collect()
}

#[test]
fn what_programs_leave_behind_blocks_nobody() {
    isolated(|| {
        let host = host("");
        host.feed("bad.txt", good().feed());
        let daemon = Daemon::start(&host);
        for name in ["bad.txt.1", "#bad.txt#", "sedA1b2C3", "__salt.tmp.x7", "bad.txt.dpkg-old"] {
            host.feed(name, "91.201.0.1\n");
        }
        // Whatever was to be seen of them has been seen with this.
        host.feed("more.txt", "91.202.0.1\n");
        daemon.until_members(V4, good().family(true).len() + 1);
        kernel_holds(&with_good("91.202.0.1"));
        daemon.wait_logged(&["bad.txt.1", "wget"]);
    });
}

#[test]
fn a_leftover_that_a_list_names_in_so_many_words_is_a_feed() {
    isolated(|| {
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*.txt\", \"bad.txt.1\"]".into();
        let host = Host::with(&Config { tables, ..Config::default() });
        host.feed("bad.txt", good().feed());
        host.feed("bad.txt.1", "91.201.0.1\n");
        let _daemon = Daemon::start(&host);
        kernel_holds(&with_good("91.201.0.1"));
    });
}

#[test]
fn a_feed_that_was_in_force_is_no_leftover_when_another_comes_beside_it() {
    isolated(|| {
        let host = host("withdraw-seconds = 0\nscan-seconds = 1");
        host.feed("bad.1", "91.201.0.1\n");
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        host.feed("bad", "91.202.0.1\n");
        daemon.until_members(V4, good().family(true).len() + 2);
        drop(daemon);
        let _daemon = Daemon::start(&host);
        assert!(members(V4).contains(([91, 201, 0, 1].into(), 32)));
    });
}

#[test]
fn sed_on_a_feed_is_one_update_and_nothing_else() {
    isolated(|| {
        let host = host("");
        host.feed("list.txt", good().feed());
        host.feed("bad.txt", "91.201.0.1\n91.201.0.2\n");
        let daemon = Daemon::start(&host);
        let bad = host.feeds().join("bad.txt");
        succeed("sed", &["-i".as_ref(), "/0.2$/d".as_ref(), bad.as_os_str()]);
        daemon.until_members(V4, good().family(true).len() + 1);
        kernel_holds(&with_good("91.201.0.1"));
    });
}

#[test]
fn a_renamed_feed_leaves_its_old_name_at_once_and_is_never_out_of_force() {
    isolated(|| {
        let host = host("withdraw-seconds = 3600");
        host.feed("list.txt", good().feed());
        host.feed("old.txt", "91.201.0.1\n");
        let daemon = Daemon::start(&host);
        fs::rename(host.feeds().join("old.txt"), host.feeds().join("new.txt")).expect("renamed");
        daemon.until("renamed", |status| {
            let feeds = status["feeds"].as_array().into_iter().flatten();
            let names: Vec<_> = feeds.map(|feed| feed["feed"].clone()).collect();
            names == ["list.txt", "new.txt"]
        });
        kernel_holds(&with_good("91.201.0.1"));
        assert!(daemon.log().text().lines().all(|line| !line.contains("ERROR")));
    });
}

#[test]
fn a_config_map_is_followed_through_its_swap() {
    isolated(|| {
        let host = host("");
        let path = |name: &str| host.feeds().join(name);
        let fill = |version: &str, text: &str| {
            fs::create_dir(path(version)).expect("a new directory");
            fs::write(path(version).join("bad.txt"), text).expect("a feed can be written");
        };
        fill("..v1", "91.201.0.1\n");
        symlink("..v1", path("..data")).expect("a link");
        symlink("..data/bad.txt", path("bad.txt")).expect("a link");
        let daemon = Daemon::start(&host);
        kernel_holds(&one("91.201.0.1"));
        fill("..v2", "91.201.0.2\n91.201.0.3\n");
        symlink("..v2", path("..data_tmp")).expect("a link");
        fs::rename(path("..data_tmp"), path("..data")).expect("swapped");
        fs::remove_dir_all(path("..v1")).expect("the old one goes");
        daemon.until_members(V4, 2);
        kernel_holds(&one("91.201.0.2 91.201.0.3"));
        // And what it leads to is watched.
        fs::write(path("..v2/bad.txt"), "91.201.0.4\n").expect("written in place");
        daemon.until_members(V4, 1);
        kernel_holds(&one("91.201.0.4"));
    });
}

#[test]
fn feeds_dir_may_be_a_link_that_is_swapped() {
    isolated(|| {
        let host = host("");
        let path = |name: &str| host.path(name);
        fs::rename(host.feeds(), path("v1")).expect("moved");
        fs::create_dir(path("v2")).expect("a new directory");
        fs::write(path("v1/bad.txt"), "91.201.0.1\n").expect("written");
        fs::write(path("v2/bad.txt"), "91.201.0.2\n").expect("written");
        symlink("v1", host.feeds()).expect("a link");
        let daemon = Daemon::start(&host);
        kernel_holds(&one("91.201.0.1"));
        symlink("v2", path("next")).expect("a link");
        fs::rename(path("next"), host.feeds()).expect("swapped");
        daemon.until("swapped", |_| members(V4).contains(([91, 201, 0, 2].into(), 32)));
        kernel_holds(&one("91.201.0.2"));
    });
}

#[test]
fn what_the_configuration_ignores_is_no_feed() {
    isolated(|| {
        let host = host("ignore = [\"*.md\", \"old/**\"]");
        host.feed("list.txt", good().feed());
        host.feed("README.md", "91.201.0.1\n");
        host.feed("old/a.txt", "91.201.0.1\n");
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
    });
}
