//! Reads one feed whole, or says why not. What was read is what stood in the
//! file at one moment; a file that changes meanwhile is read another time.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blocklist::{
    Description, Feed, FeedName, FormatChoice, Guard, Options, Refusal, describe, parse_at,
};

use super::beside;
use super::draft::{Draft, Drafts};
use super::expand::expand;
use super::limits::TreeLimits;
use super::signature::Signature;
use super::version::{Manner, VersionId};
use super::walk::{Hindrance, Miss, Root, errno, hindrance, is_gone, look};

/// A file that changed this lately may end in the middle of a line.
const RECENT: Duration = Duration::from_secs(5);

/// Which feed is to be read, and how.
#[derive(Clone, Copy, Debug)]
pub struct FeedFile<'a> {
    /// The directory that the name is relative to.
    pub feeds_dir: &'a Path,
    /// The feed.
    pub name: &'a FeedName,
    /// What its lines mean.
    pub format: FormatChoice,
    /// Where in it the addresses stand.
    pub options: &'a Options,
    /// The limits of parsing.
    pub parse: &'a blocklist::Limits,
    /// The limits of reading.
    pub limits: &'a TreeLimits,
    /// A file that changed less than this ago may still be being written: it
    /// is not stable yet. Zero takes every file as it is.
    pub quiet: Duration,
    /// It has been changing for too long to be waited for: what it holds now is
    /// taken, as far as it has whole lines.
    pub impatient: bool,
    /// Somebody has it open and has written to it: see
    /// [`Unfinished`](super::Unfinished).
    pub unfinished: bool,
}

/// What came of reading a feed. A refusal is about the file, never about what
/// it says: its guard is `Readable` or `Stable`.
#[derive(Debug)]
pub enum Taken<D = Result<Draft, Refusal>> {
    /// Byte for byte the last good copy, when expanded, read as the same
    /// format. It is this version of it; whether that is in force is not known
    /// here.
    Same(VersionId),
    /// Something else.
    New {
        /// What it says.
        feed: Box<Feed>,
        /// Which version it is.
        version: VersionId,
        /// Its copy; or why none could be laid down, by the guard `Kept`,
        /// which says nothing against the feed.
        draft: D,
    },
    /// It cannot be read. `Stable` means: try again a little later.
    Refused(Refusal),
    /// It is not there any more.
    Vanished,
}

/// Reads a feed, compares it with its last good copy, and lays down a copy if
/// it differs, or if it is not a version that is `known`. The signature is that
/// of the file that was read, `None` if there was none.
pub fn read(
    file: &FeedFile<'_>,
    drafts: &Drafts,
    known: impl Fn(VersionId) -> bool,
) -> (Option<Signature>, Taken) {
    let (signature, bytes) = match take(file) {
        Bytes::Whole(signature, bytes) => (signature, bytes),
        Bytes::Not(signature, refusal) => return (signature, Taken::Refused(refusal)),
        Bytes::Vanished => return (None, Taken::Vanished),
    };
    // Half a feed that is being written anew is no feed, however long that
    // takes; one that is only being added to begins like the last good one.
    if file.unfinished && drafts.copies().begins(file.name, &bytes) == Some(false) {
        let refusal = unstable("it is being written anew");
        return (Some(signature), Taken::Refused(refusal));
    }
    let options = match complete(file) {
        Ok(options) => options,
        Err(refusal) => return (Some(signature), Taken::Refused(refusal)),
    };
    let manner = Manner::of(file.format, &options, &bytes);
    let held = drafts.copies().holds(file.name, manner, &bytes);
    if let Some(version) = held.filter(|&version| known(version)) {
        return (Some(signature), Taken::Same(version));
    }
    // First, so that nobody needs the text after it is read.
    let draft = drafts.lay_down(file.name, manner, &bytes, signature.modified());
    let version = match &draft {
        Ok(draft) => draft.version(),
        Err(_) => VersionId::of(manner, &bytes),
    };
    let feed = parsed(file, &options, bytes);
    let draft = draft.map(|uncounted| uncounted.counted(feed.tally));
    (Some(signature), Taken::New { feed, version, draft })
}

