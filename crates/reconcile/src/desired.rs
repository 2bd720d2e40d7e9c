//! What should be in the kernel: every set by name, with what must be in it
//! and what must never be.

use std::collections::BTreeMap;
use std::sync::Arc;

use blocklist::{Address, PrefixSet, Prefixes};

use crate::{Members, NameError, RuleSet, SetName, SetPrefix};

/// The desired state of the kernel. A set of ours that is not in it is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The targets of every live set, both families of every list.
    pub sets: BTreeMap<SetName, Target>,
    /// The rules of each family that is looked after; of another, rules stay
    /// as they are.
    pub rules: Vec<RuleSet>,
}

/// What a set is brought to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What must be in it, without anything of `never`.
    pub members: Members,
    /// Addresses that must not be in it, whatever else keeps its members: they
    /// leave also a set that loses nothing otherwise.
    pub never: Arc<Prefixes>,
}

impl Target {
    /// These members, and nothing that must never be there.
    pub fn of(members: Members) -> Self {
        Self { members, never: Arc::default() }
    }

    /// The targets of the two sets of a list, in the form that the kernel
    /// takes.
    pub fn pair(members: Prefixes, never: Prefixes) -> [Self; 2] {
        let never = Arc::new(never);
        let pair: [Members; 2] =
            [kernel_form(members.ipv4).into(), kernel_form(members.ipv6).into()];
        pair.map(|members| Self { members, never: never.clone() })
    }
}

impl Desired {
    /// Puts the two sets of a list in.
    ///
    /// # Errors
    /// [`NameError`] if the name of the list does not make names of sets.
    pub fn insert(
        &mut self,
        prefix: &SetPrefix,
        list: &str,
        targets: [Target; 2],
    ) -> Result<(), NameError> {
        for target in targets {
            let set = prefix.live(list, target.members.family())?;
            self.sets.insert(set, target);
        }
        Ok(())
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
