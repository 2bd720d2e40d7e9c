//! What should be in the kernel: every set by name, whole.

use std::collections::BTreeMap;

use blocklist::{Address, PrefixSet, Prefixes};

use crate::{Members, NameError, SetName, SetPrefix};

/// The desired state of the kernel. A set of ours that is not in it is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The members of every live set, both families of every list.
    pub sets: BTreeMap<SetName, Members>,
}

impl Desired {
    /// Puts the two sets of a list in, in the form that the kernel takes.
    /// Says whether that changed anything.
    ///
    /// # Errors
    /// [`NameError`] if the name of the list does not make names of sets.
    pub fn insert(
        &mut self,
        prefix: &SetPrefix,
        list: &str,
        members: Prefixes,
    ) -> Result<bool, NameError> {
        let pair: [Members; 2] =
            [kernel_form(members.ipv4).into(), kernel_form(members.ipv6).into()];
        let mut changed = false;
        for members in pair {
            let set = prefix.live(list, members.family())?;
            changed |= self.sets.get(&set) != Some(&members);
            self.sets.insert(set, members);
        }
        Ok(changed)
    }
}

/// `hash:net` refuses `/0` (`IPSET_ERR_INVALID_CIDR`); its two halves say the
/// same.
fn kernel_form<A: Address>(members: PrefixSet<A>) -> PrefixSet<A> {
    if members.iter().next().is_none_or(|first| first.length() > 0) {
        return members;
    }
    members
        .iter()
        .flat_map(|member| match (member.length(), member.halves()) {
            (0, Some(halves)) => Vec::from(halves),
            _ => vec![member],
        })
        .collect()
}
