//! What other programs find of lists: what the kernel holds, whole, and also
//! when nobody is there to be asked.

use std::fs;
use std::path::PathBuf;

use blocklist::PackedList;
use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::{SortedPrefixes, prefix as prefix_of};
use lab::namespace::isolated;
use lab::witness::members;
use rustix::process::Signal;

use crate::{V4, V6, good};

fn file(host: &Host, name: &str) -> PathBuf {
    host.path("run/lists").join(name)
}

/// Whether a file has each of these, as the very prefix, and nothing else.
fn holds(host: &Host, name: &str, want: &SortedPrefixes) -> bool {
    let Ok(bytes) = fs::read(file(host, name)) else { return false };
    // Whoever looks at any moment finds a whole list.
    let list = PackedList::new(bytes).expect("a packed list");
    let found = |(address, length)| {
        let prefix = list.prefix_of(address);
        prefix.is_some_and(|found| prefix_of(&found.to_string()) == Some((address, length)))
    };
    list.header().prefixes == want.len() as u64 && want.iter().all(found)
}

/// Waits until the files of the list say what the kernel says.
fn check(daemon: &Daemon<'_>, host: &Host) {
    daemon.until("other programs have what the kernel has", |_| {
        holds(host, "drop.v4", &members(V4)) && holds(host, "drop.v6", &members(V6))
    });
}

#[test]
fn other_programs_find_what_the_kernel_holds() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        check(&daemon, &host);
        host.feed("list.txt", format!("{}45.9.9.1\n2a01:4f8::ffff\n", good().feed()));
        daemon.until_members(V4, good().family(true).len() + 1);
        check(&daemon, &host);
        // What somebody else puts in or takes out is not for long.
        host.feed("more.txt", "45.9.9.2\n");
        daemon.until_members(V4, good().family(true).len() + 2);
        check(&daemon, &host);
        daemon.until("it is said that all is well", |_| {
            let status = fs::read(file(&host, "status.json")).expect("it is there");
            let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
            status["generation"].is_u64() && status["in-sync"] == true
        });
    });
}

#[test]
fn what_is_given_outlives_the_daemon_and_goes_with_its_list() {
    isolated(|| {
        let tables =
            "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[list]]\nname = \"old\"\nfeeds = [\"*\"]";
        let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        check(&daemon, &host);
        let (ipv4, ipv6) = (members(V4), members(V6));
        daemon.kill();
        assert!(holds(&host, "drop.v4", &ipv4) && holds(&host, "drop.v6", &ipv6));
        host.feed("list.txt", "<html>\n");
        let daemon = Daemon::start(&host);
        check(&daemon, &host);
        assert!(holds(&host, "drop.v4", &ipv4), "a bad feed takes nothing away");
        host.feed("list.txt", good().feed());
        host.configure(&Config::default());
        daemon.signal(Signal::HUP);
        daemon.until("the other list is gone", |_| !file(&host, "old.v4").exists());
        check(&daemon, &host);
    });
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_heals() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        fs::write(host.path("run/lists"), "in the way").expect("written");
        let daemon = Daemon::start(&host);
        let said = |status: &serde_json::Value| {
            status["degraded"].to_string().contains("other programs go on with older lists")
        };
        daemon.until("it is said", said);
        fs::remove_file(host.path("run/lists")).expect("removed");
        host.feed("more.txt", "45.9.9.2\n");
        check(&daemon, &host);
        daemon.until("nothing is said any more", |status| !said(status));
    });
}
