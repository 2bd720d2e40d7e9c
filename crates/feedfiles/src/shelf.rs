//! Where the last good copies are found by those who only read them. There may
//! be none at first, and others later: a directory that could not be opened is
//! mended while they are already asked for.

use std::sync::{Arc, Mutex, PoisonError};

use super::copies::Copies;

/// The place of the last good copies. What is put there is seen by all who
/// have a clone of it.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<Option<Copies>>>);

impl Shelf {
    /// The copies that are there now, if there are any.
    pub fn copies(&self) -> Option<Copies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts these in the place of those that were there.
    pub fn put(&self, copies: Option<Copies>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = copies;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn copies_that_come_later_are_seen_by_those_who_were_there_before() {
        let home = tempfile::tempdir().expect("a directory");
        let shelf = Shelf::default();
        let reader = shelf.clone();
        assert!(reader.copies().is_none());
        let store = Store::open(home.path()).expect("a store");
        shelf.put(Some(store.copies().clone()));
        assert!(reader.copies().is_some());
    }
}
