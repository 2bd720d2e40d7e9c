//! The room of `nf_tables`: our own table in each family, what rules look like
//! in it ([`compile()`]), what is there ([`Table`]), and the one way to change
//! it ([`Transaction`]). It knows numbers and bytes; when rules change, and on
//! which socket, is the driver's business.
//!
//! The set is asked by iptables' `set` match, which `nf_tables` takes through
//! `nft_compat` and which is there for `ip` and `ip6` only; everything else
//! are expressions of `nf_tables` itself.

mod chance;
mod compile;
mod counted;
mod element;
mod flowtable;
mod needs;
mod table;
mod told;
mod transaction;

pub(crate) use compile::{Compiled, append, compile, table};
pub(crate) use counted::{Memory, sums};
pub(crate) use flowtable::Flowtable;
pub(crate) use needs::needs;
pub(crate) use table::{FoundTable, Table, TableHeader, TableRule, chain_of, generation_of};
pub(crate) use told::concerns;
pub(crate) use transaction::{Transaction, ask};

/// What the kernel's messages are called: `enum nf_tables_msg_types`
/// (`include/uapi/linux/netfilter/nf_tables.h`).
pub(crate) mod message {
    /// A table, as an answer.
    pub(crate) const NEW_TABLE: u8 = 0;
    /// A chain, as an answer.
    pub(crate) const NEW_CHAIN: u8 = 3;
    /// A rule, as an answer.
    pub(crate) const NEW_RULE: u8 = 6;
    /// A flowtable, as an answer.
    pub(crate) const NEW_FLOWTABLE: u8 = 22;
    /// The generation, as an answer.
    pub(crate) const NEW_GEN: u8 = 15;
}

/// The chains that we may have. To all but the last kind packets come by
/// themselves, and they go on to the host's own chains if it lets them pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Chain {
    /// Before connections are tracked.
    Prerouting,
    /// Right after they are, for what only tracking knows.
    Tracked,
    /// See [`reconcile::Hook::Input`].
    Input,
    /// See [`reconcile::Hook::Forward`].
    Forward,
    /// See [`reconcile::Hook::Output`].
    Output,
    /// Where a rule of which samples are wanted sends what it has found in the
    /// set, to be shown perhaps and then stopped. So nobody else pays for it.
    Sampled(SampledChain),
}

/// Which part of which rule has a chain of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SampledChain {
    rule: String,
    part: usize,
}

/// What stands between the rule's name and the number of its part.
const SAMPLED: &str = "-sampled-";

/// Where packets come to a chain by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BaseHook {
    /// `enum nf_inet_hooks` (`include/uapi/linux/netfilter.h`).
    pub(crate) number: u32,
    /// Which of the chains there comes first: the lowest.
    pub(crate) priority: i32,
}

impl Chain {
    /// Every chain to which packets come by themselves.
    pub(crate) const BASES: [Self; 5] =
        [Self::Prerouting, Self::Tracked, Self::Input, Self::Forward, Self::Output];

    /// Its name in our table.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Prerouting => "prerouting".to_owned(),
            Self::Tracked => "prerouting-tracked".to_owned(),
            Self::Input => "input".to_owned(),
            Self::Forward => "forward".to_owned(),
            Self::Output => "output".to_owned(),
            Self::Sampled(SampledChain { rule, part }) => format!("{rule}{SAMPLED}{part}"),
        }
    }

    /// The chain that has this name, if it is one of ours.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let sampled = || {
            let (rule, part) = name.rsplit_once(SAMPLED)?;
            let part: usize = part.parse().ok()?;
            Some(Self::Sampled(SampledChain { rule: rule.to_owned(), part }))
        };
        let base = Self::BASES.into_iter().find(|chain| chain.name() == name);
        base.or_else(sampled).filter(|chain| chain.name() == name)
    }

    /// Where packets come to it, unless only a rule of ours sends them.
    ///
    /// `enum nf_ip_hook_priorities` (`include/uapi/linux/netfilter_ipv4.h`):
    /// `raw` is -300, tracking -200, `mangle` -150, `filter` 0. Before the
    /// filters of others, so that none of them accepts what we refuse.
    pub(crate) fn hook(&self) -> Option<BaseHook> {
        let (number, priority) = match self {
            Self::Prerouting => (0, -300),
            Self::Tracked => (0, -190),
            Self::Input => (1, -10),
            Self::Forward => (2, -10),
            Self::Output => (3, -10),
            Self::Sampled(_) => return None,
        };
        Some(BaseHook { number, priority })
    }
}

/// The name of our table: the prefix of our sets without what separates it
/// from a list's name. Two prefixes may make the same name; the mark tells
/// whose the table is.
pub(crate) fn table_name(prefix: &reconcile::SetPrefix) -> &str {
    let whole = prefix.as_str();
    let bare = whole.trim_end_matches(['-', '_', '.']);
    if bare.is_empty() { whole } else { bare }
}

/// The comment of our table, by which it is known as ours.
pub(crate) fn mark(prefix: &reconcile::SetPrefix) -> String {
    format!("kept by denyset, for the sets {}*", prefix.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_known_by_its_name_again() {
        let rule = |rule: &str, part| Chain::Sampled(SampledChain { rule: rule.to_owned(), part });
        let sampled = [rule("drop", 0), rule("a-sampled-1", 12), rule("", 3)];
        for chain in Chain::BASES.into_iter().chain(sampled) {
            assert_eq!(Chain::named(&chain.name()), Some(chain));
        }
        for name in ["", "INPUT", "drop", "drop-sampled-", "drop-sampled-01", "drop-sampled-x"] {
            assert_eq!(Chain::named(name), None, "{name}");
        }
    }
}
