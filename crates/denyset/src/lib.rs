//! The program: its process, its files, its clock, its verbs.
//!
//! Here is all the input and output that is not netlink: configuration,
//! feeds, state, signals, the control socket, the log. Of netlink this crate
//! knows no byte.

pub mod boot;
pub mod cli;
pub mod confirm;
pub mod daemon;
pub mod detach;
pub mod effects;
pub mod exit;
pub mod exports;
pub mod hits;
pub mod lock;
pub mod log;
pub mod memory;
pub mod outlets;
pub mod progress;
pub mod remedy;
pub mod salt;
pub mod serve;
pub mod settings;
pub mod snapshot;
pub mod systemd;
pub mod verb;
pub mod view;
pub mod without_daemon;
