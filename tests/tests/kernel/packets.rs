//! What packets feel of ops, through a rule on each family's set.

use std::net::IpAddr;

use blocklist::Family;
use lab::packets::{Fate, PacketProbe};
use lab::witness::drop_from;
use reconcile::{Op, Presence};

use crate::ground::{add, delete, on_own_ground, swap, v4, v6};

#[track_caller]
fn check(probe: &mut PacketProbe, fates: [(&str, Fate); 2]) {
    for (source, want) in fates {
        let source: IpAddr = source.parse().expect("an address");
        assert_eq!(probe.fate(source), want, "{source}");
    }
}

#[test]
fn a_member_of_either_family_stops_its_packets_and_no_others() {
    use Fate::{Delivered, Dropped};
    on_own_ground(|ground| {
        let sets = [v4("rule"), v6("rule")];
        for set in &sets {
            ground.creates(set);
            drop_from(set.as_str());
        }
        let mut probe = PacketProbe::new();
        check(&mut probe, [("198.51.100.7", Delivered), ("2001:db8:7::7", Delivered)]);
        ground.does(&add(&sets[0], "198.51.100.0/24", Presence::New));
        check(&mut probe, [("198.51.100.7", Dropped), ("2001:db8:7::7", Delivered)]);
        ground.does(&add(&sets[1], "2001:db8:7::7", Presence::New));
        check(&mut probe, [("198.51.100.7", Dropped), ("2001:db8:7::7", Dropped)]);
        check(&mut probe, [("198.51.101.7", Delivered), ("2001:db8:7::8", Delivered)]);
        ground.does(&delete(&sets[0], "198.51.100.0/24"));
        check(&mut probe, [("198.51.100.7", Delivered), ("2001:db8:7::7", Dropped)]);
    });
}

#[test]
fn a_swap_is_felt_by_the_next_packet_and_the_old_contents_can_go_at_once() {
    use Fate::{Delivered, Dropped};
    on_own_ground(|ground| {
        let (live, shadow) = (v6("swap"), ground.prefix.shadow(9, Family::Ipv6));
        ground.creates_with(&live, "2001:db8::1");
        drop_from(live.as_str());
        ground.creates_with(&shadow, "2001:db8::2");
        let mut probe = PacketProbe::new();
        check(&mut probe, [("2001:db8::1", Dropped), ("2001:db8::2", Delivered)]);
        ground.does(&swap(&shadow, &live));
        check(&mut probe, [("2001:db8::1", Delivered), ("2001:db8::2", Dropped)]);
        ground.does(&Op::Flush(shadow.clone()));
        ground.does(&Op::Destroy(shadow));
        check(&mut probe, [("2001:db8::1", Delivered), ("2001:db8::2", Dropped)]);
    });
}
