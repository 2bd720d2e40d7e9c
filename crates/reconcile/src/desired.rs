//! What should be in the kernel: every set by name, whole.

use std::collections::BTreeMap;

use crate::{Members, SetName};

/// The desired state of the kernel. A set of ours that is not in it is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The members of every live set, both families of every list.
    pub sets: BTreeMap<SetName, Members>,
}
