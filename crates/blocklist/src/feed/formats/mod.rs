//! The formats, each a module with its grammar and where that is written down.
//! A format knows how to read a text and how much a text looks like its own;
//! what becomes of the entries it does not know.

pub(super) mod firehol;
pub(super) mod ipsum;
pub(super) mod plain;
pub(super) mod rbldnsd;
pub(super) mod spamhaus;
