//! Where a feed that was just read names an address: the file is read once more,
//! and counts if it is the same version still.

use std::net::IpAddr;
use std::time::Duration;

use blocklist::{SourceLine, sources_with};

use super::read::{Bytes, FeedFile, complete, take};
use super::version::{Manner, VersionId};

/// The first line of this version that names each address, as far as the file
/// still is that version and has one.
pub fn lines(
    file: &FeedFile<'_>,
    version: VersionId,
    addresses: &[IpAddr],
) -> Vec<(IpAddr, SourceLine)> {
    let as_it_is = FeedFile { quiet: Duration::ZERO, impatient: false, unfinished: false, ..*file };
    let Bytes::Whole(_, bytes) = take(&as_it_is) else { return Vec::new() };
    let Ok(options) = complete(&as_it_is) else { return Vec::new() };
    let manner = Manner::of(file.format, &options, &bytes);
    if VersionId::of(manner, &bytes) != version {
        return Vec::new();
    }
    let first = |&address: &IpAddr| {
        let sources = sources_with(&bytes, manner.format, &options, file.parse, address);
        Some((address, sources.into_iter().next()?))
    };
    addresses.iter().filter_map(first).collect()
}
