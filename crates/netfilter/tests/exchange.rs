//! The exchange over a kernel that follows a script: answers that are lost,
//! late, cut off or for somebody else. What may have happened must come out as
//! unknown, and nothing late may be taken for the answer to something newer.

use std::collections::VecDeque;
use std::io;

use blocklist::{Family, PrefixSet};
use netfilter::{Exchange, ExchangeFailure, Netfilter, Request, Transport};
use proptest::prelude::*;
use reconcile::{
    Capacity, Kernel, KernelErrorKind, Members, Observe, Op, Presence, SetName, SetPrefix, SetSpec,
    Stage,
};

/// What is received next. In a message, the sequence number is counted from
/// the last request: 0 answers it, -1 the one before.
#[derive(Clone, Debug)]
enum Next {
    Ack(i32),
    Error {
        distance: i32,
        code: i32,
    },
    /// Data of this command, in attributes of one byte: number and value.
    Reply(u16, [(u8, u8); 2]),
    /// A part of a listing, with these bytes after the headers.
    Part(Vec<u8>),
    Done,
    Cut(i32),
    Fails(i32),
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<Next>,
    sequence: i32,
    sent: usize,
    resets: usize,
    /// What was made ready, and after how many requests.
    ready: Vec<(usize, usize)>,
    reset_fails: Option<i32>,
    send_fails: Option<i32>,
}

impl Script {
    fn of(next: impl IntoIterator<Item = Next>) -> Self {
        Self { next: next.into_iter().collect(), ..Self::default() }
    }
}

fn message(kind: u16, sequence: i32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + payload.len()).expect("short").to_ne_bytes();
    let [kind, flags] = [kind, 0].map(u16::to_ne_bytes);
    [&length[..], &kind, &flags, &sequence.to_ne_bytes(), &[0; 4], payload].concat()
}

impl Transport for &mut Script {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        if let Some(errno) = self.send_fails {
            return Err(io::Error::from_raw_os_error(errno));
        }
        self.sent += 1;
        self.sequence = i32::from_ne_bytes(datagram[8..12].try_into().expect("a header"));
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        let timeout = Next::Fails(libc::EAGAIN);
        *into = match self.next.pop_front().unwrap_or(timeout) {
            Next::Ack(distance) => message(2, self.sequence + distance, &[0; 20]),
            Next::Error { distance, code } => {
                message(2, self.sequence + distance, &[&code.to_ne_bytes()[..], &[0; 16]].concat())
            }
            Next::Reply(command, attributes) => {
                let bytes = attributes.map(|(kind, value)| [5, 0, kind, 0, value, 0, 0, 0]);
                message(0x600 + command, self.sequence, &[&[0; 4], bytes.as_flattened()].concat())
            }
            Next::Part(bytes) => message(0x607, self.sequence, &[&[0; 4], &bytes[..]].concat()),
            Next::Done => message(3, self.sequence, &[0; 4]),
            Next::Cut(distance) => {
                let whole = message(2, self.sequence + distance, &[0; 20]);
                whole[..30].to_vec()
            }
            Next::Fails(errno) => return Err(io::Error::from_raw_os_error(errno)),
        };
        Ok(())
    }

    fn make_ready(&mut self, bytes: usize) -> io::Result<()> {
        self.ready.push((bytes, self.sent));
        Err(io::Error::from_raw_os_error(libc::ENOMEM))
    }

    fn reset(&mut self) -> io::Result<()> {
        self.resets += 1;
        self.reset_fails.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }
}

fn set() -> SetName {
    SetPrefix::new("t-").expect("fits").live("x", Family::Ipv4).expect("fits")
}

/// Sends one command; `want` is the kind of its error, and how often the
/// transport must have been reset.
fn check(next: &[Next], want: (Result<(), KernelErrorKind>, usize)) {
    let mut script = Script::of(next.to_vec());
    let outcome = Exchange::new(&mut script).command(&Request::Flush(&set()));
    let kind = outcome.map_err(|failure| failure.kind(Stage::Flush));
    assert_eq!((kind, script.resets), want, "{next:?}");
}

