//! What the host is told of its own changes, against what `ip` does to it.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use host::{Follow, Sources, Watch, Woken};
use lab::namespace::isolated;
use lab::witness::{fed, ip};

/// Less than the time between two looks that nobody asked for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How late a change may be known.
const SOON: Duration = Duration::from_secs(1);

const NETWORK: [&str; 3] =
    ["link add here type veth peer name there", "link set here up", "link set there up"];

fn sorted(text: &str) -> Vec<IpAddr> {
    let mut addresses: Vec<_> =
        text.split_whitespace().map(|word| word.parse().expect("an address")).collect();
    addresses.sort_unstable();
    addresses
}

/// Waits until the facts, without link-local and loopback addresses, are
/// these.
#[track_caller]
fn until(follow: &mut Follow, own: &str, gateways: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let facts = &follow.news().facts;
        let fixed = facts.own.iter().copied().filter(|address| match address {
            IpAddr::V4(address) => !address.is_loopback(),
            IpAddr::V6(address) => !address.is_unicast_link_local() && !address.is_loopback(),
        });
        if fixed.eq(sorted(own)) && facts.gateways == sorted(gateways) {
            return;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(follow.wait(left).is_some(), "never {own}, {gateways}: {:?}", follow.news());
    }
}

/// Does each step and waits for what it makes of the facts.
fn check(steps: &[(&str, &str, &str)]) {
    isolated(|| {
        ip("link set lo down");
        check_here(steps);
    });
}

fn check_here(steps: &[(&str, &str, &str)]) {
    let mut follow = Follow::begin(Sources::default());
    assert!(follow.news().gaps.is_empty() && follow.news().failures.is_empty());
    for line in NETWORK {
        ip(line);
    }
    for (line, own, gateways) in steps {
        ip(line);
        let done = Instant::now();
        until(&mut follow, own, gateways);
        let late = done.elapsed();
        assert!(late < SOON, "{line}: known after {late:?}");
    }
}

#[test]
fn addresses_and_gateways_are_followed_from_before_there_is_a_network() {
    check(&[
        ("address add 192.0.2.1/24 dev here", "192.0.2.1", ""),
        ("route add default via 192.0.2.254 dev here", "192.0.2.1", "192.0.2.254"),
        (
            "route replace default nexthop via 192.0.2.11 dev here nexthop via 192.0.2.12 dev here",
            "192.0.2.1",
            "192.0.2.11 192.0.2.12",
        ),
        (
            "route add default via 192.0.2.13 dev here table 7",
            "192.0.2.1",
            "192.0.2.11 192.0.2.12 192.0.2.13",
        ),
        ("route del default table 7", "192.0.2.1", "192.0.2.11 192.0.2.12"),
        ("route del default", "192.0.2.1", ""),
        ("address del 192.0.2.1/24 dev here", "", ""),
    ]);
}

#[test]
fn what_router_advertisements_bring_is_followed() {
    check(&[
        (
            "address add 2001:db8::1/64 dev here nodad valid_lft 600 preferred_lft 600",
            "2001:db8::1",
            "",
        ),
        ("-6 route add default via fe80::1 dev here proto ra metric 100", "2001:db8::1", "fe80::1"),
        (
            "-6 route append default via fe80::2 dev here proto ra metric 100",
            "2001:db8::1",
            "fe80::1 fe80::2",
        ),
        ("-6 route del default via fe80::1 dev here", "2001:db8::1", "fe80::2"),
        ("address del 2001:db8::1/64 dev here", "", "fe80::2"),
    ]);
}

#[test]
fn a_gateway_behind_a_numbered_next_hop_is_followed() {
    const STEPS: [(&str, &str, &str); 8] = [
        ("address add 192.0.2.1/24 dev here", "192.0.2.1", ""),
        ("nexthop add id 5 via 192.0.2.11 dev here", "192.0.2.1", ""),
        ("route add default nhid 5", "192.0.2.1", "192.0.2.11"),
        ("nexthop replace id 5 via 192.0.2.12 dev here", "192.0.2.1", "192.0.2.12"),
        ("nexthop add id 6 via 192.0.2.13 dev here", "192.0.2.1", "192.0.2.12"),
        ("nexthop add id 7 group 5/6", "192.0.2.1", "192.0.2.12"),
        ("route replace default nhid 7", "192.0.2.1", "192.0.2.12 192.0.2.13"),
        ("route del default", "192.0.2.1", ""),
    ];
    check(&STEPS);
    isolated(|| {
        // Then a route says no more than the number.
        fs::write("/proc/sys/net/ipv4/nexthop_compat_mode", "0").expect("root may");
        check_here(&STEPS);
    });
}

/// Lines for `ip -batch` that add `count` routes to `length` bits each.
fn routes(count: u32, length: u32) -> String {
    let network = |number: u32| std::net::Ipv4Addr::from(0x2d00_0000 + (number << (32 - length)));
    let line =
        |number| format!("route add {}/{length} via 192.0.2.254 dev here\n", network(number));
    (0..count).map(line).collect()
}

/// As many changes of default routes, each in a table of its own.
fn defaults(count: u32) -> String {
    let line = |number| format!("route replace default via 192.0.2.254 dev here table {number}\n");
    (1_000..1_000 + count).map(line).collect()
}

fn batch(lines: &str) {
    let output = fed("ip", &["-batch", "-"], lines.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_flood_of_routes_is_few_notices_and_loses_none_that_matters() {
    isolated(|| {
        let [link, here, there] = NETWORK;
        // Without link-local addresses: each is announced once more when
        // nobody else has claimed it.
        let quiet = ["here", "there"].map(|end| format!("link set {end} addrgenmode none"));
        let address = "address add 192.0.2.1/24 dev here";
        for line in [link, &quiet[0], &quiet[1], here, there, address] {
            ip(line);
        }
        let mut watch = Watch::open(Sources::default());
        while watch.wait(Duration::from_millis(300)) == Woken::Changed {}
        // Nobody listens while they come: there is no room for all of them.
        batch(&defaults(10_000));
        let mut notices = 0;
        while watch.wait(Duration::from_millis(300)) == Woken::Changed {
            notices += 1;
        }
        assert!((1..=12).contains(&notices), "{notices} notices");
        assert!(watch.gaps().is_empty(), "{:?}", watch.gaps());
        // What is no default route is no matter, as long as there is room.
        batch(&routes(100, 24));
        assert_eq!(watch.wait(Duration::from_millis(300)), Woken::TimedOut);
        // And it still hears.
        batch(&routes(10_000, 28));
        while watch.wait(Duration::from_millis(300)) == Woken::Changed {}
        ip("route add default via 192.0.2.200 dev here");
        assert_eq!(watch.wait(PATIENCE), Woken::Changed);
    });
}

#[test]
fn what_is_announced_while_nobody_listens_is_known_at_last() {
    isolated(|| {
        for line in NETWORK.into_iter().chain(["address add 192.0.2.1/24 dev here"]) {
            ip(line);
        }
        let mut follow = Follow::begin(Sources::default());
        batch(&(defaults(5_000) + &routes(5_000, 28)));
        ip("route add default via 192.0.2.200 dev here");
        ip("address add 192.0.2.2/24 dev here");
        until(&mut follow, "192.0.2.1 192.0.2.2", "192.0.2.200 192.0.2.254");
    });
}
