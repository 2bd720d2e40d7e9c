//! The kernel's ipsets and the rules that ask them, over raw netlink: what the
//! messages look like ([`wire`], [`Request`], [`Batch`], [`answers`]; of
//! `nf_tables` in `nftables`, of packets that rules show in `nflog`), how they
//! are exchanged ([`Transport`], [`Exchange`]), the driver that makes them the
//! [`reconcile::Kernel`] trait ([`Netfilter`]), and who hears of what others do
//! to rules ([`RulesWatch`]).
//!
//! It knows no runtime, no files and no configuration, and never why a set or
//! a rule should look as it does. Every message names one set or our own
//! table; the only one without a name is the listing of sets' names.

mod answer;
mod batch;
mod bucket;
mod conntrack;
mod driver;
mod exchange;
mod failure;
pub mod limits;
mod nflog;
mod nftables;
mod ready;
mod reply;
mod request;
mod transport;
mod watch;
pub mod wire;

pub use answer::{Body, KernelMessage, answers};
pub use batch::{Batch, BatchChange, Unwritable};
pub use conntrack::Connection;
pub use driver::Netfilter;
pub use exchange::Exchange;
pub use failure::ExchangeFailure;
pub use nflog::{Heard, ListenError, Listener, ShownPacket, Unreadable, shown};
pub use reply::{ListingPart, ListingReply, Nftables, SetEntry, WireHeader};
pub use request::Request;
pub use transport::{NetlinkSocket, Transport};
pub use watch::RulesWatch;
