//! What is read from sets, against what `ipset` put there.

use std::io;

use lab::generate::RandomNumbers;
use lab::members::SortedPrefixes as Seen;
use lab::witness::ipset;
use netfilter::{Netfilter, NetlinkSocket, Transport};
use reconcile::{KernelErrorKind, Observe};

use crate::ground::{Ground, chunk, host, members, on_own_ground, v4, v6};

#[test]
fn a_dump_is_complete_with_the_first_message_ever_received_by_its_socket() {
    on_own_ground(|ground| {
        let seen: Seen = RandomNumbers::seeded(3).addresses(50_000, 2).into_iter().collect();
        for set in [v4("dump"), v6("dump")] {
            let wanted = members(set.family(), &seen);
            // Few buckets, so that they are full.
            ground.loads(&set, &wanted, 1 << 14);
            let mut fresh = Netfilter::open().expect("a kernel with ipset");
            assert!(fresh.members(&set).expect("complete") == wanted);
        }
        ipset("create denyset-none-v4 hash:net");
        assert!(ground.kernel.members(&v4("none")).expect("complete").is_empty());
    });
}

/// The kernel, and somebody who runs `ipset` before the second datagram of a
/// dump is read.
struct Meddled<'a> {
    socket: NetlinkSocket,
    received: usize,
    line: &'a str,
}

impl Transport for Meddled<'_> {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.received = 0;
        self.socket.send(datagram)
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        self.received += 1;
        if self.received == 2 {
            ipset(self.line);
        }
        self.socket.receive(into)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.socket.reset()
    }
}

#[test]
fn a_set_that_is_emptied_while_it_is_read_is_not_believed_to_be_smaller() {
    on_own_ground(|ground| {
        let set = v4("meddled");
        let seen: Seen = RandomNumbers::seeded(4).addresses(20_000, 0).into_iter().collect();
        ground.loads(&set, &members(set.family(), &seen), 1 << 14);
        let socket = NetlinkSocket::open().expect("permitted");
        let transport = Meddled { socket, received: 0, line: "flush denyset-meddled-v4" };
        let mut kernel = Netfilter::over(transport).expect("a kernel with ipset");
        let error = kernel.members(&set).expect_err("it was emptied meanwhile");
        assert_eq!(error.kind, KernelErrorKind::Changed, "{error}");
        assert!(kernel.members(&set).expect("nobody meddles").is_empty());
    });
}

#[test]
fn every_missing_member_is_counted_and_every_present_one_is_not() {
    on_own_ground(|ground| {
        let seen: Seen = RandomNumbers::seeded(5).addresses(2_000, 2).into_iter().collect();
        for set in [v4("test"), v6("test")] {
            let all = members(set.family(), &seen);
            let half: Seen = seen.iter().step_by(3).collect();
            let present = members(set.family(), &half);
            ground.loads(&set, &present, 1 << 11);
            let count = |ground: &mut Ground, members: &reconcile::Members| -> usize {
                members.chunks().map(|c| ground.kernel.absent(&set, &c).expect("tested")).sum()
            };
            assert_eq!(count(ground, &present), 0);
            assert_eq!(count(ground, &all), all.len() - present.len());
        }
    });
}

#[test]
fn a_prefix_is_present_only_if_it_is_that_very_one_but_an_address_also_if_it_is_covered() {
    on_own_ground(|ground| {
        for (set, held, others, hosts) in [
            (v4("cover"), "10.0.0.0/8", "10.0.0.0/9 10.1.0.0/16 10.1.2.2/31 8.0.0.0/7", "10.1.2.3"),
            (v6("cover"), "2001:db8::/32", "2001:db8::/33 2001:db8::2/127", "2001:db8::3"),
        ] {
            ground.creates_with(&set, held);
            let others = chunk(&set, others);
            assert_eq!(ground.kernel.absent(&set, &chunk(&set, held)), Ok(0));
            assert_eq!(ground.kernel.absent(&set, &others), Ok(others.len()));
            assert_eq!(ground.kernel.absent(&set, &chunk(&set, hosts)), Ok(0));
        }
    });
}

#[test]
fn an_address_matches_if_any_member_covers_it_and_never_in_the_other_family() {
    on_own_ground(|ground| {
        let sets = [(v4("m"), "10.0.0.0/8 192.0.2.1"), (v6("m"), "2001:db8::/32 2a00::1")];
        for (set, held) in &sets {
            ground.creates_with(set, held);
        }
        for (address, want) in [
            ("10.255.0.1", [true, false]),
            ("192.0.2.1", [true, false]),
            ("192.0.2.2", [false, false]),
            ("2001:db8::5", [false, true]),
            ("2a00::1", [false, true]),
            ("2a00::2", [false, false]),
        ] {
            let got = sets
                .clone()
                .map(|(set, _)| ground.kernel.matches(&set, host(address)).expect("asked"));
            assert_eq!(got, want, "{address}");
        }
    });
}
