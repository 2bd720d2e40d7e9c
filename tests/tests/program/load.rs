//! Feeds become sets: the first load, updates by either route, what is never
//! in a set. The witness is `ipset save`, and packets.

use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe, Stream};
use lab::versions::Versions;
use lab::witness::{drop_from, ip, names};

use crate::{V4, V6, good, kernel_holds};

#[test]
fn a_first_load_is_exactly_what_ipset_saves() {
    isolated(|| {
        let host = Host::new();
        let versions = Versions::new(RandomNumbers::seeded(11), 20_000);
        host.feed("list.txt", versions.feed());
        let daemon = Daemon::start(&host);
        daemon.until_members(V4, versions.counts()[0]);
        kernel_holds(&versions.members());
        assert_eq!(names(), [V4, V6]);
        daemon.stop();
    });
}

#[test]
fn being_ready_means_that_the_first_load_is_in_force() {
    isolated(|| {
        let host = Host::new();
        let versions = Versions::new(RandomNumbers::seeded(12), 100_000);
        host.feed("list.txt", versions.feed());
        let _daemon = Daemon::start(&host);
        kernel_holds(&versions.members());
    });
}

#[test]
fn both_sets_of_a_list_are_there_before_the_first_feed() {
    isolated(|| {
        let host = Host::new();
        let daemon = Daemon::start(&host);
        assert_eq!(names(), [V4, V6]);
        // So a rule may name them.
        drop_from(V4);
        drop_from(V6);
        host.feed("list.txt", good().feed());
        daemon.until_members(V4, good().family(true).len());
        kernel_holds(&good());
    });
}

fn check_updates(update: &str, percent: usize) {
    isolated(|| {
        let config = Config { kernel: format!("update = \"{update}\""), ..Config::default() };
        let host = Host::with(&config);
        let mut versions = Versions::new(RandomNumbers::seeded(13), 20_000);
        host.feed("list.txt", versions.feed());
        let daemon = Daemon::start(&host);
        drop_from(V4);
        drop_from(V6);
        let stream = Stream::start(versions.listed(), versions.free());
        for _ in 0..10 {
            versions.change(percent);
            host.feed("list.txt", versions.feed());
            daemon.until_members(V4, versions.counts()[0]);
            kernel_holds(&versions.members());
        }
        let seen = stream.stop();
        assert!(seen.sent > 1_000, "{seen:?}");
        assert_eq!((seen.leaked, seen.wrongly_blocked), (0, 0), "{seen:?}");
        assert_eq!(names(), [V4, V6], "nothing is left over");
    });
}

#[test]
fn no_packet_slips_through_an_update_by_swap() {
    check_updates("swap", 40);
}

#[test]
fn no_packet_slips_through_an_update_in_place() {
    check_updates("in-place", 40);
}

#[test]
fn no_packet_slips_through_an_update_by_whatever_route_is_cheaper() {
    check_updates("auto", 2);
}

#[test]
fn an_update_is_felt_by_packets() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        drop_from(V4);
        drop_from(V6);
        let mut probe = PacketProbe::new();
        let mut check = |source: &str, want| {
            assert_eq!(probe.fate(source.parse().expect("an address")), want, "{source}");
        };
        check("91.200.7.7", Fate::Dropped);
        check("2a02:6b8::7", Fate::Dropped);
        check("91.201.7.7", Fate::Delivered);
        let more = SortedPrefixes::of("91.201.0.0/16 2a02:6b9::/32");
        host.feed("more.txt", more.feed());
        daemon.until_members(V4, good().family(true).len() + 1);
        check("91.201.7.7", Fate::Dropped);
        check("2a02:6b9::7", Fate::Dropped);
        check("91.202.7.7", Fate::Delivered);
    });
}

#[test]
fn what_is_allowed_is_never_in_a_set_and_splits_what_covers_it() {
    isolated(|| {
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n\
                      allow = [\"allow/*\", \"45.9.8.4\", \"2a02:6b8::/33\"]";
        let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
        host.feed("allow/ours.txt", "45.9.8.5\n91.200.128.0/17\n");
        host.feed("list.txt", good().feed());
        let _daemon = Daemon::start(&host);
        let out = SortedPrefixes::of("45.9.8.4 45.9.8.5 91.200.0.0/16 2a02:6b8::/32");
        let rest = SortedPrefixes::of("91.200.0.0/17 2a02:6b8:8000::/33");
        kernel_holds(&good().without(&out).iter().chain(rest.iter()).collect());
    });
}

#[test]
fn this_host_its_gateway_and_private_networks_are_never_blocked() {
    isolated(|| {
        ip("link add here type veth peer name there");
        ip("address add 45.9.8.1/24 dev here");
        ip("link set here up");
        ip("link set there up");
        ip("route add default via 45.9.8.254");
        let host = Host::new();
        let list = "45.9.8.0/24\n10.1.2.3\n127.0.0.1\n0.0.0.0\n224.0.0.1\n169.254.1.1\n8.8.4.4\n\
                    fe80::1\nff02::1\n::1\n2a01:4f8::1\n";
        host.feed("list.txt", list);
        let daemon = Daemon::start(&host);
        daemon.wait_logged(&["protected addresses are kept out", "list=", "drop"]);
        drop_from(V4);
        let mut probe = PacketProbe::new();
        let mut fate = |source: [u8; 4]| probe.fate(source.into());
        assert_eq!(fate([45, 9, 8, 1]), Fate::Delivered, "this host");
        assert_eq!(fate([45, 9, 8, 254]), Fate::Delivered, "its gateway");
        assert_eq!(fate([10, 1, 2, 3]), Fate::Delivered, "a private network");
        assert_eq!(fate([45, 9, 8, 2]), Fate::Dropped, "a neighbour that is listed");
        assert_eq!(fate([8, 8, 4, 4]), Fate::Dropped, "an address that is listed");
        lab::witness::members(V6).expect(&SortedPrefixes::of("2a01:4f8::1"));
    });
}

#[test]
fn feeds_in_directories_belong_to_the_lists_whose_globs_reach_them() {
    isolated(|| {
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n\
                      [[list]]\nname = \"deep\"\nfeeds = [\"a/**\"]";
        let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
        host.feed("top.txt", "45.9.8.1\n");
        let daemon = Daemon::start(&host);
        // The directories are made while the daemon runs.
        host.feed("a/b/one.txt", "45.9.8.2\n");
        host.feed("a/two.txt", "45.9.8.3\n");
        daemon.until_members("denyset-deep-v4", 2);
        lab::witness::members("denyset-deep-v4").expect(&SortedPrefixes::of("45.9.8.2 45.9.8.3"));
        lab::witness::members(V4).expect(&SortedPrefixes::of("45.9.8.1"));
    });
}

#[test]
fn a_file_that_is_being_written_is_no_feed_under_its_working_name() {
    isolated(|| {
        let host = Host::new();
        for name in [".list.txt.swp", "list.txt~", "list.tmp", "list.part", ".hidden", "x.swp"] {
            host.feed(name, "45.9.8.7\n");
        }
        host.feed("list.txt", "45.9.8.1\n");
        let daemon = Daemon::start(&host);
        kernel_holds(&SortedPrefixes::of("45.9.8.1"));
        let feeds = daemon.status()["feeds"].clone();
        assert_eq!(feeds.as_array().map(Vec::len), Some(1), "{feeds:#}");
    });
}
