//! The limits of reading, all in one table. The guards have limits of their own,
//! for what was read.

/// How much of a feed is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes without its end. A longer one is one reject,
    /// a comment too.
    pub line_bytes_max: usize,
    /// The most prefixes that entries may amount to, repetitions counted; a
    /// range counts as the prefixes it needs. Reading stops there, and
    /// [`Shape::over_entries_max`](super::Shape) says so.
    pub entries_max: u64,
    /// How many rejects are kept with their text. All are counted.
    pub rejects_kept: usize,
    /// How many bytes of a line are kept for logs, before control characters
    /// are made visible.
    pub text_bytes_max: usize,
    /// How many lines [`sources`](super::sources()) names for one address.
    pub sources_kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes_max: 4_096,
            entries_max: 16_000_000,
            rejects_kept: 20,
            text_bytes_max: 120,
            sources_kept: 100,
        }
    }
}
