//! Which version of a feed is meant: enough to tell it from every other that
//! was ever kept, without its bytes.

use blocklist::{Format, Options};

use super::copy::reading_crc32;

/// The identity of one version of a feed: the same bytes, read the same way.
/// It stands in the header of a copy, so that it survives restarts.
///
/// Two versions of one feed share it by chance once in four thousand million
/// times, and only if they have the same length; whoever writes a feed could
/// bring it about, and would gain a feed that is not updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    /// How many bytes it has, when expanded.
    pub bytes: u64,
    /// Their CRC-32.
    pub crc32: u32,
    /// The CRC-32 of format and options: the same bytes mean something else
    /// when they are read another way.
    pub reading: u32,
}

impl VersionId {
    /// The identity of these bytes, read this way.
    pub(super) fn of(format: Format, options: &Options, bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
            reading: reading_crc32(format, options),
        }
    }

    /// The three numbers, in the order of the fields, for whoever only
    /// compares them.
    pub fn numbers(self) -> [u64; 3] {
        [self.bytes, self.crc32.into(), self.reading.into()]
    }
}
