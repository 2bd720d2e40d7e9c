//! Long runs by seed: one small host after the other, each with its own choice
//! of what may happen.

use reconcile::MemberLayout;

use super::Host;
use super::clients::seed_of;
use crate::simulation::RunReport;

/// Steps of the life of one host.
const HOST_STEPS: u64 = 300;
/// Steps between two quiet moments.
const QUIET_EVERY: u64 = 25;

/// What is special about the hosts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// Nothing.
    Plain,
    /// Their lists have rules, to which others do things too.
    Ruled,
    /// Their sets are written in few prefix lengths.
    FewLengths,
}

impl HostKind {
    /// How members are written on a host. With the few that there are, the
    /// usual limit would change hardly anything.
    pub(super) fn layout(self, seed: u64) -> MemberLayout {
        match self {
            Self::FewLengths => {
                let extra_percent_max = [25, 100, 400, 1_000][(seed % 4) as usize];
                MemberLayout::FewLengths { extra_percent_max }
            }
            Self::Plain | Self::Ruled => MemberLayout::Exact,
        }
    }
}

/// Lets hosts live for `steps` steps in all. Ends at the first broken promise,
/// and says by which seed and steps that host alone can be had again. The same
/// arguments give the same run.
pub fn simulate_host(kind: HostKind, seed: u64, steps: u64) -> RunReport {
    let mut requests = 0;
    let mut left = steps;
    for place in 0.. {
        let seed = seed_of(seed, place);
        let (host, lived) = live_for(seed, left.min(HOST_STEPS), kind);
        let mut report = RunReport::of(&host.kernel);
        requests += report.requests;
        left -= lived.min(left);
        if left == 0 || host.broken() {
            report.requests = requests;
            report.again = host.broken().then_some((seed, lived));
            return report;
        }
    }
    unreachable!("the steps end before the numbers do")
}

/// One host, and how many steps it lived.
fn live_for(seed: u64, steps: u64, kind: HostKind) -> (Host, u64) {
    let mut host = Host::new(seed, kind);
    for step in 1..=steps {
        host.act();
        if step % QUIET_EVERY == 0 || step == steps {
            host.quiet();
        }
        if host.broken() {
            return (host, step);
        }
    }
    (host, steps)
}
