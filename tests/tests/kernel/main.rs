//! The driver against the real kernel, in namespaces of their own, with the
//! `ipset` and `iptables` programs as witnesses of what it did.
//!
//! Known pitfalls of ipset, and where each is kept away from: writers that
//! lose members, small buckets, resizes, and whole batches (`writing`); dumps
//! that end early, one-sided framing, overflowing acknowledgements
//! (`exchange`, `reading`); blocked or missing sets (`busy`); re-adds that
//! wipe extensions and `-exist` creation (`foreign`, `writing`); rules that
//! never match (`packets`, `rules`); batches that commit nothing (`rules`).
//! Those of conntrack concern what this program does not speak. That the
//! acknowledgement of one writer hides the loss of another's member is the
//! kernel's; here there is one writer, and its table is large enough.

mod answers;
mod busy;
mod cases;
mod exchange;
mod following;
mod foreign;
mod ground;
mod host;
mod nflog;
mod order;
mod packets;
mod reading;
mod rules;
mod writing;
