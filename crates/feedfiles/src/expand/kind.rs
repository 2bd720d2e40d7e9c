//! The kinds of compressed files by their first bytes. None of them can begin
//! a text.

use std::fmt;

/// A kind that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// <https://tukaani.org/xz/xz-file-format.txt>
    Xz,
    /// bzip2(1).
    Bzip2,
    /// <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>
    Zip,
}

/// Beginnings of the kinds that are read.
const KINDS: [(&[u8], Packing); 6] = [
    (b"\x1f\x8b\x08", Packing::Gzip),
    (b"\x28\xb5\x2f\xfd", Packing::Zstd),
    (b"\xfd7zXZ\0", Packing::Xz),
    (b"PK\x03\x04", Packing::Zip),
    // Without any file in it.
    (b"PK\x05\x06", Packing::Zip),
    // In several parts, or said to be.
    (b"PK\x07\x08", Packing::Zip),
];

/// Beginnings of those that are not.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x9d", "compress"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP\x01", "lzip"),
    (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", "lzma"),
];

/// Where a tar file has its name, and what it is (POSIX.1-2001, `pax`).
const TAR: (usize, &[u8]) = (257, b"ustar");

impl Packing {
    /// What a file is that begins so.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let known = KINDS.iter().find(|(beginning, _)| bytes.starts_with(beginning));
        known.map(|&(_, kind)| kind).or(match bytes {
            // A level, then a block or the end of the stream.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                Some(Self::Bzip2)
            }
            // A frame that says nothing, before others.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zip => "zip",
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The name of a kind that is not read, if the file is of one.
pub(super) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let (at, mark) = TAR;
    if bytes.get(at..).is_some_and(|rest| rest.starts_with(mark)) && bytes.contains(&0) {
        return Some("tar");
    }
    let known = FOREIGN.iter().find(|(beginning, _)| bytes.starts_with(beginning));
    known.map(|&(_, name)| name)
}
