//! The sets that must be there before anybody restores rules at boot, and
//! what is kept for them while all is well: rules that name a set that does
//! not exist are not restored at all, nor are those beside them.
//!
//! Three files in state-dir, below `boot/`, hold what the last good
//! configuration says. It knows nothing of feeds-dir: at boot there is no time
//! to judge anything new.

mod fill;
mod make;
mod record;
mod script;

pub use fill::Filled;
pub use make::{Made, PrepareError, make};
pub use record::{Record, RecordError};
