//! What is promised, as tests against the real kernel, in `tests/` beside this
//! file. What they stand on is the crate `lab`.