/// Reads a feed and writes nothing, compares it with nothing.
pub fn read_only(file: &FeedFile<'_>) -> (Option<Signature>, Taken<()>) {
    match take(file) {
        Bytes::Whole(signature, bytes) => {
            let options = match complete(file) {
                Ok(options) => options,
                Err(refusal) => return (Some(signature), Taken::Refused(refusal)),
            };
            let manner = Manner::of(file.format, &options, &bytes);
            let version = VersionId::of(manner, &bytes);
            let feed = parsed(file, &options, bytes);
            (Some(signature), Taken::New { feed, version, draft: () })
        }
        Bytes::Not(signature, refusal) => (signature, Taken::Refused(refusal)),
        Bytes::Vanished => (None, Taken::Vanished),
    }
}

/// What a text says now.
fn parsed(file: &FeedFile<'_>, options: &Options, bytes: Vec<u8>) -> Box<Feed> {
    Box::new(parse_at(bytes, file.format, options, file.parse, Some(SystemTime::now())))
}

/// The options of a feed with all that the files beside it say.
pub(crate) fn complete<'a>(file: &FeedFile<'a>) -> Result<Cow<'a, Options>, Refusal> {
    beside::complete(file.options, Some(file.name), |name| {
        // Whoever waits for quiet waits for theirs too.
        match take(&FeedFile { name, unfinished: false, ..*file }) {
            Bytes::Whole(_, bytes) => Ok(Some(bytes)),
            Bytes::Not(_, refusal) => Err(refusal),
            Bytes::Vanished => Ok(None),
        }
    })
}

/// The options for a file that a person names on the command line: what it
/// refers to stands beside it or in the feeds directory.
///
/// # Errors
/// A refusal by the guard `Readable`.
pub fn complete_for_path<'a>(
    options: &'a Options,
    path: &Path,
    feeds_dir: &Path,
    bytes_max: u64,
) -> Result<Cow<'a, Options>, Refusal> {
    let folder = path.parent().unwrap_or(Path::new(""));
    beside::complete(options, None, |name| {
        let places = [folder, feeds_dir].map(|folder| folder.join(name.as_str()));
        let place = places.into_iter().find(|place| place.is_file());
        place.map(|place| slurp_path(&place, bytes_max)).transpose()
    })
}

/// Reads any file that a person names on the command line: symbolic links and
/// pipes are what they want.
///
/// # Errors
/// A refusal by the guard `Readable`.
pub fn read_path(
    path: &Path,
    format: FormatChoice,
    options: &Options,
    limits: &blocklist::Limits,
    bytes_max: u64,
) -> Result<Feed, Refusal> {
    let bytes = slurp_path(path, bytes_max)?;
    Ok(parse_at(bytes, format, options, limits, Some(SystemTime::now())))
}

/// What each of the first lines of a file at any path is taken for, and why it is
/// read in its format, for a person who wants to know.
///
/// # Errors
/// A refusal by the guard `Readable`.
pub fn describe_path(
    path: &Path,
    format: FormatChoice,
    options: &Options,
    limits: &blocklist::Limits,
    bytes_max: u64,
) -> Result<Description, Refusal> {
    Ok(describe(&slurp_path(path, bytes_max)?, format, options, limits))
}

/// The bytes of a file at any path, expanded.
fn slurp_path(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Refusal> {
    let open = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        slurp(file, found.len().min(bytes_max), bytes_max)
    };
    let bytes = open().map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large(format!("more than {bytes_max} bytes"), bytes_max));
    }
    expand(bytes, bytes_max)
}

/// The bytes of a feed, or what is in the way.
pub(crate) enum Bytes {
    Whole(Signature, Vec<u8>),
    Not(Option<Signature>, Refusal),
    Vanished,
}

