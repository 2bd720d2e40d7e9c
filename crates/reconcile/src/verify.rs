//! Reads back what was written, before rules get to see it.

use crate::{Chunk, Kernel, KernelError, KernelErrorKind, Members, SetName, Stage};

/// Runs of neighbouring members that are tested.
const RUNS: usize = 8;
/// Members in such a run.
const RUN: usize = 64;
/// Up to this many members are also counted: it takes a CPU's softirqs about
/// a millisecond. Every add was acknowledged by number in any case.
const COUNTED_MAX: usize = 1 << 16;

/// Checks that a set which was just filled holds `members`.
pub(crate) fn verify<K: Kernel>(
    kernel: &mut K,
    set: &SetName,
    members: &Members,
) -> Result<(), KernelError> {
    let differs = |detail: String| {
        let mut error = KernelError::new(Stage::Verify, set, KernelErrorKind::Changed);
        error.detail = detail;
        Err(error)
    };
    for chunk in samples(members, 0) {
        let absent = kernel.absent(set, &chunk)?;
        if absent > 0 {
            return differs(format!("{absent} of {} members tested are missing", chunk.len()));
        }
    }
    if members.len() <= COUNTED_MAX {
        let counted = kernel.header(set)?.map_or(0, |header| header.elements);
        if counted as usize != members.len() {
            return differs(format!("{counted} members counted, {} written", members.len()));
        }
    }
    Ok(())
}

/// A few runs of members, spread evenly; with another `turn` others.
pub(crate) fn samples(members: &Members, turn: usize) -> impl Iterator<Item = Chunk> + use<> {
    let members = members.clone();
    let stride = (members.len() / RUNS).max(RUN);
    (0..members.len()).step_by(stride).filter_map(move |start| {
        let start = start + (turn * RUN) % stride;
        let end = members.len().min(start + RUN);
        (start < end).then(|| Chunk::new(members.clone(), start..end)).flatten()
    })
}
