//! Which format a feed is in, told from how it begins, comments at the top aside.
//! Looks at no more than that, and leaves what is not clearly something else to the plain format,
//! which rejects what it does not understand.

use std::cell::OnceCell;

use super::csv::{Fields, Splitter};
use super::json::Outline;
use super::{Format, lines, text};

/// How many bytes are looked at.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many lines are looked at, among those that are not blank, and of a long
/// comment at the top.
const HEAD_LINES_MAX: usize = 512;

/// How sure a format is that a text is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// It is not.
    None,
    /// It may be, if nobody is sure.
    Maybe,
    /// It is. Between two that are sure, the order of [`Format::ALL`] decides.
    Sure,
}

/// The beginning of a feed.
pub(super) struct Head<'a> {
    /// Its bytes, without a byte order mark.
    pub text: &'a [u8],
    /// Whether that is the whole feed.
    pub whole: bool,
    lines: Vec<&'a [u8]>,
    outline: OnceCell<Outline>,
}

impl<'a> Head<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let bytes = lines::without_mark(bytes);
        let prelude = prelude_bytes(bytes);
        let text = &bytes[..bytes.len().min(prelude + HEAD_BYTES_MAX)];
        let whole = text.len() == bytes.len();
        let mut lines = Vec::new();
        let (comment, mut rest) = text.split_at(prelude);
        let comments = lines::all(comment).map(text::trim).filter(|line| !line.is_empty());
        lines.extend(comments.take(HEAD_LINES_MAX));
        let lines_max = lines.len() + HEAD_LINES_MAX;
        while !rest.is_empty() && lines.len() < lines_max {
            let (line, taken) = lines::first(rest);
            rest = &rest[taken..];
            // What was cut off here says nothing.
            let complete = whole || !rest.is_empty();
            lines.extend(Some(text::trim(line)).filter(|line| complete && !line.is_empty()));
        }
        Self { text, whole, lines, outline: OnceCell::new() }
    }

    /// What is in it, if it is JSON.
    pub(super) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::of(self.text))
    }

    /// The first lines, each trimmed and none of them blank.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().copied()
    }

    /// Whether the lines are of a kind: sure if nine of ten are, perhaps if
    /// half of them are. Those that begin with one of `comments` are not asked
    /// for.
    pub(super) fn most(&self, comments: &[u8], fits: impl Fn(&[u8]) -> bool) -> Likeness {
        self.count(comments, fits)
    }

    /// The same of rows with this separator; lines with `#` are comments.
    pub(super) fn most_rows(
        &self,
        separator: u8,
        mut fits: impl FnMut(Fields<'_>) -> bool,
    ) -> Likeness {
        let mut splitter = Splitter::new(separator);
        self.count(b"#", |line| fits(splitter.split(line)))
    }

    fn count(&self, comments: &[u8], mut fits: impl FnMut(&[u8]) -> bool) -> Likeness {
        let (mut asked, mut fitting) = (0_usize, 0_usize);
        for line in self.lines().filter(|line| !comments.contains(&line[0])) {
            asked += 1;
            fitting += usize::from(fits(line));
        }
        match fitting {
            0 => Likeness::None,
            _ if fitting * 10 >= asked * 9 => Likeness::Sure,
            _ if fitting * 2 >= asked => Likeness::Maybe,
            _ => Likeness::None,
        }
    }
}

/// What each format makes of how `bytes` begin, in the order of [`Format::ALL`].
pub(super) fn likenesses(bytes: &[u8]) -> Vec<(Format, Likeness)> {
    let head = Head::of(bytes);
    Format::ALL.iter().map(|&format| (format, format.resembles(&head))).collect()
}

/// How many bytes the comment at the top has, with the blank lines in it.
fn prelude_bytes(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (line, taken) = lines::first(rest);
        if !matches!(text::trim(line), [] | [b'#' | b';', ..]) {
            break;
        }
        rest = &rest[taken..];
    }
    bytes.len() - rest.len()
}

/// The format that `bytes` look most like. Plain, if they look like none.
pub fn detect(bytes: &[u8]) -> Format {
    let head = Head::of(bytes);
    let mut best = (Likeness::None, Format::Plain);
    for &format in Format::ALL {
        let likeness = format.resembles(&head);
        if likeness > best.0 {
            best = (likeness, format);
        }
        if likeness == Likeness::Sure {
            break;
        }
    }
    best.1
}
