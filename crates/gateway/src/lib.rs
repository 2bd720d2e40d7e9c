//! `denyset-gateway`: tells web servers whether an address is on a list, by the
//! files in which the daemon hands its lists on. It needs no privilege and, to
//! answer, no daemon.
//!
//! A request is answered from memory by the one thread that serves. Whatever
//! takes longer happens elsewhere: files are read on other threads, and what is
//! known is exchanged as a whole when it is ready.

mod asking;
mod cli;
mod control;
mod counters;
mod follow;
mod history;
mod limits;
mod lines;
pub mod lists;
mod page;
mod process;
pub mod query;
mod serve;
pub mod settings;

pub use process::run;
