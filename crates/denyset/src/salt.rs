//! Bits that nobody can predict: whoever knows the hashes of a set could make it
//! slow.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Bits that nobody can predict, for the hashes of sets.
pub fn salt() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The same for one set. Any of the bits are as good as the others.
pub fn salt_of_a_set() -> u16 {
    let [.., high, low] = salt().to_be_bytes();
    u16::from_be_bytes([high, low])
}
