//! What all measurements share: programs of others and what they take, figures round by
//! round and what is told of them, tables, plots, and the machine that it is all of.

pub(crate) mod ledger;
pub(crate) mod machine;
pub(crate) mod markdown;
pub(crate) mod plot;
pub(crate) mod statistics;
pub(crate) mod tool;
