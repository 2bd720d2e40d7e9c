//! From facts to what is said of them: each document of the daemon made from a
//! snapshot. Nothing is changed here and nothing printed.

mod counted;
mod hits;
mod overlap;
mod status;
#[cfg(test)]
mod tests;
mod warnings;
mod work;

pub use hits::HitsWish;
pub use status::{lasting_status, problems, rule_statuses, status_line, way_out};
pub use warnings::{nobody_asks, ways_around};
