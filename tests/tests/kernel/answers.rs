//! What those are told whom a rule refuses, by hook, family and the answer
//! that was chosen. By UDP, since TCP passes over what ICMP says of a first
//! segment that it has not done sending; a reset is TCP's own.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use lab::passage::{INSIDE_V4, INSIDE_V6, Passage};
use lab::wire::{HERE_V4, HERE_V6, PEER_V4, PEER_V6};
use reconcile::{End, Hook, RejectWith, Rule, Verdict};

use crate::ground::{on_own_ground, v4, v6};
use crate::rules::{connect, drop_by, only, puts};

/// What a connected socket makes of an answer (`icmp_err_convert` in
/// `net/ipv4/icmp.c`, `tab_unreach` in `net/ipv6/icmp.c`).
fn error_of(with: RejectWith, to: SocketAddr) -> ErrorKind {
    match (with, to.is_ipv4()) {
        (RejectWith::Prohibited, true) => ErrorKind::HostUnreachable,
        (RejectWith::Prohibited, false) => ErrorKind::PermissionDenied,
        (RejectWith::PortUnreachable | RejectWith::TcpReset, _) => ErrorKind::ConnectionRefused,
    }
}

/// What becomes of a datagram, which nobody answers.
fn told(from: IpAddr, to: SocketAddr) -> Error {
    let client = UdpSocket::bind((from, 0)).expect("a free port");
    client.connect(to).expect("it only remembers");
    client.set_read_timeout(Some(Duration::from_secs(5))).expect("not zero");
    match client.send(b"let me in") {
        Ok(_) => client.recv(&mut [0]).expect_err("nobody answers"),
        // A rule at `output` tells the sender by the call itself.
        Err(error) => error,
    }
}

#[test]
fn whoever_is_rejected_is_told_so_at_once() {
    on_own_ground(|ground| {
        let passage = Passage::new();
        for (set, peer, here, inside) in [
            (v4("drop"), IpAddr::from(PEER_V4), IpAddr::from(HERE_V4), INSIDE_V4[0].into()),
            (v6("drop"), PEER_V6.into(), HERE_V6.into(), INSIDE_V6[0].into()),
        ] {
            ground.creates_with(&set, &peer.to_string());
            let bind = |at: IpAddr| (UdpSocket::bind((at, 0)), TcpListener::bind((at, 0)));
            let servers = [
                bind(here),
                passage.inside(|| bind(inside)),
                passage.outside().beyond(|| bind(peer)),
            ];
            let [to_here, to_inside, to_peer] = servers.each_ref().map(|(udp, tcp)| {
                let udp = udp.as_ref().expect("a free port").local_addr().expect("bound");
                (udp, tcp.as_ref().expect("a free port").local_addr().expect("bound"))
            });
            let withs = [RejectWith::Prohibited, RejectWith::PortUnreachable, RejectWith::TcpReset];
            for with in withs {
                for (hook, (udp, tcp)) in [
                    (Hook::Prerouting, to_here),
                    (Hook::Prerouting, to_inside),
                    (Hook::Input, to_here),
                    (Hook::Forward, to_inside),
                    (Hook::Output, to_peer),
                ] {
                    let leaves = hook == Hook::Output;
                    let end = if leaves { End::Destination } else { End::Source };
                    let verdict = Verdict::Reject(with);
                    puts(ground, &only(Rule { end, hook, verdict, ..drop_by(set.clone()) }));
                    let error = if leaves {
                        told(here, udp)
                    } else {
                        passage.outside().beyond(|| told(peer, udp))
                    };
                    let call = leaves && error.kind() == ErrorKind::PermissionDenied;
                    let as_said = call || error.kind() == error_of(with, udp);
                    assert!(as_said, "{with:?} at {hook:?} to {udp}: {error}");
                    if with == RejectWith::TcpReset && !leaves {
                        let reset = passage.outside().beyond(|| connect(peer, tcp));
                        let error = reset.expect_err("it is refused");
                        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{hook:?} to {tcp}");
                    }
                }
            }
        }
    });
}
