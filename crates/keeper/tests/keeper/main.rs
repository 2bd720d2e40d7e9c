//! The machine's promises, one sentence each, through its front door: events
//! in, actions out. Everything else is played at a desk.

mod accepting;
mod answers;
mod clearing;
mod clocks;
mod drift;
mod holding;
mod host;
mod house;
mod kernel;
mod leaving;
mod lockout;
mod reloading;
mod slips;
mod spinning;
