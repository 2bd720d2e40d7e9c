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

/// The chains that we may have. Each is a base chain: packets come to it by
/// themselves, and go on to the host's own chains if it lets them pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

impl Chain {
    /// Every chain.
    pub(crate) const ALL: [Self; 5] =
        [Self::Prerouting, Self::Tracked, Self::Input, Self::Forward, Self::Output];

    /// Its name in our table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "prerouting",
            Self::Tracked => "prerouting-tracked",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
        }
    }

    /// `enum nf_inet_hooks` (`include/uapi/linux/netfilter.h`).
    pub(crate) fn hook(self) -> u32 {
        match self {
            Self::Prerouting | Self::Tracked => 0,
            Self::Input => 1,
            Self::Forward => 2,
            Self::Output => 3,
        }
    }

    /// `enum nf_ip_hook_priorities` (`include/uapi/linux/netfilter_ipv4.h`):
    /// `raw` is -300, tracking -200, `mangle` -150, `filter` 0. Before the
    /// filters of others, so that none of them accepts what we refuse.
    pub(crate) fn priority(self) -> i32 {
        match self {
            Self::Prerouting => -300,
            Self::Tracked => -190,
            Self::Input | Self::Forward | Self::Output => -10,
        }
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