/// Reads a file of the feeds directory whole.
pub(crate) fn take(file: &FeedFile<'_>) -> Bytes {
    match open(file).map(|opened| take_opened(opened, file)) {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => Bytes::Not(None, unreadable(&error)),
        Err(Miss::Gone) => Bytes::Vanished,
        Err(Miss::Hindered(reason)) => Bytes::Not(link_signature(file), hindered(&reason)),
    }
}

/// What a feed's name led to: the file, or what else was found there.
type Opened = (Metadata, Result<File, Refusal>);

/// Finds the file.
fn open(file: &FeedFile<'_>) -> Result<Opened, Miss> {
    let missed = |error| {
        if is_gone(error) { Miss::Gone } else { Miss::Hindered(Hindrance::Unreadable(error)) }
    };
    let root = Root::open(file.feeds_dir).map_err(missed)?;
    let path = Path::new(file.name.as_str());
    let found = root.look(path)?;
    if let Some(hindrance) = hindrance(&found) {
        return Ok((found, Err(hindered(&hindrance))));
    }
    match root.open_file(path) {
        Ok(open) => {
            let found = open.metadata().map_err(|error| missed(errno(&error)))?;
            Ok((found, Ok(open)))
        }
        Err(Miss::Gone) => Err(Miss::Gone),
        Err(Miss::Hindered(reason)) => Ok((found, Err(hindered(&reason)))),
    }
}

/// The signature of a link that cannot be followed, which the scan has seen.
fn link_signature(file: &FeedFile<'_>) -> Option<Signature> {
    let root = Root::open(file.feeds_dir).ok()?;
    Some(Signature::of_open(&look(&root.fd, file.name.as_str()).ok()?))
}

fn take_opened((found, opened): Opened, file: &FeedFile<'_>) -> io::Result<Bytes> {
    let signature = Signature::of_open(&found);
    let bytes = match opened {
        Ok(open) => take_whole(&open, &found, file)?,
        Err(refusal) => Err(refusal),
    };
    Ok(match bytes {
        Ok(bytes) => Bytes::Whole(signature, bytes),
        Err(refusal) => Bytes::Not(Some(signature), refusal),
    })
}

fn take_whole(
    open: &File,
    found: &Metadata,
    file: &FeedFile<'_>,
) -> io::Result<Result<Vec<u8>, Refusal>> {
    let bytes_max = file.limits.bytes_max;
    if let Some(hindrance) = hindrance(found) {
        // Another has taken its place since we looked.
        return Ok(Err(hindered(&hindrance)));
    }
    if found.len() > bytes_max {
        return Ok(Err(too_large(format!("{} bytes", found.len()), bytes_max)));
    }
    if file.impatient {
        let grown = take_growing(open, found, file.unfinished)?;
        return Ok(grown.and_then(|bytes| expand(bytes, bytes_max)));
    }
    if file.unfinished || changed_within(found, file.quiet) {
        return Ok(Err(unstable("it is being written")));
    }
    let read = || slurp(open, found.len(), bytes_max);
    let bytes = unchanged(open, Signature::of_open(found), read)?;
    let whole = bytes.filter(|bytes| bytes.len() as u64 == found.len());
    let whole = whole.ok_or_else(|| unstable("it changed while it was read"));
    Ok(whole.and_then(|bytes| expand(bytes, bytes_max)))
}

/// The whole lines of a file that is only being added to: of what it held when
/// we began, whatever came since. One that is being written anew is refused.
fn take_growing(
    open: &File,
    found: &Metadata,
    unfinished: bool,
) -> io::Result<Result<Vec<u8>, Refusal>> {
    let mut bytes = slurp(open, found.len(), found.len())?;
    let length = usize::try_from(found.len()).unwrap_or(usize::MAX);
    let after = open.metadata()?;
    let changed = Signature::of_open(&after) != Signature::of_open(found);
    bytes.truncate(length);
    // What changed and did not grow was written over, and so was what is not
    // the same a second time: times of files are too coarse to tell.
    let mut again = open;
    again.rewind()?;
    let grown = after.len() > found.len() || !changed;
    if !grown || bytes.len() < length || slurp(again.take(found.len()), 0, found.len())? != bytes {
        return Ok(Err(unstable("it changed while it was read")));
    }
    if changed || changed_within(found, RECENT) || unfinished {
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        bytes.truncate(end);
    }
    Ok(Ok(bytes))
}

