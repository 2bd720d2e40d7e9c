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
    /// Bytes of one feed. It is in memory whole while it is parsed.
    pub bytes_max: u64,
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
