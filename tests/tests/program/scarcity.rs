//! A host that has no memory for a second table: members change where they are,
//! or the update waits, and it is said.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use lab::daemon::Daemon;
use lab::host::Host;
use lab::members::SortedPrefixes;
use lab::namespace::isolated_with_mounts;
use lab::witness::{members, succeed};

use crate::V4;

/// So many addresses from this one on, apart from each other.
fn feed(first: u32, count: u32) -> String {
    let address = |host: u32| format!("{}\n", Ipv4Addr::from(0x0900_0000 + host * 256 + 1));
    (first..first + count).map(address).collect()
}

/// Has the kernel say that so much is available.
fn available(file: &Path, kib: u32) {
    fs::write(file, format!("MemTotal: 4000000 kB\nMemAvailable: {kib} kB\n")).expect("ours");
}

/// Puts a file of ours in place of `/proc/meminfo`.
fn scarce(host: &Host) -> std::path::PathBuf {
    let file = host.path("meminfo");
    available(&file, 256);
    succeed("mount", &["--bind".as_ref(), file.as_os_str(), "/proc/meminfo".as_ref()]);
    file
}

#[test]
fn without_memory_for_a_second_table_members_change_where_they_are() {
    isolated_with_mounts(|| {
        let host = Host::new();
        host.feed("list.txt", feed(0, 9_900));
        assert_eq!(host.denyset("apply").code, 0);
        scarce(&host);
        // So many that a new table would be the shorter way.
        host.feed("list.txt", feed(3_740, 9_900));
        let done = host.denyset_json("apply").exits(0).json();
        assert_eq!(done["sets"][0]["route"], "in-place", "{done:#}");
        members(V4).expect(&SortedPrefixes::of(&feed(3_740, 9_900)));
    });
}

#[test]
fn an_update_for_which_there_is_no_memory_waits_and_says_so() {
    isolated_with_mounts(|| {
        let host = Host::new();
        let before = feed(0, 9_900);
        host.feed("list.txt", &before);
        let mut daemon = Daemon::start(&host);
        daemon.until_members(V4, 9_900);
        let meminfo = scarce(&host);
        // More than the table has room for.
        let after = feed(5_000, 20_000);
        host.feed("list.txt", &after);
        daemon.until("the shortage is said", |status| {
            status["degraded"].to_string().contains("of kernel memory")
        });
        daemon.expect_error("of kernel memory");
        members(V4).expect(&SortedPrefixes::of(&before));
        let plan = host.denyset_json("plan").json();
        let reason = plan["sets"][0]["reason"].to_string();
        assert!(reason.contains("a quarter is left to others"), "{plan:#}");
        available(&meminfo, 2_000_000);
        daemon.until_members(V4, 20_000);
        members(V4).expect(&SortedPrefixes::of(&after));
    });
}
