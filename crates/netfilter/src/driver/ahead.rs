//! Messages that are made on another processor while the kernel works at those
//! before them: making one takes a twentieth of the time that the kernel takes
//! for it.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{cmp, mem, thread};

use reconcile::Series;

use super::change::written;
use crate::Batch;
use crate::limits::{AHEAD_AT_ONCE, AHEAD_MIN};

/// What was made so far and is not sent yet. Whoever sends never waits for it: what
/// has not come in time he makes himself.
pub(super) struct Ahead<'a> {
    /// The op that is under way. It and those before it need not be made any more.
    under_way: &'a AtomicUsize,
    line: Option<Receiver<Vec<Made>>>,
    /// In the order of their numbers.
    made: VecDeque<Made>,
}

/// A message, and which op of its series it is.
struct Made {
    number: usize,
    message: Vec<u8>,
}

impl Ahead<'_> {
    /// Calls `send` while the messages of the ops behind the first are being made.
    /// Of few, and where there is no other processor, none is. Where `send` ends
    /// early, a few that were begun are made to their end.
    pub(super) fn of<R>(series: &Series, first: usize, send: impl FnOnce(Ahead<'_>) -> R) -> R {
        let under_way = &AtomicUsize::new(first);
        let few = series.len().saturating_sub(first) < AHEAD_MIN;
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            let make = move || make(series, first + 1, under_way, &sender);
            let begun = !few
                && is_not_alone()
                && thread::Builder::new()
                    .name("ahead".to_owned())
                    .spawn_scoped(scope, make)
                    .is_ok();
            send(Ahead { under_way, line: begun.then_some(receiver), made: VecDeque::new() })
        })
    }

    /// The message of the op that is under way from now on, if it was made in time.
    /// It was numbered 0.
    pub(super) fn take(&mut self, number: usize) -> Option<Vec<u8>> {
        self.under_way.store(number, Ordering::Relaxed);
        let line = self.line.as_ref()?;
        loop {
            match self.made.front().map(|made| made.number.cmp(&number)) {
                Some(cmp::Ordering::Equal) => {
                    return self.made.pop_front().map(|made| made.message);
                }
                // It came too late.
                Some(cmp::Ordering::Less) => drop(self.made.pop_front()),
                Some(cmp::Ordering::Greater) => return None,
                None => self.made.extend(line.try_recv().ok()?),
            }
        }
    }
}

/// Whether this process may use another processor. What is not known is no.
fn is_not_alone() -> bool {
    thread::available_parallelism().is_ok_and(|processors| processors > NonZero::<usize>::MIN)
}

/// Makes messages until nobody wants them any more, or until one cannot be made:
/// what is wrong with it, whoever sends it finds out.
fn make(series: &Series, first: usize, under_way: &AtomicUsize, line: &SyncSender<Vec<Made>>) {
    let mut batch = Batch::default();
    let mut made = Vec::with_capacity(AHEAD_AT_ONCE);
    for (number, op) in (first..).zip(series.ops(first)) {
        if number <= under_way.load(Ordering::Relaxed) {
            continue;
        }
        let Some((change, set, chunk)) = written(&op) else { break };
        let Ok(message) = batch.change(change, set, chunk, 0) else { break };
        made.push(Made { number, message: message.to_vec() });
        if made.len() == AHEAD_AT_ONCE {
            let together = mem::replace(&mut made, Vec::with_capacity(AHEAD_AT_ONCE));
            if line.send(together).is_err() {
                return;
            }
        }
    }
    let _unless_nobody_wants_them = line.send(made);
}

#[cfg(test)]
mod tests {
    use blocklist::{Family, Prefix, PrefixSet};
    use reconcile::{CHUNK_MAX, Presence, SetPrefix, WriteOrder};

    use super::*;

    /// A series of so many ops, the last of which has one member.
    fn series(ops: usize) -> Series {
        let last = u32::try_from((ops - 1) * CHUNK_MAX).expect("few");
        let members: PrefixSet<u32> = (0..=last).map(Prefix::host).collect();
        let set = SetPrefix::new("t-").expect("fits").live("x", Family::Ipv4).expect("fits");
        Series::add(&set, &members.into(), WriteOrder::SORTED, Presence::New)
    }

    /// The message of an op as it is made when nobody has made it before.
    fn message(series: &Series, number: usize) -> Vec<u8> {
        let op = series.ops(number).next().expect("one");
        let (change, set, chunk) = written(&op).expect("members");
        Batch::default().change(change, set, chunk, 0).expect("writable").to_vec()
    }

    /// What is made of a series, piece by piece, while `under_way` is what it is.
    fn pieces(series: &Series, first: usize, under_way: usize) -> Vec<Vec<Made>> {
        let (sender, receiver) = sync_channel(1);
        thread::scope(|scope| {
            scope.spawn(move || make(series, first, &AtomicUsize::new(under_way), &sender));
            receiver.iter().collect()
        })
    }

    #[test]
    fn what_is_made_is_what_would_be_sent_from_the_first_that_is_wanted_to_the_last() {
        let series = series(2 * AHEAD_AT_ONCE + 3);
        for (first, under_way) in [(1, 0), (1, 4), (9, 3)] {
            let pieces = pieces(&series, first, under_way);
            assert!(pieces.iter().all(|made| made.len() <= AHEAD_AT_ONCE));
            let made: Vec<_> = pieces.into_iter().flatten().collect();
            let numbers: Vec<_> = made.iter().map(|made| made.number).collect();
            let wanted: Vec<_> = (first.max(under_way + 1)..series.len()).collect();
            assert_eq!(numbers, wanted);
            assert!(made.iter().all(|made| made.message == message(&series, made.number)));
        }
    }

    #[test]
    fn of_many_those_behind_the_first_are_made_and_of_few_none() {
        for (ops, first, many) in [
            (AHEAD_MIN, 0, true),
            (AHEAD_MIN + 3, 3, true),
            (AHEAD_MIN - 1, 0, false),
            (AHEAD_MIN, 1, false),
        ] {
            let series = series(ops);
            let numbers = Ahead::of(&series, first, |ahead| {
                let made = ahead.line?.recv().expect("it is being made");
                Some(made.iter().map(|made| made.number).collect::<Vec<_>>())
            });
            let wanted = first + 1..first + 1 + AHEAD_AT_ONCE;
            assert_eq!(numbers, (many && is_not_alone()).then(|| wanted.collect()));
        }
    }

    #[test]
    fn a_message_is_taken_for_its_own_op_and_what_comes_too_late_for_none() {
        let series = series(2 * AHEAD_AT_ONCE);
        let (sender, receiver) = sync_channel(9);
        make(&series, 1, &AtomicUsize::new(0), &sender);
        let under_way = &AtomicUsize::new(0);
        let mut ahead = Ahead { under_way, line: Some(receiver), made: VecDeque::new() };
        assert_eq!(ahead.take(0), None, "the first is made by whoever sends it");
        for number in [1, 2, 5, AHEAD_AT_ONCE + 4] {
            assert_eq!(ahead.take(number), Some(message(&series, number)), "{number}");
            assert_eq!(under_way.load(Ordering::Relaxed), number);
            assert_eq!(ahead.take(number), None, "once");
        }
        drop(sender);
        assert_eq!(ahead.take(series.len()), None);
    }
}
