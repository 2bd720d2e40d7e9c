//! The planner's and the steps' promises, one sentence each: from observed to
//! desired, in which order, and what is never done.

mod bench;
mod carrying;
mod holds;
mod phases;
mod probing;
mod routes;
