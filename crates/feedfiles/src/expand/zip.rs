//! The one file in a zip file. Which of several would be the feed nobody knows,
//! so there must not be more.

use std::io::{self, Read};

use rawzip::{CompressionMethod, ZipArchive};

/// Gives the content of the only file to `take`. Its length and checksum are
/// compared when it was read to the end.
pub(super) fn read<T>(
    bytes: &[u8],
    take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
) -> io::Result<T> {
    let archive = ZipArchive::from_slice(bytes).map_err(wrong)?;
    if archive.end_offset() != bytes.len() as u64 {
        return Err(wrong("something stands behind its end"));
    }
    let mut entries = archive.entries();
    let mut only = None;
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        if !entry.is_dir() && only.replace(entry).is_some() {
            return Err(wrong("there is more than one file in it"));
        }
    }
    let entry = only.ok_or_else(|| wrong("there is no file in it"))?;
    if entry.flags().is_encrypted() {
        return Err(wrong("it is encrypted"));
    }
    let member = archive.get_entry(entry.wayfinder()).map_err(wrong)?;
    match entry.compression_method() {
        CompressionMethod::STORE => take(&mut member.verifying_reader(member.data())),
        CompressionMethod::DEFLATE => {
            let inflated = flate2::bufread::DeflateDecoder::new(member.data());
            take(&mut member.verifying_reader(inflated))
        }
        _ => Err(wrong("its method is neither deflate nor store")),
    }
}

fn wrong(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
