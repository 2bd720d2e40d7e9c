//! Which rule, which feed and which address is hit: the packets that rules show
//! are held against what is in force and counted. It knows the snapshot; who
//! wants to know, and when, it does not.

mod frequent;
mod lookup;
mod reader;
mod tally;

pub use frequent::{Frequency, Frequent};
pub use lookup::Lookup;
pub use reader::{HitReader, Hits};
pub use tally::{FeedTally, HitTally, RuleTally};
