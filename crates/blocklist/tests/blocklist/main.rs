//! Feeds, lists and sets of prefixes through the front door of the crate. One
//! executable, for a linker and the generics of `proptest` take longer than
//! any of these.

mod accounting;
mod algebra;
mod cases;
mod configs;
mod corpus;
mod description;
mod detection;
mod documents;
mod formats;
mod guards;
mod layout;
mod lists;
mod plain;
mod rows;
mod servers;
mod tokens;
mod written_and_read;
