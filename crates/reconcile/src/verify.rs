//! Reads back what was written, before rules get to see it.

use crate::{Chunk, Kernel, KernelError, KernelErrorKind, Members, SetSpec, Stage};

/// Runs of neighbouring members that are tested.
const RUNS: usize = 8;
/// Members in such a run.
const RUN: usize = 64;
/// Up to this many members are also counted: it takes a CPU's softirqs about
/// a millisecond. Every add was acknowledged by number in any case.
const COUNTED_MAX: usize = 1 << 16;

/// Checks that a set which was just created and filled is still that set, and
/// holds `members`.
pub(crate) fn verify<K: Kernel>(
    kernel: &mut K,
    spec: &SetSpec,
    members: &Members,
) -> Result<(), KernelError> {
    let set = &spec.name;
    let differs = |detail: String| {
        let mut error = KernelError::new(Stage::Verify, set, KernelErrorKind::Changed);
        error.detail = detail;
        Err(error)
    };
    for chunk in samples(members) {
        let absent = kernel.absent(set, &chunk)?;
        if absent > 0 {
            return differs(format!("{absent} of {} members tested are missing", chunk.len()));
        }
    }
    if members.len() <= COUNTED_MAX {
        let header = kernel.header(set)?.filter(|header| header.initval == Some(spec.initval));
        let Some(header) = header else {
            return differs("another set has its name".to_owned());
        };
        let counted = header.elements;
        if counted as usize != members.len() {
            return differs(format!("{counted} members counted, {} written", members.len()));
        }
    }
    Ok(())
}

/// A few runs of members, spread evenly.
fn samples(members: &Members) -> impl Iterator<Item = Chunk> + use<> {
    let members = members.clone();
    let stride = (members.len() / RUNS).max(RUN);
    (0..members.len()).step_by(stride).filter_map(move |start| {
        let end = members.len().min(start + RUN);
        Chunk::new(members.clone(), start..end)
    })
}
