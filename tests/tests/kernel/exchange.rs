//! What the kernel does to messages that are not as they should be, and to a
//! reader that does not read. Each must end in an error, none in waiting.

use std::io::{self, ErrorKind};
use std::time::Duration;

use lab::generate::RandomNumbers;
use lab::members::SortedPrefixes as Seen;
use lab::witness;
use netfilter::{Batch, BatchChange, Exchange, ExchangeFailure, NetlinkSocket, Request, Transport};
use reconcile::{CHUNK_MAX, Chunk, KernelErrorKind, Observe, Presence, Stage};

use crate::ground::{give_up_rights, members, on_own_ground, v4};

/// How long is waited for an answer that never comes.
const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_message_that_is_longer_than_what_was_sent_ends_in_a_timeout() {
    on_own_ground(|ground| {
        let set = v4("framing");
        ground.creates_with(&set, "192.0.2.1");
        let mut exchange = Exchange::new(NetlinkSocket::open_for(SOON).expect("permitted"));
        let sequence = exchange.reserve(1);
        let mut message = Request::Flush(&set).encode(sequence);
        message[0] += 4;
        let failure = exchange.acknowledged(&message, sequence).expect_err("never answered");
        assert_eq!(failure.kind(Stage::Flush), KernelErrorKind::Unknown);
        let ExchangeFailure::Unanswered(error) = failure else { panic!("{failure}") };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        witness::members(set.as_str()).expect(&Seen::of("192.0.2.1"));
    });
}

#[test]
fn an_acknowledgement_is_worth_nothing_without_the_flag_that_every_message_of_ours_has() {
    on_own_ground(|ground| {
        let set = v4("flag");
        ground.creates_with(&set, "192.0.2.1");
        let mut exchange = Exchange::new(NetlinkSocket::open_for(SOON).expect("permitted"));
        for (request_flag, want) in [(0, "192.0.2.1"), (1, "")] {
            let sequence = exchange.reserve(1);
            let mut message = Request::Flush(&set).encode(sequence);
            assert_eq!(message[6] & 1, 1);
            message[6] = message[6] & !1 | request_flag;
            exchange.acknowledged(&message, sequence).expect("acknowledged either way");
            witness::members(set.as_str()).expect(&Seen::of(want));
        }
    });
}

/// Sends in pieces of whole messages, so that the send buffer is never what
/// is too small.
struct Piecewise(NetlinkSocket);

impl Transport for Piecewise {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut rest = datagram;
        while let Some(length) = rest.first_chunk::<4>() {
            let length = u32::from_ne_bytes(*length) as usize;
            let (message, others) = rest.split_at(length);
            self.0.send(message)?;
            rest = others;
        }
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        self.0.receive(into)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.0.reset()
    }
}

#[test]
fn more_acknowledgements_than_fit_are_unknown_although_all_is_done() {
    // Each takes 832 bytes of a buffer of 2 MiB, or of 208 KiB where the
    // process may not have the larger one.
    const MESSAGES: usize = 5_000;
    on_own_ground(|ground| {
        let set = v4("overflow");
        let seen: Seen = RandomNumbers::seeded(7).addresses(MESSAGES, 0).into_iter().collect();
        let wanted = members(set.family(), &seen);
        let spec = ground.spec(&set, 1 << 13, 10_000);
        ground.does(&reconcile::Op::Create(spec));
        let mut exchange =
            Exchange::new(Piecewise(NetlinkSocket::open_for(SOON).expect("permitted")));
        let count = u32::try_from(MESSAGES).expect("few");
        let first = exchange.reserve(count);
        let (mut batch, mut bytes) = (Batch::default(), Vec::new());
        for (number, position) in (0..count).zip(0..) {
            let one = Chunk::new(wanted.clone(), position..position + 1).expect("a member");
            let change = BatchChange::Add(Presence::New);
            bytes.extend_from_slice(
                batch.change(change, &set, &one, first + number).expect("writable"),
            );
        }
        let failure = exchange.group(&bytes, first, count).expect_err("answers are lost");
        assert_eq!(failure.kind(Stage::Add), KernelErrorKind::Unknown, "{failure}");
        witness::members(set.as_str()).expect(&seen);
        exchange.ask(&Request::Protocol).expect("the exchange goes on");
        assert!(ground.kernel.members(&set).expect("observed again") == wanted);
    });
}

#[test]
fn a_batch_beyond_the_length_of_an_attribute_is_refused_by_the_kernel() {
    on_own_ground(|ground| {
        let set = v4("long");
        ground.creates(&set);
        let seen: Seen = RandomNumbers::seeded(8).addresses(CHUNK_MAX, 0).into_iter().collect();
        let chunk = members(set.family(), &seen).chunks().next().expect("one");
        let mut exchange = Exchange::new(NetlinkSocket::open_for(SOON).expect("permitted"));
        let sequence = exchange.reserve(1);
        let mut batch = Batch::default();
        let change = BatchChange::Add(Presence::Any);
        let message = batch.change(change, &set, &chunk, sequence).expect("writable");
        // Twice the entries under one ADT, whose length wraps around.
        let entries = &message[message.len() - 32 * CHUNK_MAX..];
        let mut long = [message, entries].concat();
        let nest = message.len() - 32 * CHUNK_MAX - 4;
        let length = u16::try_from((long.len() - nest) & 0xffff).expect("masked");
        long[nest..nest + 2].copy_from_slice(&length.to_ne_bytes());
        let total = u32::try_from(long.len()).expect("short");
        long[..4].copy_from_slice(&total.to_ne_bytes());
        let failure = exchange.acknowledged(&long, sequence).expect_err("malformed");
        assert_eq!(failure.kind(Stage::Add), KernelErrorKind::Refused, "{failure}");
    });
}

#[test]
fn a_datagram_beyond_the_send_buffer_is_not_sent_at_all() {
    on_own_ground(|_| {
        let mut socket = NetlinkSocket::open_for(SOON).expect("permitted");
        let error = socket.send(&vec![0; 16 << 20]).expect_err("too long");
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
        assert_eq!(ExchangeFailure::Unsent(error).kind(Stage::Add), KernelErrorKind::Refused);
    });
}

#[test]
fn memory_is_made_ready_beside_the_socket_where_the_user_may() {
    const BYTES: usize = 16 << 20;
    on_own_ground(|ground| {
        let set = v4("beside");
        ground.creates_with(&set, "192.0.2.1");
        let mut socket = NetlinkSocket::open_for(SOON).expect("permitted");
        // Root of a user namespace may not.
        if let Err(error) = socket.make_ready(BYTES) {
            assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
        }
        let refused = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                give_up_rights();
                socket.make_ready(BYTES)
            });
            other.join().expect("no panic").expect_err("it may not")
        });
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM), "{refused}");
        let silence = socket.receive(&mut Vec::new()).expect_err("nobody was asked");
        assert_eq!(silence.kind(), ErrorKind::WouldBlock, "{silence}");
        let mut exchange = Exchange::new(socket);
        exchange.command(&Request::Flush(&set)).expect("acknowledged");
        witness::members(set.as_str()).expect(&Seen::of(""));
    });
}
