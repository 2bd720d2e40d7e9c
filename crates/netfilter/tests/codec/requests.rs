//! Everything that can be sent, as neli reads it.

use blocklist::{AnyPrefix, Family};
use neli::consts::nl::NlmF;
use netfilter::{Batch, BatchChange, Request};
use proptest::prelude::*;
use reconcile::{Chunk, Presence};

use crate::generate::{chunks, families, names, specs};
use crate::intent::{Intent, SetEntry, understand};
use crate::oracle;

const ACT: NlmF = NlmF::REQUEST.union(NlmF::ACK);
const LIST: NlmF = NlmF::REQUEST.union(NlmF::DUMP);

/// Reads the one message, checks that neli writes it alike, and that flags,
/// sequence number and meaning are these.
fn check(bytes: &[u8], sequence: u32, flags: NlmF, want: Intent) {
    let messages = oracle::read(bytes);
    assert_eq!(oracle::write(&messages), bytes, "neli writes other bytes");
    let [message] = &messages[..] else { panic!("{} messages", messages.len()) };
    assert_eq!((message.flags, message.sequence), (flags, sequence));
    assert_eq!(understand(message), Intent { protocol: Some(7), ..want });
}

fn number(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 2,
        Family::Ipv6 => 10,
    }
}

fn entry(prefix: AnyPrefix) -> SetEntry {
    let (address, length) = match prefix {
        AnyPrefix::V4(prefix) => (u32::to_be_bytes(prefix.first()).into(), prefix.length()),
        AnyPrefix::V6(prefix) => (u128::to_be_bytes(prefix.first()).into(), prefix.length()),
    };
    SetEntry { address: Some(address), length: Some(length), ..SetEntry::default() }
}

fn numbered(chunk: &Chunk) -> Vec<SetEntry> {
    (1..).zip(chunk.iter()).map(|(line, p)| SetEntry { line: Some(line), ..entry(p) }).collect()
}

#[test]
fn the_only_message_without_a_set_name_that_lists_asks_for_names_alone() {
    let protocol = Intent { command: 1, ..Intent::default() };
    check(&Request::Protocol.encode(9), 9, NlmF::REQUEST, protocol);
    let names = Intent { command: 7, flags: Some(2), ..Intent::default() };
    check(&Request::Names.encode(9), 9, LIST, names);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_question_for_a_type_names_hash_net_and_the_family(family in families(), sequence: u32) {
        let want = Intent {
            command: 13,
            type_or_second: "hash:net".to_owned(),
            family: Some(number(family)),
            ..Intent::default()
        };
        check(&Request::Type(family).encode(sequence), sequence, NlmF::REQUEST, want);
    }

    #[test]
    fn a_message_about_one_set_names_it(set in families().prop_flat_map(names), sequence: u32) {
        let about = |command, flags| {
            Intent { command, flags, set: set.to_string(), ..Intent::default() }
        };
        check(&Request::Header(&set).encode(sequence), sequence, LIST, about(7, Some(4)));
        check(&Request::Dump(&set).encode(sequence), sequence, LIST, about(7, None));
        check(&Request::Flush(&set).encode(sequence), sequence, ACT, about(4, None));
        check(&Request::Destroy(&set).encode(sequence), sequence, ACT, about(3, None));
    }

    #[test]
    fn a_swap_names_both_sets(
        shadow in families().prop_flat_map(names),
        live in families().prop_flat_map(names),
        sequence: u32,
    ) {
        let want = Intent {
            command: 6,
            set: shadow.to_string(),
            type_or_second: live.to_string(),
            ..Intent::default()
        };
        let swap = Request::Swap { shadow: &shadow, live: &live };
        check(&swap.encode(sequence), sequence, ACT, want);
    }

    #[test]
    fn a_creation_is_strict_and_leaves_the_bucket_size_to_the_kernel(
        spec in specs(),
        revision: u8,
        sequence: u32,
    ) {
        let capacity = spec.capacity;
        let want = Intent {
            command: 2,
            set: spec.name.to_string(),
            type_or_second: "hash:net".to_owned(),
            revision: Some(revision),
            family: Some(number(spec.family())),
            description: [
                Some(spec.initval), Some(capacity.hashsize), Some(capacity.maxelem), None, None,
            ],
            ..Intent::default()
        };
        let flags = ACT | NlmF::CREATE | NlmF::EXCL;
        check(&Request::Create { spec: &spec, revision }.encode(sequence), sequence, flags, want);
    }

    #[test]
    fn a_question_for_an_address_has_no_length((set, chunk) in chunks(), sequence: u32) {
        let address = chunk.iter().next().expect("a member");
        let want = Intent {
            command: 11,
            set: set.to_string(),
            entries: vec![SetEntry { length: None, ..entry(address) }],
            ..Intent::default()
        };
        check(&Request::Matches { set: &set, address }.encode(sequence), sequence, ACT, want);
    }

    #[test]
    fn a_batch_carries_every_member_with_its_number(
        batches in prop::collection::vec((chunks(), any::<u32>()), 1..4),
    ) {
        // One buffer for all, so that nothing of one batch is left in the next.
        let mut batch = Batch::default();
        for ((set, chunk), sequence) in &batches {
            for (change, command, flags) in [
                (BatchChange::Add(Presence::New), 9, ACT | NlmF::EXCL),
                (BatchChange::Add(Presence::Any), 9, ACT),
                (BatchChange::Delete, 10, ACT),
            ] {
                let want = Intent {
                    command,
                    set: set.to_string(),
                    line: Some(0),
                    entries: numbered(chunk),
                    ..Intent::default()
                };
                let bytes = batch.change(change, set, chunk, *sequence).expect("writable");
                check(bytes, *sequence, flags, want);
            }
        }
    }

    #[test]
    fn a_group_of_tests_asks_for_each_member_and_has_only_its_last_acknowledged(
        (set, chunk) in chunks(),
        first: u32,
    ) {
        let part = chunk.len() / 3..chunk.len();
        let mut batch = Batch::default();
        let bytes = batch.tests(&set, &chunk, part.clone(), first).expect("writable");
        let messages = oracle::read(bytes);
        assert_eq!(oracle::write(&messages), bytes, "neli writes other bytes");
        let (last, others) = messages.split_last().expect("a message");
        assert_eq!(last.flags, ACT);
        assert!(others.iter().all(|message| message.flags == NlmF::REQUEST));
        let members: Vec<_> = chunk.iter().skip(part.start).collect();
        assert_eq!(messages.len(), members.len());
        for ((position, message), member) in (0..).zip(&messages).zip(members) {
            let want = Intent {
                command: 11,
                protocol: Some(7),
                set: set.to_string(),
                entries: vec![entry(member)],
                ..Intent::default()
            };
            assert_eq!(message.sequence, first.wrapping_add(position));
            assert_eq!(understand(message), want);
        }
    }
}
