//! Carrying out ops. Each is one message and one acknowledgement; an add or a
//! delete that stops in the middle says at which member.

use std::ops::ControlFlow;

use blocklist::AnyPrefix;
use reconcile::{
    Capacity, Chunk, Kernel, KernelError, KernelErrorKind, Members, Op, RuleSet, Series, SetHeader,
    SetName, Stage, WriteOrder,
};

use super::Netfilter;
use super::ahead::Ahead;
use crate::batch::number;
use crate::limits::READY_BYTES_MIN;
use crate::{BatchChange, ExchangeFailure, Request, Transport, bucket};

impl<T: Transport> Kernel for Netfilter<T> {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        match op {
            Op::Create(spec) => {
                let revision = self.revision(spec.family());
                let bytes = table_bytes(spec.capacity);
                if bytes >= READY_BYTES_MIN {
                    self.exchange.make_ready(bytes);
                }
                self.command(Stage::Create, &spec.name, &Request::Create { spec, revision })
            }
            Op::Add { .. } | Op::Delete { .. } => self.change(op, None),
            Op::Swap { shadow, live } => {
                self.command(Stage::Swap, live, &Request::Swap { shadow, live })
            }
            Op::Retire { set, shadow } => {
                self.command(Stage::Retire, set, &Request::Rename { from: set, to: shadow })
            }
            Op::Flush(set) => self.command(Stage::Flush, set, &Request::Flush(set)),
            Op::Destroy(set) => match self.command(Stage::Destroy, set, &Request::Destroy(set)) {
                Err(error) if error.kind == KernelErrorKind::NotFound => Ok(()),
                outcome => outcome,
            },
        }
    }

    fn execute_series(
        &mut self,
        series: &Series,
        from: usize,
        done: &mut dyn FnMut(&Op) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        Ahead::of(series, from, |mut ahead| {
            for (number, op) in (from..).zip(series.ops(from)) {
                self.change(&op, ahead.take(number))?;
                if done(&op).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn order(&self, set: &SetHeader, members: &Members) -> WriteOrder {
        bucket::order(set, members)
    }

    fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        let changed = self.make_rules(wanted)?;
        if changed {
            self.await_release(wanted)?;
        }
        Ok(changed)
    }
}

impl<T: Transport> Netfilter<T> {
    fn command(
        &mut self,
        stage: Stage,
        set: &SetName,
        request: &Request<'_>,
    ) -> Result<(), KernelError> {
        self.exchange.command(request).map_err(|failure| failure.at(stage, set))
    }

    /// Adds or deletes members, with the message that was made for it, if it was.
    fn change(&mut self, op: &Op, made: Option<Vec<u8>>) -> Result<(), KernelError> {
        let Some((change, set, chunk)) = written(op).filter(|(_, _, chunk)| !chunk.is_empty())
        else {
            return Ok(());
        };
        let sequence = self.exchange.reserve(1);
        let outcome = match made {
            Some(mut message) => {
                number(&mut message, sequence);
                self.exchange.acknowledged(&message, sequence)
            }
            None => match self.batch.change(change, set, chunk, sequence) {
                Ok(message) => self.exchange.acknowledged(message, sequence),
                Err(unwritable) => Err(ExchangeFailure::Unwritable(unwritable)),
            },
        };
        outcome.map_err(|failure| {
            let member = culprit(&failure, chunk);
            failure.error(stage(change), Some(set), member)
        })
    }
}

/// Which members an op adds or deletes.
pub(super) fn written(op: &Op) -> Option<(BatchChange, &SetName, &Chunk)> {
    match op {
        Op::Add { set, chunk, presence } => Some((BatchChange::Add(*presence), set, chunk)),
        Op::Delete { set, chunk } => Some((BatchChange::Delete, set, chunk)),
        _ => None,
    }
}

fn stage(change: BatchChange) -> Stage {
    match change {
        BatchChange::Add(_) => Stage::Add,
        BatchChange::Delete => Stage::Delete,
    }
}

/// Bytes that are allocated in one piece when a set is created: a pointer for each
/// bucket (`struct htable` in `net/netfilter/ipset/ip_set_hash_gen.h`).
fn table_bytes(capacity: Capacity) -> usize {
    capacity.hashsize as usize * size_of::<usize>()
}

/// The member that a failed batch stopped at.
fn culprit(failure: &ExchangeFailure, chunk: &Chunk) -> Option<AnyPrefix> {
    let ExchangeFailure::Refused { number: Some(number), .. } = failure else { return None };
    let offset = usize::try_from(*number).ok()?.checked_sub(1)?;
    chunk.iter().nth(offset)
}
