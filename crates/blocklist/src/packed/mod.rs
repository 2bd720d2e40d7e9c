//! The packed list: the members of one family of a list in the form in which
//! they are handed to other programs, one file each, to be mapped into memory
//! and asked for addresses as it is. It knows the layout and what makes a text of
//! bytes good, and no files: whoever writes one does so under another name and
//! renames it, so that whoever has mapped one keeps what he has.
//!
//! All numbers are little-endian, as the machines are that read it.
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | `denyset` and a line feed |
//! | 8 | 2 | version of this layout, 1 |
//! | 10 | 1 | family, 4 or 6 |
//! | 11 | 1 | 0 |
//! | 12 | 4 | CRC-32 (IEEE 802.3, as in zlib) of all that follows |
//! | 16 | 8 | generation of the desired state that the members are of; 0 if of none in full |
//! | 24 | 8 | when it was made, in seconds since 1970 |
//! | 32 | 8 | n, how many prefixes there are |
//! | 40 | 24 | 0 |
//! | 64 | 4 n or 16 n | first addresses, ascending |
//! | 64 + 4 n or 16 n | n | the length of the prefix at the same place |
//!
//! No two prefixes overlap. An address is listed if the last prefix that begins
//! at it or before holds it.

mod read;
mod write;

use thiserror::Error;

pub use read::PackedList;
pub use write::pack;

use crate::Family;

/// Bytes of the header.
pub const PACKED_HEADER_BYTES: usize = 64;

/// How a packed list begins.
pub const PACKED_MAGIC: &[u8; 8] = b"denyset\n";

const VERSION: u16 = 1;

/// Where the checksum stands, and from where on it counts.
const CHECKED_FROM: usize = 16;

/// What a packed list says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedHeader {
    /// The family of all prefixes.
    pub family: Family,
    /// The generation of the desired state that the members came with, 0 if the
    /// kernel has not been as any since the daemon began. It stays as long as the
    /// members do.
    pub generation: u64,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// How many prefixes there are.
    pub prefixes: u64,
}

/// Why bytes are no packed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PackedError {
    /// They begin otherwise.
    #[error("it does not begin as a packed list does")]
    Magic,
    /// The layout is one of another version.
    #[error("its layout has version {0}, and {VERSION} is known here")]
    Version(u16),
    /// The family is neither.
    #[error("its family is {0}, which is neither 4 nor 6")]
    Family(u8),
    /// There are more or fewer bytes than the header says.
    #[error("it has {found} bytes, and by its header {expected}")]
    Length {
        /// By the header.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The checksum is another.
    #[error("its checksum is not that of its bytes")]
    Checksum,
    /// Prefixes are out of order, overlap, or have bits behind their length.
    #[error("its prefixes are not in order from number {0} on")]
    Order(u64),
}

impl PackedHeader {
    /// Bytes of the whole file.
    pub fn bytes(&self) -> Option<u64> {
        let each = u64::from(bits(self.family) / 8 + 1);
        self.prefixes.checked_mul(each)?.checked_add(PACKED_HEADER_BYTES as u64)
    }
}

fn bits(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    }
}

#[cfg(test)]
mod tests;
