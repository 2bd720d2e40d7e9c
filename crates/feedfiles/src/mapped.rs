//! A last good copy that is searched for an address, without a copy of it in
//! memory. What the lines mean is decided in `blocklist`.
//!
//! * Formats in which each line means something by itself are read in pieces:
//!   a million lines take the memory of one piece, and a disk that fails or a
//!   file that ends early is an error.
//! * All others are documents that make sense as a whole only. They are
//!   mapped, so that the system can take their memory back at any time. Within
//!   a mapping a page that cannot be read kills the process (SIGBUS, `mmap(2)`).
//!   A copy is replaced by a rename and never written to or cut after it was
//!   kept, in a directory that is open to root and to the daemon alone; and
//!   every page was read, for the checksum, right before. Whoever cuts a file
//!   there all the same in the moment of a question ends the daemon: the sets
//!   stay in force, and the next one starts without the damaged copy.

use std::fs::File;
use std::io::{self, Seek as _};
use std::net::IpAddr;
use std::os::unix::fs::FileExt as _;

use blocklist::{Exemption, FeedName, Format, Limits, SourceLine, exemption_with, sources_with};
use memmap2::{Mmap, MmapOptions};

use super::copies::Copies;
use super::copy::{CopyError, CopyHeader};
use super::filename::file_name;

/// Read at a time. Longer than any line that can be an entry.
const PIECE_BYTES: usize = 256 * 1024;

/// A last good copy that is what was written. It stays what it is when the
/// copy is replaced meanwhile.
#[derive(Debug)]
pub struct OpenCopy {
    header: CopyHeader,
    file: File,
    /// Where the bytes of the feed begin.
    start: u64,
}

impl Copies {
    /// Opens the last good copy of a feed and reads it once, to see that it is
    /// what was written. `None` if the feed has none.
    ///
    /// # Errors
    /// [`CopyError`] if there is one and it is not good.
    pub fn look_into(&self, feed: &FeedName) -> Result<Option<OpenCopy>, CopyError> {
        let Some((mut file, header)) = self.open_copy(&file_name(feed))? else { return Ok(None) };
        if header.feed != *feed {
            return Err(CopyError::Misnamed(header.feed));
        }
        let start = file.stream_position()?;
        let copy = OpenCopy { header, file, start };
        copy.check()?;
        Ok(Some(copy))
    }
}

impl OpenCopy {
    /// What is known of the copy.
    pub fn header(&self) -> &CopyHeader {
        &self.header
    }

    /// The lines that name an address, as [`sources_with`] tells them.
    ///
    /// # Errors
    /// [`CopyError::System`] if the file cannot be read.
    pub fn sources(&self, limits: &Limits, address: IpAddr) -> Result<Vec<SourceLine>, CopyError> {
        if each_line_stands_alone(self.header.format)
            && let Some(found) = self.sources_by_line(limits, address)?
        {
            return Ok(found);
        }
        let CopyHeader { format, options, .. } = &self.header;
        Ok(sources_with(&self.map()?, *format, options, limits, address))
    }

    /// Where the feed itself takes an address out, as [`exemption_with`] tells
    /// it.
    ///
    /// # Errors
    /// [`CopyError::System`] if the file cannot be read.
    pub fn exemption(
        &self,
        limits: &Limits,
        address: IpAddr,
    ) -> Result<Option<Exemption>, CopyError> {
        let CopyHeader { format, options, .. } = &self.header;
        if each_line_stands_alone(*format) {
            return Ok(None);
        }
        Ok(exemption_with(&self.map()?, *format, options, limits, address))
    }

    /// Reads all of it, piece by piece.
    fn check(&self) -> Result<(), CopyError> {
        let mut checksum = crc32fast::Hasher::new();
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = 0;
        while let Some(bytes) = self.read(at, &mut piece)? {
            checksum.update(bytes);
            at += bytes.len() as u64;
        }
        if checksum.finalize() == self.header.crc32 { Ok(()) } else { Err(CopyError::Checksum) }
    }

    /// The piece of the feed from `at` on, as long as the buffer unless it is
    /// the last one. `None` at the end.
    fn read<'a>(&self, at: u64, piece: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        let left = self.header.bytes.saturating_sub(at);
        let room = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let piece = &mut piece[..room];
        self.file.read_exact_at(piece, self.start + at)?;
        Ok((room > 0).then_some(piece))
    }

    /// The same by pieces of whole lines. `None` if a line is longer than one.
    fn sources_by_line(
        &self,
        limits: &Limits,
        address: IpAddr,
    ) -> Result<Option<Vec<SourceLine>>, CopyError> {
        let CopyHeader { format, options, bytes, .. } = &self.header;
        // What may stand at the beginning of a file means nothing within it: so
        // every piece but the first begins with the end of an empty line.
        let mut buffer = vec![b'\n'; 1 + PIECE_BYTES];
        let (mut found, mut at, mut lines) = (Vec::new(), 0, 0);
        while let Some(piece) = self.read(at, &mut buffer[1..])? {
            let is_last = at + piece.len() as u64 == *bytes;
            let last_end = memchr::memrchr(b'\n', piece).map(|at| at + 1);
            let Some(end) = last_end.filter(|_| !is_last).or(is_last.then_some(piece.len())) else {
                return Ok(None);
            };
            let is_first = at == 0;
            let text = &buffer[usize::from(is_first)..=end];
            let before = lines - u64::from(!is_first);
            lines = before + line_ends(text);
            at += end as u64;
            let sources = sources_with(text, *format, options, limits, address).into_iter();
            let numbered =
                sources.map(|source| SourceLine { line: before + source.line, ..source });
            found.extend(numbered);
        }
        found.truncate(limits.sources_kept);
        Ok(Some(found))
    }

    fn map(&self) -> io::Result<Mapped> {
        let length = usize::try_from(self.header.bytes).map_err(io::Error::other)?;
        // The system maps no empty range.
        if length == 0 {
            return Ok(Mapped(None));
        }
        let mut options = MmapOptions::new();
        let options = options.offset(self.start).len(length);
        #[expect(unsafe_code, reason = "a mapping is as safe as the file is left alone")]
        // SAFETY: nobody writes to a copy after it was kept, see above. Its
        // bytes are only read here, and nothing depends on what they are.
        let mapped = unsafe { options.map(&self.file) }?;
        Ok(Mapped(Some(mapped)))
    }
}

/// The bytes of a feed, mapped.
struct Mapped(Option<Mmap>);

impl std::ops::Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Whether a line means the same wherever it stands, and none takes out what
/// another one names.
fn each_line_stands_alone(format: Format) -> bool {
    matches!(format, Format::Plain | Format::Firehol | Format::Spamhaus | Format::Ipsum)
}

/// LF, CR and CRLF, of the last one its LF. The text does not end between.
fn line_ends(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n')).count() as u64
}
