//! Sets that others hold: by a rule, by a listing that they do not read on.

use lab::generate::RandomNumbers;
use lab::members::SortedPrefixes as Seen;
use lab::witness::{drop_from, iptables, names};
use netfilter::{NetlinkSocket, Request, Transport};
use reconcile::{KernelErrorKind, Members, Op, SetName};

use crate::ground::{Ground, members, on_own_ground, swap, v4};

/// A live set of some thousand members and an empty one to swap it with.
fn prepare(ground: &mut Ground) -> (SetName, SetName) {
    let (live, shadow) = (v4("held"), ground.prefix.shadow(1, blocklist::Family::Ipv4));
    let seen: Seen = RandomNumbers::seeded(6).addresses(20_000, 0).into_iter().collect();
    let wanted: Members = members(live.family(), &seen);
    ground.loads(&live, &wanted, 1 << 14);
    ground.creates(&shadow);
    (live, shadow)
}

#[test]
fn a_listing_that_is_not_read_on_holds_the_set_until_its_reader_goes() {
    on_own_ground(|ground| {
        let (live, shadow) = prepare(ground);
        let mut reader = NetlinkSocket::open().expect("permitted");
        reader.send(&Request::Dump(&live).encode(1)).expect("sent");
        let error = ground.fails(&swap(&shadow, &live), KernelErrorKind::Busy);
        assert!(error.to_string().starts_with("cannot swap set denyset-held-v4: busy"), "{error}");
        ground.fails(&Op::Destroy(live.clone()), KernelErrorKind::Busy);
        drop(reader);
        ground.does_when_free(&swap(&shadow, &live));
        ground.does(&Op::Destroy(live));
        assert_eq!(names(), [shadow.as_str()]);
    });
}

#[test]
fn a_reset_socket_holds_nothing() {
    on_own_ground(|ground| {
        let (live, shadow) = prepare(ground);
        let mut reader = NetlinkSocket::open().expect("permitted");
        reader.send(&Request::Dump(&live).encode(1)).expect("sent");
        reader.reset().expect("permitted");
        ground.does_when_free(&swap(&shadow, &live));
    });
}

#[test]
fn a_set_in_a_rule_is_swapped_but_not_destroyed() {
    on_own_ground(|ground| {
        let (live, shadow) = prepare(ground);
        drop_from(live.as_str());
        let rule = iptables("-S INPUT");
        ground.does(&swap(&shadow, &live));
        ground.fails(&Op::Destroy(live), KernelErrorKind::Busy);
        ground.does(&Op::Destroy(shadow));
        assert_eq!(iptables("-S INPUT"), rule);
    });
}
