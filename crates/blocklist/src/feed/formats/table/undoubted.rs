//! Values that were looked at before, each in its column, and put nothing in
//! doubt. Most columns say the same few words in a million rows, and to look each
//! word up again took most of the time. Knows bytes only.

/// Values remembered of a column.
const SLOTS: usize = 16;
/// Columns of which any are remembered.
const COLUMNS_MAX: usize = 32;
/// Bytes of the longest value that is remembered, so that a slot is 24 bytes.
const VALUE_MAX: usize = 23;

/// A value, or none.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// One more than the value has bytes, 0 for none.
    more: u8,
    bytes: [u8; VALUE_MAX],
}

/// The values.
#[derive(Debug, Default)]
pub(super) struct Undoubted {
    columns: Vec<[Slot; SLOTS]>,
}

impl Undoubted {
    /// Whether this value of a column is one of them.
    pub(super) fn knows(&self, column: usize, value: &[u8]) -> bool {
        let Some(slots) = self.columns.get(column) else { return false };
        let Slot { more, bytes } = &slots[place(value)];
        usize::from(*more) == value.len() + 1 && bytes.get(..value.len()) == Some(value)
    }

    /// This value of a column is one, in place of another one.
    pub(super) fn remember(&mut self, column: usize, value: &[u8]) {
        let Some(more) = u8::try_from(value.len() + 1).ok().filter(|_| column < COLUMNS_MAX) else {
            return;
        };
        let mut slot = Slot { more, bytes: [0; VALUE_MAX] };
        let Some(bytes) = slot.bytes.get_mut(..value.len()) else { return };
        bytes.copy_from_slice(value);
        if self.columns.len() <= column {
            self.columns.resize(column + 1, [Slot::default(); SLOTS]);
        }
        self.columns[column][place(value)] = slot;
    }
}

/// The slot of a value, by its ends: words of few letters differ there.
fn place(value: &[u8]) -> usize {
    let first = value.first().copied().unwrap_or_default();
    let last = value.last().copied().unwrap_or_default();
    (usize::from(first) + 3 * usize::from(last) + value.len()) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_its_own_column_as_a_whole() {
        let mut undoubted = Undoubted::default();
        undoubted.remember(2, b"online");
        assert!(undoubted.knows(2, b"online"));
        assert!(!undoubted.knows(1, b"online") && !undoubted.knows(3, b"online"));
        assert!(!undoubted.knows(2, b"onlin") && !undoubted.knows(2, b"ownine"));
        assert!(!undoubted.knows(2, b"") && !undoubted.knows(0, b""));
        undoubted.remember(1, b"");
        assert!(undoubted.knows(1, b"") && !undoubted.knows(0, b""));
    }

    #[test]
    fn what_is_too_long_or_too_far_is_not_remembered() {
        let mut undoubted = Undoubted::default();
        for (column, length) in [(0, VALUE_MAX + 1), (0, 300), (COLUMNS_MAX, 5)] {
            let value = vec![b'a'; length];
            undoubted.remember(column, &value);
            assert!(!undoubted.knows(column, &value), "{column} {length}");
        }
        undoubted.remember(0, &[b'a'; VALUE_MAX]);
        assert!(undoubted.knows(0, &[b'a'; VALUE_MAX]));
    }

    #[test]
    fn another_value_of_the_same_place_takes_it() {
        let mut undoubted = Undoubted::default();
        undoubted.remember(0, b"abc");
        undoubted.remember(0, b"axc");
        assert!(!undoubted.knows(0, b"abc") && undoubted.knows(0, b"axc"));
    }
}