#[test]
fn an_acknowledgement_of_its_own_is_awaited_however_many_are_late() {
    check(&[Next::Ack(0)], (Ok(()), 0));
    check(&[Next::Ack(-1), Next::Ack(-2), Next::Ack(0)], (Ok(()), 0));
    let late = Next::Error { distance: -1, code: -16 };
    check(&[late, Next::Fails(libc::EINTR), Next::Ack(0)], (Ok(()), 0));
}

#[test]
fn a_refusal_is_known_and_leaves_the_socket_alone() {
    let refusal = |code| [Next::Error { distance: 0, code }];
    check(&refusal(-2), (Err(KernelErrorKind::NotFound), 0));
    check(&refusal(-16), (Err(KernelErrorKind::Busy), 0));
    check(&refusal(-4100), (Err(KernelErrorKind::Busy), 0));
    check(&refusal(-4097), (Err(KernelErrorKind::Refused), 0));
}

#[test]
fn a_lost_or_senseless_answer_is_unknown_and_the_socket_is_opened_anew() {
    let unknown = (Err(KernelErrorKind::Unknown), 1);
    check(&[], unknown);
    check(&[Next::Ack(-1)], unknown);
    check(&[Next::Fails(libc::ENOBUFS), Next::Ack(0)], unknown);
    check(&[Next::Fails(libc::EAGAIN)], unknown);
    check(&[Next::Cut(0)], unknown);
    check(&[Next::Reply(1, [(1, 7), (10, 6)])], unknown);
    check(&[Next::Reply(1, [(1, 7), (1, 7)])], unknown);
    check(&vec![Next::Ack(-1); 5_000], unknown);
}

#[test]
fn a_socket_that_could_not_be_opened_anew_is_not_used_again() {
    let mut script = Script { reset_fails: Some(libc::EMFILE), ..Script::default() };
    let set = set();
    let mut exchange = Exchange::new(&mut script);
    let unknown = exchange.command(&Request::Flush(&set)).expect_err("no answer");
    assert_eq!(unknown.kind(Stage::Flush), KernelErrorKind::Unknown);
    let unsent = exchange.command(&Request::Flush(&set)).expect_err("no socket");
    assert!(matches!(unsent, ExchangeFailure::Unsent(_)), "{unsent}");
    assert_eq!((script.sent, script.resets), (1, 2));
}

#[test]
fn what_cannot_be_sent_has_not_happened() {
    for (errno, want) in [
        (libc::EMSGSIZE, KernelErrorKind::Refused),
        (libc::ENOBUFS, KernelErrorKind::Memory),
        (libc::EPERM, KernelErrorKind::Denied),
    ] {
        let mut script = Script { send_fails: Some(errno), ..Script::default() };
        let outcome = Exchange::new(&mut script).command(&Request::Flush(&set()));
        let failure = outcome.expect_err("not sent");
        assert_eq!(failure.kind(Stage::Flush), want);
        assert!(matches!(failure, ExchangeFailure::Unsent(_)));
    }
}

#[test]
fn a_group_is_read_to_its_last_answer_even_after_an_unexpected_one() {
    let set = set();
    let mut script = Script::of([
        Next::Error { distance: 0, code: -2 },
        Next::Error { distance: 1, code: -4103 },
        Next::Ack(2),
        Next::Ack(9),
    ]);
    let mut exchange = Exchange::new(&mut script);
    let first = exchange.reserve(3);
    let bytes = Request::Flush(&set).encode(first);
    assert_eq!(exchange.group(&bytes, first, 3).expect("read"), [2, 4103]);
    assert_eq!(script.next.len(), 1, "only what answers the group was read");
}

/// What a kernel says that speaks these protocols and has `hash:net` in these
/// revisions, of which 0 means none.
fn kernel(protocols: [u8; 2], revisions: [u8; 2]) -> Vec<Next> {
    let [max, min] = protocols;
    let mut next = vec![Next::Reply(1, [(1, max), (10, min)])];
    next.extend(revisions.map(|max| match max {
        0 => Next::Error { distance: 0, code: -4098 },
        max => Next::Reply(13, [(4, max), (10, 0)]),
    }));
    next
}

