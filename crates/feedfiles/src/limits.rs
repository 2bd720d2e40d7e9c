//! Every limit on the feeds directory and on single files, in one table.

/// How much of a feeds directory is looked at. What goes beyond is said, not
/// cut: half a directory would look like deleted feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// Steps in a feed's name: `a/b/c` has three.
    pub depth_max: usize,
    /// Directories, the feeds directory included. Each takes an inotify
    /// watch.
    pub directories_max: usize,
    /// Feeds.
    pub feeds_max: usize,
    /// Names in all directories together, feeds or not.
    pub names_max: usize,
    /// Bytes of one feed, as a file and when it was expanded. It is in memory
    /// whole while it is parsed.
    pub bytes_max: u64,
}

/// How much larger than the file a compressed feed may become. Addresses in
/// text compress to a fifth, repetitive JSON to a thirtieth.
pub(super) const RATIO_MAX: usize = 200;
/// Up to so many bytes a feed may become in any case.
pub(super) const RATIO_FREE_BYTES: usize = 1 << 20;
/// The most memory, beside the feed, that a decoder may ask for: what the
/// highest settings of `xz` and `zstd` need.
pub(super) const DECODER_BYTES_MAX: u64 = 160 << 20;

impl TreeLimits {
    /// The limits with so many feeds at the most. Other names and directories
    /// are not what limits them then.
    #[must_use]
    pub fn with_feeds_max(feeds_max: usize) -> Self {
        let default = Self::default();
        let names_max = default.names_max.max(feeds_max.saturating_mul(4));
        Self { feeds_max, names_max, ..default }
    }
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self {
            depth_max: 16,
            directories_max: 1_024,
            feeds_max: 4_096,
            names_max: 65_536,
            bytes_max: 1 << 30,
        }
    }
}