/// Does `work` and gives what came of it, if the file is still the same.
fn unchanged<T>(
    file: &File,
    before: Signature,
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<Option<T>> {
    let done = work()?;
    let after = Signature::of_open(&file.metadata()?);
    Ok((before == after).then_some(done))
}

/// Reads all of it, but not more than one byte beyond the limit.
fn slurp(file: impl io::Read, expected: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let room = usize::try_from(expected).unwrap_or(usize::MAX).saturating_add(1);
    bytes.try_reserve_exact(room).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A change in the future, of a clock that was set back, counts as long ago.
fn changed_within(found: &Metadata, quiet: Duration) -> bool {
    let since_1970 = |seconds: i64, nanoseconds: i64| {
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        seconds + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    };
    let changed = UNIX_EPOCH + since_1970(found.ctime(), found.ctime_nsec());
    SystemTime::now().duration_since(changed).is_ok_and(|age| age < quiet)
}

fn unreadable(error: &io::Error) -> Refusal {
    refuse(Guard::Readable, "a file that can be read".to_owned(), error.to_string())
}

fn hindered(found: &Hindrance) -> Refusal {
    match found {
        Hindrance::Unreadable(error) => unreadable(&(*error).into()),
        other => refuse(Guard::Readable, "a regular file".to_owned(), other.to_string()),
    }
}

fn too_large(found: String, bytes_max: u64) -> Refusal {
    refuse(Guard::Readable, format!("at most {bytes_max} bytes"), found)
}

fn unstable(found: &str) -> Refusal {
    refuse(Guard::Stable, "a file that nobody is writing".to_owned(), found.to_owned())
}

fn refuse(guard: Guard, expected: String, found: String) -> Refusal {
    Refusal { guard, expected, found }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_told_from_one_that_does_not() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"192.0.2.1\n192.0.2.2\n").expect("written");
        let signature = |file: &File| Signature::of_open(&file.metadata().expect("there"));
        let before = signature(&file);
        assert_eq!(unchanged(&file, before, || Ok(7)).expect("read"), Some(7));
        let longer = || (&file).write_all(b"192.0.2.3\n");
        assert_eq!(unchanged(&file, before, longer).expect("read"), None);
        let before = signature(&file);
        let cut = || file.set_len(3);
        assert_eq!(unchanged(&file, before, cut).expect("read"), None);
    }

    /// What an impatient reading takes of a file that holds `text` and to which
    /// `change` happens between looking at it and reading it.
    fn check_growing(text: &str, change: impl FnOnce(&mut File), want: Option<&str>) {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let found = file.metadata().expect("there");
        change(&mut file);
        file.rewind().expect("a file has a beginning");
        let taken = take_growing(&file, &found, false).expect("read");
        assert_eq!(taken.ok(), want.map(|want| want.as_bytes().to_vec()), "{text:?}");
    }

    #[test]
    fn of_a_file_that_is_added_to_the_whole_lines_are_taken() {
        let add = |file: &mut File| file.write_all(b"2.3\n192.0.2.4\n").expect("written");
        check_growing("192.0.2.1\n192.0.", add, Some("192.0.2.1\n"));
        check_growing("192.0.2.1\n", add, Some("192.0.2.1\n"));
        check_growing("192.0.2.1\n192.0.", |_| (), Some("192.0.2.1\n"));
    }

    #[test]
    fn a_file_that_is_written_over_is_not_taken_however_long_it_lasts() {
        let text = "192.0.2.1\n192.0.2.2\n";
        check_growing(text, |file| file.set_len(12).expect("cut"), None);
        check_growing(text, |file| file.set_len(0).expect("emptied"), None);
    }

    #[test]
    fn not_more_is_read_than_one_byte_beyond_the_limit() {
        let bytes = slurp(io::repeat(b'x'), 0, 1_000).expect("read");
        assert_eq!(bytes.len(), 1_001);
    }
}
