//! What may happen in a run. Each run has its own choice: a fault that needs
//! calm elsewhere shows itself in one, a fault of everything at once in
//! another.

use super::configuration;
use super::text;
use crate::Random;

/// Whether the daemon is told of changes in the feeds directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WatchChance {
    /// Of every one, sooner or later.
    #[default]
    Tells,
    /// Of some.
    Misses,
    /// Of none, as on a network file system.
    Dead,
}

/// What may happen in a run.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chances {
    /// Requests to the kernel fail, daemons are killed in between.
    pub(super) kernel_faults: bool,
    /// Others change sets.
    pub(super) foreign_hands: bool,
    /// Configurations are edited and read again.
    pub(super) reloads: bool,
    /// Some of them are slips.
    pub(super) slips: bool,
    /// Refused versions are accepted.
    pub(super) accepts: bool,
    /// The host's own addresses change.
    pub(super) facts: bool,
    /// The wall clock is set.
    pub(super) clock: bool,
    /// The daemon is started again.
    pub(super) restarts: bool,
    /// The state directory is lost, partly lost or damaged meanwhile.
    pub(super) losses: bool,
    /// It has no room at times.
    pub(super) full_disks: bool,
    /// Scans and reads fail.
    pub(super) bad_reads: bool,
    /// Files are deleted, renamed and come back.
    pub(super) absences: bool,
    /// What the daemon is told of changes.
    pub(super) watch: WatchChance,
    /// What texts are like.
    pub(super) texts: text::TextKinds,
    /// What configurations are like.
    pub(super) configurations: configuration::ConfigurationKinds,
}

impl Chances {
    /// A choice.
    pub(super) fn random(random: &mut Random) -> Self {
        let mut may = || random.chance(40);
        let losses = may();
        Self {
            losses,
            // What the kernel holds is all there is after a loss.
            kernel_faults: may() && !losses,
            foreign_hands: may() && !losses,
            reloads: may(),
            slips: may() && !losses,
            accepts: may(),
            facts: may(),
            clock: may(),
            restarts: may(),
            full_disks: may(),
            bad_reads: may(),
            absences: may(),
            texts: text::TextKinds { refusable: may(), lifetimes: may() },
            configurations: configuration::ConfigurationKinds { allows: may(), ages: may() },
            watch: match random.below(10) {
                0 => WatchChance::Misses,
                1 => WatchChance::Dead,
                _ => WatchChance::Tells,
            },
        }
    }
}
