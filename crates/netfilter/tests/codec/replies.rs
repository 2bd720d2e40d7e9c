//! Answers of the kernel, real and damaged: both codecs must read the real
//! ones alike, and nothing may panic over the damaged ones.

use std::net::IpAddr;

use blocklist::{AnyPrefix, Family};
use netfilter::{Body, ListingPart, ListingReply, Request, SetEntry, answers};
use proptest::prelude::*;
use reconcile::SetPrefix;

use crate::intent::{Intent, understand};
use crate::oracle;

/// The datagrams in `dumps.txt`, with what the line above says of them.
fn captured() -> Vec<(&'static str, Vec<u8>)> {
    let mut datagrams = Vec::new();
    let mut what = "";
    for line in include_str!("dumps.txt").lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            what = comment;
            continue;
        }
        let digits: Vec<_> = line.bytes().collect();
        let byte = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        };
        datagrams.push((what, digits.chunks(2).map(byte).collect()));
    }
    datagrams
}

fn part(datagram: &[u8]) -> ListingPart {
    let mut answers = answers(datagram);
    let answer = answers.next().expect("an answer").expect("readable");
    assert!(answers.next().is_none(), "one answer in a datagram");
    match answer.body {
        Body::Reply(ListingReply::Part(part)) => part,
        body => panic!("{body:?} in place of a part"),
    }
}

/// A prefix as the oracle's reader knows it; `None` for an entry not plain.
fn known(entry: &SetEntry) -> Option<(IpAddr, u8)> {
    match entry {
        SetEntry::Member(AnyPrefix::V4(p)) => Some((p.first().to_be_bytes().into(), p.length())),
        SetEntry::Member(AnyPrefix::V6(p)) => Some((p.first().to_be_bytes().into(), p.length())),
        SetEntry::Other => None,
    }
}

fn expected(intent: &Intent) -> Vec<Option<(IpAddr, u8)>> {
    let entries = intent.entries.iter().map(|entry| {
        let address = entry.address.filter(|_| !entry.unknown)?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        Some((address, entry.length.unwrap_or(full)))
    });
    entries.collect()
}

#[test]
fn both_codecs_read_the_kernels_listings_alike() {
    let mut members = 0;
    for (what, datagram) in captured() {
        let ours = part(&datagram);
        let theirs = understand(&oracle::read(&datagram)[0]);
        assert_eq!(ours.name, theirs.set.as_bytes(), "{what}");
        assert_eq!(ours.entries.iter().map(known).collect::<Vec<_>>(), expected(&theirs), "{what}");
        members += ours.entries.len();
        let Some(header) = ours.header else {
            assert_eq!(theirs.type_or_second, "", "{what}");
            continue;
        };
        assert_eq!(header.type_name, theirs.type_or_second, "{what}");
        assert_eq!(Some(header.revision), theirs.revision, "{what}");
        let number = header.family.map_or(0, |family| match family {
            Family::Ipv4 => 2,
            Family::Ipv6 => 10,
        });
        assert_eq!(Some(number), theirs.family, "{what}");
        let some = |value: u32| Some(value).filter(|&value| value > 0);
        let [initval, hashsize, maxelem, elements, references] = theirs.description;
        assert_eq!(header.initval, initval, "{what}");
        assert_eq!((some(header.hashsize), some(header.maxelem)), (hashsize, maxelem), "{what}");
        assert_eq!(Some(header.elements), elements, "{what}");
        assert_eq!(Some(header.references), references, "{what}");
        assert_eq!(header.extensions, what.contains("timeout"), "{what}");
    }
    assert_eq!(members, 5 + 3 + 2 + 1 + 1 + 1 + 1);
}

#[test]
fn what_is_no_plain_prefix_is_no_member() {
    for (what, datagram) in captured() {
        let others =
            part(&datagram).entries.iter().filter(|&entry| *entry == SetEntry::Other).count();
        let unusual = ["nomatch", "timeout", "port", "list:set"].iter().any(|w| what.contains(w));
        let want = usize::from(unusual && what.contains("members of"));
        assert_eq!(others, want, "{what}");
    }
}

#[test]
fn the_echo_of_a_refused_batch_tells_the_number_of_the_entry() {
    let set = SetPrefix::new("t-").expect("fits").live("x", Family::Ipv4).expect("fits");
    let request = Request::Flush(&set).encode(7);
    let line = |number: u32| {
        [&8_u16.to_ne_bytes()[..], &9_u16.to_ne_bytes(), &number.to_ne_bytes()].concat()
    };
    for (code, echo, want) in [
        (0, vec![], Body::Acknowledged),
        (-2, request[..16].to_vec(), Body::Failed { code: 2, number: None }),
        (-4103, [&request[..], &line(0)].concat(), Body::Failed { code: 4103, number: None }),
        (-4103, [&request[..], &line(5)].concat(), Body::Failed { code: 4103, number: Some(5) }),
        (i32::MIN, request.clone(), Body::Failed { code: u16::MAX, number: None }),
    ] {
        let bytes = error(code, &echo);
        let got: Vec<_> = answers(&bytes).map(|answer| answer.expect("readable").body).collect();
        assert_eq!(got, [want]);
    }
}

/// An `NLMSG_ERROR` with this code and echo.
fn error(code: i32, echo: &[u8]) -> Vec<u8> {
    let length = u32::try_from(20 + echo.len()).expect("short").to_ne_bytes();
    let header =
        [&length[..], &2_u16.to_ne_bytes(), &0_u16.to_ne_bytes(), &[7, 0, 0, 0, 0, 0, 0, 0]];
    [&header.concat(), &code.to_ne_bytes()[..], echo].concat()
}

/// Reads it all; that it returns is what is tested.
fn survive(datagram: &[u8]) {
    assert!(answers(datagram).count() <= datagram.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_reader_of_arbitrary_bytes_survives(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn a_reader_of_a_damaged_listing_survives(
        which: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        kept: prop::sample::Index,
    ) {
        let captured = captured();
        let mut datagram = which.get(&captured).1.clone();
        for (place, byte) in damage {
            let place = place.index(datagram.len());
            datagram[place] = byte;
        }
        survive(&datagram);
        survive(&datagram[..kept.index(datagram.len() + 1)]);
    }

    #[test]
    fn a_listing_that_is_cut_off_is_an_error_not_a_shorter_listing(
        which: prop::sample::Index,
        kept: prop::sample::Index,
    ) {
        let captured = captured();
        let datagram = &which.get(&captured).1;
        let cut = &datagram[..=kept.index(datagram.len() - 1)];
        assert!(answers(cut).all(|answer| answer.is_err()));
    }
}
