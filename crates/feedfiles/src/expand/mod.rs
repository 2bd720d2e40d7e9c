//! Compressed feeds: told from others by their first bytes, whatever their
//! names are, and expanded within limits. Everything behind it, the last good
//! copy too, has the expanded bytes. All decoders are in Rust: they read what
//! strangers wrote.
//!
//! A file is expanded once. An archive of archives is refused, and one with
//! something behind its end, for nobody knows what it was meant to be.

mod kind;
mod zip;
mod zstd;

use std::io::{self, Read};

use blocklist::{Guard, Refusal};

use super::limits::{DECODER_BYTES_MAX, RATIO_FREE_BYTES, RATIO_MAX};
use kind::{Packing, foreign};

/// Behind so many bytes a zero one ends the reading. What is no larger is read to
/// its end, so that whatever else is wrong with it is said.
const TEXT_BYTES: usize = 1 << 19;
/// Read at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// What is in a compressed file: gzip, zstd, xz, bzip2, or zip with one file in
/// it. Of any other file, the file itself.
///
/// Takes the memory of the file and of what is in it, at most `bytes_max`, and
/// what the decoder needs, at most 160 MiB.
///
/// # Errors
/// A refusal by the guard `Readable`: it expands to more than `bytes_max`, or
/// to more than is credible for its size; it is damaged, or an archive of
/// another kind.
pub fn expand(bytes: Vec<u8>, bytes_max: u64) -> Result<Vec<u8>, Refusal> {
    let Some(kind) = Packing::of(&bytes) else {
        return match foreign(&bytes) {
            Some(name) => Err(unreadable(format!("a {name} file"))),
            None => Ok(bytes),
        };
    };
    let most = most(bytes.len(), bytes_max);
    let expanded = match fill(kind, &bytes, most) {
        Err(error) if error.get_ref().and_then(|inner| inner.downcast_ref::<Zeros>()).is_some() => {
            return Err(unreadable(format!("a {kind} file {Zeros}")));
        }
        Ok(Some(expanded)) => expanded,
        Ok(None) => return Err(too_large(kind, bytes.len(), most)),
        Err(error) => return Err(unreadable(format!("a {kind} file that is damaged: {error}"))),
    };
    let inner = Packing::of(&expanded).map(Packing::name).or_else(|| foreign(&expanded));
    match inner {
        Some(inner) => Err(unreadable(format!("a {kind} file with a {inner} file in it"))),
        None => Ok(expanded),
    }
}

/// What was expanded is no text.
#[derive(Debug, thiserror::Error)]
#[error("with NUL bytes in it: binary data, and no list")]
struct Zeros;

/// How large a file of this size may become.
fn most(bytes: usize, bytes_max: u64) -> usize {
    let credible = bytes.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
    credible.min(usize::try_from(bytes_max).unwrap_or(usize::MAX))
}

/// All that a decoder gives, `None` if it is more than that.
fn fill(kind: Packing, bytes: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
    match kind {
        Packing::Gzip => drain(flate2::read::MultiGzDecoder::new(bytes), most),
        Packing::Bzip2 => drain(bzip2::read::MultiBzDecoder::new(bytes), most),
        Packing::Zstd => drain(zstd::Frames::of(bytes), most),
        Packing::Xz => {
            let memory_kib = u32::try_from(DECODER_BYTES_MAX >> 10).unwrap_or(u32::MAX);
            drain(lzma_rust2::XzReader::new_mem_limit(bytes, true, memory_kib), most)
        }
        Packing::Zip => zip::read(bytes, |member| drain(member, most)),
    }
}

/// Reads to the end, but never into more memory than `most` bytes. What is large and
/// no text is an error with [`Zeros`] in it as soon as that is seen: it may be a
/// gigabyte of nothing.
fn drain(mut reader: impl Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut expanded = Vec::new();
    loop {
        let read = match reader.read(&mut piece) {
            Ok(0) => return Ok(Some(expanded)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let room = most - expanded.len();
        if read > room {
            return Ok(None);
        }
        if expanded.capacity() - expanded.len() < read {
            let more = expanded.len().max(PIECE_BYTES).min(room);
            let reserved = expanded.try_reserve_exact(more);
            reserved.map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        }
        expanded.extend_from_slice(&piece[..read]);
        let utf16 = matches!(expanded[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let large = expanded.len() > TEXT_BYTES;
        if large && !utf16 && piece[..read].contains(&0) {
            return Err(io::Error::other(Zeros));
        }
    }
}

fn too_large(kind: Packing, bytes: usize, most: usize) -> Refusal {
    Refusal {
        guard: Guard::Readable,
        expected: format!("at most {most} bytes when expanded"),
        found: format!("a {kind} file of {bytes} bytes that expands to more than {most} bytes"),
    }
}

fn unreadable(found: String) -> Refusal {
    let expected = "a text file, or one in a whole gzip, zstd, xz, bzip2 or zip file".to_owned();
    Refusal { guard: Guard::Readable, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that nobody may come to.
    struct Never;

    impl Read for Never {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it was read to the end"))
        }
    }

    #[test]
    fn zeros_end_the_reading_where_they_begin() {
        let drained = |begin: &[u8], byte: u8| {
            let more = vec![byte; TEXT_BYTES];
            drain(begin.chain(&more[..]).chain(Never), 1 << 30).expect_err("it fails").to_string()
        };
        assert_eq!(drained(b"192.0.2.1\n", 0), Zeros.to_string());
        assert_eq!(drained(b"192.0.2.1\n", b'\n'), "it was read to the end");
        // Every other byte of text in UTF-16 is one.
        assert_eq!(drained(b"\xff\xfe", 0), "it was read to the end");
    }
}
