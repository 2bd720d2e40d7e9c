//! What an administrator should know, as facts. How it is said is decided
//! where it is shown.

use intake::SourceReport;
use reconcile::{Difference, KernelError, Object, ObjectOutcome, Obstacle};

use crate::{Held, Slip};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Report {
    /// To a source.
    Source(SourceReport),
    /// A list holds something else than before.
    ListComposed {
        /// The list.
        list: String,
        /// IPv4 members.
        ipv4: usize,
        /// IPv6 members.
        ipv6: usize,
        /// Prefixes taken out because they are protected.
        protected: usize,
    },
    /// The sets of a list are held from now on, or for another reason.
    ListHeld {
        /// The list.
        list: String,
        /// How and why.
        held: Held,
    },
    /// They are not any more.
    ListFree {
        /// The list.
        list: String,
    },
    /// An object was changed, or could not be.
    Applied(ObjectOutcome),
    /// Lifetimes of a list's entries have ended, and a set has let go of them.
    Ended {
        /// The list.
        list: String,
        /// What was done.
        outcome: ObjectOutcome,
    },
    /// Somebody else changed a set of ours.
    Drifted(Difference),
    /// Nothing can be done about an object.
    Blocked {
        /// The object.
        object: Object,
        /// Why.
        obstacle: Obstacle,
    },
    /// The kernel could not be observed.
    KernelFailed(KernelError),
    /// Desired and observed are the same, after they were not.
    InSync,
    /// A new configuration is in force.
    Configured {
        /// How many lists it has.
        lists: usize,
    },
    /// A new configuration was refused, the running one stays.
    ConfigurationRefused {
        /// What it would do.
        slips: Vec<Slip>,
    },
    /// This host has other addresses, gateways or resolvers than before.
    HostChanged,
}
