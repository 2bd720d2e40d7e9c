//! What the kernel alone takes for the messages of a fill: a floor for sets of either
//! family of the type that ours are of, which the meters have of IPv4 only.

use netfilter::{Batch, BatchChange, Exchange, NetlinkSocket};
use reconcile::{Capacity, Kernel as _, Observe as _, Op, Presence, SetName, SetSpec};

use super::{FREED, Input, Took, pass};
use crate::Failure;

/// What its figures are called in tables.
pub(in crate::bench) const BEFOREHAND: &str = "our messages, made beforehand";

/// Fills a set with messages that are there already, in the network namespace of the
/// calling thread.
pub(in crate::bench) fn sent(set: &SetName, input: &Input) -> Result<Took, Failure> {
    let members = input.members();
    let mut kernel = netfilter::Netfilter::open()?;
    let capacity = Capacity::for_members(members.len());
    let spec = SetSpec { name: set.clone(), capacity, initval: 0x9e37_79b9 };
    kernel.execute(&Op::Create(spec))?;
    let header = kernel.header(set)?.ok_or("the set that was created is not there")?;
    let mut exchange = Exchange::new(NetlinkSocket::open()?);
    let mut batch = Batch::default();
    let mut messages = Vec::new();
    for chunk in members.chunks_in(kernel.order(&header, members)) {
        let sequence = exchange.reserve(1);
        let message = batch.change(BatchChange::Add(Presence::New), set, &chunk, sequence);
        messages.push((sequence, message.map_err(|why| why.to_string())?.to_vec()));
    }
    let (done, took) = Took::of(|| {
        messages
            .iter()
            .try_for_each(|(sequence, message)| exchange.acknowledged(message, *sequence))
    });
    done.map_err(|failure| format!("{failure:?}"))?;
    kernel.execute(&Op::Destroy(set.clone()))?;
    pass(FREED);
    Ok(took)
}
