//! What a look at the host finds, against what `ip` configured.

use std::net::IpAddr;

use host::{Sources, look};
use lab::namespace::isolated;
use lab::witness::ip;

fn check(lines: &[&str], own: &[&str], gateways: &[&str]) {
    isolated(|| {
        for line in lines {
            ip(line);
        }
        let found = look(&Sources::default());
        let parse = |texts: &[&str]| -> Vec<IpAddr> {
            let mut parsed: Vec<_> =
                texts.iter().map(|text| text.parse().expect("an address")).collect();
            parsed.sort_unstable();
            parsed
        };
        // The link-local address is made of a random hardware address.
        let fixed: Vec<_> = found
            .own
            .expect("readable")
            .into_iter()
            .filter(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()))
            .collect();
        assert_eq!(fixed, parse(own));
        assert_eq!(found.gateways.expect("readable"), parse(gateways));
    });
}

const LINK: &str = "link add here type veth peer name there";
const UP: &str = "link set here up";

#[test]
fn a_host_without_a_network_has_loopback_alone() {
    check(&[], &["127.0.0.1", "::1"], &[]);
}

#[test]
fn every_address_of_every_interface_is_its_own_and_the_far_end_is_not() {
    check(
        &[
            LINK,
            UP,
            "address add 192.0.2.1/24 dev here",
            "address add 192.0.2.2/24 dev here",
            "address add 10.0.0.1 peer 10.0.0.2 dev here",
            "address add 2001:db8::1/64 dev here nodad",
            "address add fd00::1 peer fd00::2 dev here nodad",
        ],
        &["127.0.0.1", "192.0.2.1", "192.0.2.2", "10.0.0.1", "::1", "2001:db8::1", "fd00::1"],
        &[],
    );
}

#[test]
fn gateways_are_those_of_default_routes_in_any_table_and_of_any_hop() {
    check(
        &[
            LINK,
            UP,
            "address add 192.0.2.1/24 dev here",
            "address add 2001:db8::1/64 dev here nodad",
            "route add default via 192.0.2.254 dev here",
            "route add 203.0.113.0/24 via 192.0.2.200 dev here",
            "route add default table 7 nexthop via 192.0.2.11 dev here nexthop via 192.0.2.12 dev here",
            "route add default table 8 via inet6 2001:db8::8 dev here",
            "-6 route add default via 2001:db8::fe dev here",
            "-6 route add default table 7 nexthop via 2001:db8::11 dev here \
             nexthop via 2001:db8::12 dev here",
        ],
        &["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"],
        &[
            "192.0.2.254",
            "192.0.2.11",
            "192.0.2.12",
            "2001:db8::8",
            "2001:db8::fe",
            "2001:db8::11",
            "2001:db8::12",
        ],
    );
}