#[test]
fn a_kernel_that_cannot_is_named_as_such_and_what_it_lacks() {
    for (next, want) in [
        (kernel([6, 6], [0, 0]), "protocol 7 is needed"),
        (kernel([9, 8], [0, 0]), "protocol 7 is needed"),
        (kernel([7, 6], [0, 7]), "module ip_set_hash_net is missing: IPSET_ERR_FIND_TYPE 4098"),
        (kernel([7, 6], [7, 6]), "hash:net for ipv6 must have revision 7"),
        // What nfnetlink says without ipset.
        (
            vec![Next::Error { distance: 0, code: -22 }],
            "the module ip_set is missing: Invalid argument",
        ),
    ] {
        let mut script = Script::of(next);
        let error = Netfilter::over(&mut script).map(|_| ()).expect_err("cannot");
        assert_eq!(error.kind, KernelErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn what_a_message_cannot_carry_is_refused_before_anything_is_sent() {
    let mut script = Script::of(kernel([7, 6], [7, 9]));
    let mut kernel = Netfilter::over(&mut script).expect("a good kernel");
    let everything: Members =
        PrefixSet::<u32>::from_iter([blocklist::Prefix::containing(0, 0)]).into();
    let chunk = everything.chunks().next().expect("one");
    let add = Op::Add { set: set(), chunk: chunk.clone(), presence: Presence::Any };
    let error = kernel.execute(&add).expect_err("refused");
    assert_eq!(error.kind, KernelErrorKind::Refused);
    assert!(error.detail.contains("/0"), "{error}");
    assert_eq!(kernel.absent(&set(), &chunk).expect_err("refused").kind, KernelErrorKind::Refused);
    drop(kernel);
    assert_eq!(script.sent, 3);
}

#[test]
fn an_op_without_an_answer_is_unknown_and_the_next_one_goes_its_way() {
    let mut script = Script::of(kernel([7, 6], [7, 9]));
    let mut kernel = Netfilter::over(&mut script).expect("a good kernel");
    let capacity = Capacity { hashsize: 64, maxelem: 64 };
    let create = Op::Create(SetSpec { name: set(), capacity, initval: 1 });
    let error = kernel.execute(&create).expect_err("no answer");
    assert_eq!(error.kind, KernelErrorKind::Unknown);
    assert_eq!(
        kernel.execute(&Op::Destroy(set())).expect_err("none").kind,
        KernelErrorKind::Unknown
    );
}

#[test]
fn memory_for_a_large_table_is_made_ready_before_the_set_is_created_if_it_can_be() {
    let mut script = Script::of(kernel([7, 6], [7, 9]));
    script.next.extend([Next::Ack(0), Next::Ack(0)]);
    let mut kernel = Netfilter::over(&mut script).expect("a good kernel");
    for hashsize in [1 << 18, 1 << 21] {
        let capacity = Capacity { hashsize, maxelem: 64 };
        let create = Op::Create(SetSpec { name: set(), capacity, initval: 1 });
        kernel.execute(&create).expect("it can be created all the same");
    }
    drop(kernel);
    assert_eq!((script.ready, script.sent), (vec![(16 << 20, 4)], 5));
}

/// `SETNAME` of [`set`], then `bytes`.
fn part(bytes: &[u8]) -> Next {
    Next::Part([&[11, 0, 2, 0], &b"t-x-v4\0\0"[..], bytes].concat())
}

#[test]
fn a_listing_without_a_header_is_no_empty_set() {
    for parts in [vec![], vec![part(&[])], vec![Next::Part(b"\x06\0\x02\0y\0\0\0".to_vec())]] {
        let mut script = Script::of(kernel([7, 6], [7, 7]));
        script.next.extend(parts);
        script.next.push_back(Next::Done);
        let mut kernel = Netfilter::over(&mut script).expect("a good kernel");
        assert_eq!(kernel.members(&set()).expect_err("none").kind, KernelErrorKind::Changed);
    }
}

proptest! {
    #[test]
    fn a_reader_of_arbitrary_listings_survives(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
    ) {
        let mut script = Script::of(kernel([7, 6], [7, 7]));
        script.next.extend(parts.iter().map(|bytes| part(bytes)));
        script.next.push_back(Next::Done);
        let mut kernel = Netfilter::over(&mut script).expect("a good kernel");
        prop_assert!(kernel.members(&set()).is_err(), "no header makes sense by chance");
    }
}
