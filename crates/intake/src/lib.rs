//! What is in force: which version of which source, since when and until when,
//! and why another is not.
//!
//! Answers of those who touch files come in, orders for them go out. It is
//! pure: no files, no clock, no threads, and it knows nothing of sets.

mod age;
mod backoff;
mod clock;
mod feed;
mod feeds;
mod index;
mod lifetimes;
mod lockout;
mod order;
mod report;
mod rules;
mod source;
mod ticket;
mod version;

pub use age::Age;
pub use backoff::Backoff;
pub use feed::{FeedState, NotAcceptable, Refused};
pub use feeds::Intake;
pub use lifetimes::Lifetimes;
pub use lockout::{Peer, Shuts, Who};
pub use order::{
    Answer, Candidate, Fingerprint, Loss, Makeup, Now, Order, ReadOrder, Reading, RecallOrder,
    Recalled, RecalledVersion, Scan,
};
pub use report::SourceReport;
pub use rules::{FeedTable, GuardOverrides, ListRules, Rules, WhenStale};
pub use source::Source;
pub use ticket::{Ticket, Tickets};
pub use version::{Identity, Version};
