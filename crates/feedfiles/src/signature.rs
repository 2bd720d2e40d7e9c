//! What tells one version of a file from another without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// The same numbers mean the same content, unless somebody with the right to
/// set the clock of the file system is at work: the time of the last change
/// (`ctime`) cannot be set by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The device of the file system.
    pub device: u64,
    /// The number of the file in it.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// When the content was last written, in nanoseconds since 1970. Only to
    /// be compared: it wraps around.
    pub modified_ns: u64,
    /// When content, name or permissions last changed, likewise.
    pub changed_ns: u64,
    /// When the file was made, likewise; 0 where the file system does not
    /// know.
    pub born_ns: u64,
}

impl Signature {
    /// Five numbers, for whoever only compares them: device, file, size,
    /// modified, changed. The first two say which file it is, whatever its name
    /// and its content are: the number of a file is given to another one as
    /// soon as it is free, and that one has another time of birth.
    pub fn numbers(self) -> [u64; 5] {
        let file = self.inode ^ self.born_ns.rotate_left(32);
        [self.device, file, self.size, self.modified_ns, self.changed_ns]
    }

    /// When the content was last written.
    pub fn modified(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.modified_ns)
    }

    pub(super) fn of_open(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified_ns: nanoseconds(found.mtime(), found.mtime_nsec()),
            changed_ns: nanoseconds(found.ctime(), found.ctime_nsec()),
            born_ns: found.created().map_or(0, since_1970_ns),
        }
    }
}

fn since_1970_ns(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(0)
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> u64 {
    seconds.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(nanoseconds.cast_unsigned())
}
