//! What denyset says of itself, for those who watch it: the document of `denyset
//! status` as it is read, and figures made of it. It knows documents and no
//! files, sockets or clocks, and nothing of how the daemon works.

mod document;

pub use document::{FeedFigures, RuleFigures, SetFigures, StatusDocument};
