//! Reads back what was written, before rules get to see it: a small set as a
//! whole, of a large one samples. Every add was acknowledged by number in any
//! case.

use crate::{Chunk, Kernel, KernelError, KernelErrorKind, Members, SetSpec, Stage};

/// Runs of neighbouring members that are tested.
const RUNS: usize = 8;
/// Members in such a run.
const RUN: usize = 64;
/// Up to this many members are read back as a whole, at 0.4 µs each as measured on
/// 2026-11-29, which is as much as filling them in took. It is two questions in place
/// of hundreds, which weighs with many sets: the kernel finds a set by comparing
/// names, one set after the other.
const WHOLE_MAX: usize = 1 << 16;

/// Checks that a set which was just created and filled is still that set, and
/// holds `members`.
pub(crate) fn verify<K: Kernel>(
    kernel: &mut K,
    spec: &SetSpec,
    members: &Members,
) -> Result<(), KernelError> {
    let set = &spec.name;
    if members.len() > WHOLE_MAX {
        return has_samples(kernel, spec, members);
    }
    let header = kernel.header(set)?.filter(|header| header.initval == Some(spec.initval));
    let Some(header) = header else {
        return differs(spec, "another set has its name".to_owned());
    };
    let counted = header.elements;
    if counted as usize != members.len() {
        let detail = format!("{counted} members counted, {} written", members.len());
        return differs(spec, detail);
    }
    if !kernel.holds(set, members)? {
        return differs(spec, format!("it has other members than the {counted} written"));
    }
    Ok(())
}

fn has_samples<K: Kernel>(
    kernel: &mut K,
    spec: &SetSpec,
    members: &Members,
) -> Result<(), KernelError> {
    for chunk in samples(members) {
        let absent = kernel.absent(&spec.name, &chunk)?;
        if absent > 0 {
            let detail = format!("{absent} of {} members tested are missing", chunk.len());
            return differs(spec, detail);
        }
    }
    Ok(())
}

fn differs(spec: &SetSpec, detail: String) -> Result<(), KernelError> {
    let error = KernelError::new(Stage::Verify, &spec.name, KernelErrorKind::Changed);
    Err(KernelError { detail, ..error })
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
