//! Comparing every member with the kernel: the look that the daemon takes, in this
//! process, beside the floor, which lists the same set, and beside `ipset save`.

use lab::namespace::isolated;
use reconcile::{Observe as _, Observed, SetPrefix};

use super::suite::{FLOOR, Goal, Input, Kind, OURS, Page, Plot, Session, Task, Took, program};
use crate::Failure;

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "Every member compared with the kernel",
    metric: "audit of IPv4, ms",
    unit: "ms",
    over: "members",
};

const LISTED: &str = "denyset, members listed and sorted alone";
const SAVE: &str = "ipset save";

fn audit_of(kind: Kind) -> String {
    format!("audit of {}", kind.name())
}

/// Measures both families.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    for kind in [Kind::HostsV4, Kind::HostsV6] {
        for size in [task.members / 10, task.members] {
            println!("  {size} members, {}", kind.name());
            let audited = isolated(|| audit(task, kind, size, page).map_err(|e| e.to_string()));
            audited?;
        }
    }
    Ok(())
}

fn audit(task: &Task, kind: Kind, size: usize, page: &mut Page) -> Result<(), Failure> {
    let input = Input::new(kind, size, 1);
    let mut session = Session::open()?;
    session.bring(input.members())?;
    session.release(input.members())?;
    let set = session.set(input.members())?;
    let what = audit_of(kind);
    let prefix = SetPrefix::new("denyset-")?;
    let known = Observed::look(&prefix, session.kernel(), None)?;
    for _ in 0..task.rounds_of(size) {
        let (found, took) = Took::of(|| {
            let seen = Observed::look(&prefix, session.kernel(), Some(&known));
            seen.map(|seen| seen.drift_from(&known).len())
        });
        if found? > 0 {
            return Err("somebody else changed it".into());
        }
        page.took(OURS, size, &what, took);
        let floor = task.meters.nlm().and_then(|nlm| nlm.dump(set.as_str(), kind.family()));
        page.tried(FLOOR, size, &what, floor);
        let (listed, took) = Took::of(|| session.kernel().members(&set).map(|found| found.len()));
        page.took(LISTED, size, &what, took);
        if listed? != input.members().len() {
            return Err("not all members are there".into());
        }
        page.tried(SAVE, size, &what, program(&format!("ipset save {set}")));
    }
    session.clear()
}

/// What is promised.
pub(super) fn judge(task: &Task, page: &mut Page) {
    for kind in [Kind::HostsV4, Kind::HostsV6] {
        let floor = page.ratio(&audit_of(kind), task.members, OURS, FLOOR);
        let what = format!("times the floor, audit of {}", kind.name());
        page.goal(Goal::at_most(&what, floor, 1.3));
    }
    page.note(
        "The floor lists all members and keeps none. `ipset save` prints them, here to somebody who \
         reads them and throws them away."
            .into(),
    );
}
