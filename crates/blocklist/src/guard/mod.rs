//! Guards: the checks that a new version of a feed must pass before it replaces
//! the one in force, and the refusals they answer with. They decide on numbers;
//! they change nothing and remember nothing.

mod complete;
mod judge;
mod policy;
mod refusal;
mod share;

pub use judge::judge;
pub use policy::{GuardPolicy, JUDGED_FROM};
pub use refusal::{Guard, Refusal};
