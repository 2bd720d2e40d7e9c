//! Packets that a rule shows: real ones, heard by whoever listens to the group.

use std::net::{IpAddr, UdpSocket};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use lab::packets::{Fate, PacketProbe};
use lab::wire::{FREE_V4, HERE_V4, HERE_V6, PEER_V4, PEER_V6, Wire};
use netfilter::{Heard, ListenError, Listener, ShownPacket};
use reconcile::{End, Hook, Kernel as _, Rule, RuleSet, Sample, SetName, Verdict};

use crate::ground::{on_own_ground, prefix, v4, v6};

const GROUP: u16 = 77;

/// A rule that drops members and shows so many of them.
fn rules(set: SetName, one_in: u32, per_second: u32) -> RuleSet {
    let [one_in, per_second] =
        [one_in, per_second].map(|number| NonZeroU32::new(number).expect("some"));
    let label = format!("of {set}");
    let family = set.family();
    let rule = Rule {
        name: "drop".to_owned(),
        set,
        end: End::Source,
        hook: Hook::Prerouting,
        verdict: Verdict::Drop,
        ports: Vec::new(),
        interfaces: Vec::new(),
        new_only: false,
        sample: Some(Sample { one_in, per_second, group: GROUP, label }),
    };
    RuleSet::new(&prefix(), family, [rule])
}

/// Everything that is shown within a while, or so much.
fn hear(listener: &mut Listener, enough: usize) -> Vec<ShownPacket> {
    let (mut heard, begun) = (Vec::new(), Instant::now());
    while heard.len() < enough && begun.elapsed() < Duration::from_secs(10) {
        listener.hear(|shown| heard.push(shown)).expect("nothing fails");
    }
    heard
}

#[test]
fn packets_of_members_are_shown_with_their_rules_label_and_others_are_not() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut listener = Listener::open(GROUP).expect("nobody else listens");
        let taken = Listener::open(GROUP).expect_err("there is one listener");
        assert!(matches!(taken, ListenError::Taken(GROUP)), "{taken}");
        for (set, peer, here) in [
            (v4("drop"), IpAddr::from(PEER_V4), IpAddr::from(HERE_V4)),
            (v6("drop"), PEER_V6.into(), HERE_V6.into()),
        ] {
            ground.creates_with(&set, &peer.to_string());
            ground.kernel.put_rules(&rules(set.clone(), 1, 1_000)).expect("put");
            for source in [peer, FREE_V4.into(), peer] {
                let fate = if source == peer { Fate::Dropped } else { Fate::Delivered };
                assert_eq!(probe.fate(source), fate);
            }
            let heard = hear(&mut listener, 2);
            assert_eq!(heard.len(), 2, "{heard:?}");
            for shown in heard {
                assert_eq!(shown.label, format!("of {set}"));
                assert_eq!((shown.source, shown.destination), (peer, here));
            }
        }
        assert_eq!(listener.lost(), 0);
        drop(listener);
        Listener::open(GROUP).expect("the group is free again");
    });
}

#[test]
fn no_flood_gets_beyond_the_rate() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut listener = Listener::open(GROUP).expect("nobody else listens");
        let set = v4("drop");
        ground.creates_with(&set, &PEER_V4.to_string());
        ground.kernel.put_rules(&rules(set, 1, 5)).expect("put");
        let begun = Instant::now();
        for _ in 0..200 {
            assert_eq!(probe.fate(PEER_V4.into()), Fate::Dropped);
        }
        let heard = hear(&mut listener, 5).len() as u64;
        // A second's worth at once, and then so many a second.
        let most = 5 + 5 * (begun.elapsed().as_secs() + 1);
        assert!((5..=most).contains(&heard), "{heard} of at most {most}");
    });
}

#[test]
fn what_comes_while_nobody_reads_is_lost_and_counted_to_the_last_packet() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut listener = Listener::open(GROUP).expect("nobody else listens");
        let set = v4("drop");
        ground.creates_with(&set, &PEER_V4.to_string());
        let rules = rules(set, 1, 10_000_000);
        ground.kernel.put_rules(&rules).expect("put");
        let socket = wire.beyond(|| UdpSocket::bind((PEER_V4, 0)));
        let socket = socket.expect("an address of the other side");
        for sent in 0..25_000 {
            socket.send_to(b"?", (HERE_V4, 9)).expect("the wire takes it");
            // So that they never fill the queue of the CPU, which the packets
            // of other tests go through too.
            if sent % 100 == 0 {
                assert_eq!(probe.fate(FREE_V4.into()), Fate::Delivered);
            }
        }
        let (mut heard, mut overruns) = (0_u64, 0);
        loop {
            match listener.hear(|_| heard += 1).expect("nothing fails") {
                Heard::Nothing => break,
                Heard::Overrun => overruns += 1,
                Heard::Packets { unreadable } => assert_eq!(unreadable, 0),
            }
        }
        assert!(overruns > 0 && heard > 0, "{heard} heard at {overruns} overruns");
        // The next one tells what was lost last.
        assert_eq!(probe.fate(PEER_V4.into()), Fate::Dropped);
        heard += hear(&mut listener, 1).len() as u64;
        let counts = ground.kernel.rule_counts(&rules).expect("they can be read");
        assert_eq!(heard + listener.lost(), counts[0].packets, "{heard} heard");
        assert!(listener.lost() > 0);
    });
}
