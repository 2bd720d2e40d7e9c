//! Carrying out ops. Each is one message and one acknowledgement; an add or a
//! delete that stops in the middle says at which member.

use blocklist::AnyPrefix;
use reconcile::{
    Capacity, Chunk, Kernel, KernelError, KernelErrorKind, Members, Op, RuleSet, SetHeader,
    SetName, Stage, WriteOrder,
};

use super::Netfilter;
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
            Op::Add { set, chunk, presence } => {
                self.change(Stage::Add, BatchChange::Add(*presence), set, chunk)
            }
            Op::Delete { set, chunk } => {
                self.change(Stage::Delete, BatchChange::Delete, set, chunk)
            }
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

    fn change(
        &mut self,
        stage: Stage,
        change: BatchChange,
        set: &SetName,
        chunk: &Chunk,
    ) -> Result<(), KernelError> {
        if chunk.is_empty() {
            return Ok(());
        }
        let sequence = self.exchange.reserve(1);
        let outcome = match self.batch.change(change, set, chunk, sequence) {
            Ok(message) => self.exchange.acknowledged(message, sequence),
            Err(unwritable) => Err(ExchangeFailure::Unwritable(unwritable)),
        };
        outcome.map_err(|failure| {
            let member = culprit(&failure, chunk);
            failure.error(stage, Some(set), member)
        })
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
