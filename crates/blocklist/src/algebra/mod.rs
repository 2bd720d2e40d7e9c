//! The algebra of prefix sets: one pass over sorted columns each, nothing
//! allocated per prefix. Some operations see sets of prefixes, some sets of
//! addresses; each says which. Knows the columns; knows no feeds and no lists.

mod aggregate;
mod count;
mod covering;
mod difference;
mod intersect;
mod layout;
mod overlap;
mod range;
mod sort;
mod splice;
mod subtract;
mod union;

pub use count::AddressCount;
pub use layout::Lengths;
pub use overlap::{Overlap, OverlapPart};
pub use range::{AddressRange, AnyRange, range_prefixes};
pub(crate) use sort::{sort, sort_addresses};
