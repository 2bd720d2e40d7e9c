//! What the bytes of a feed look like as a whole, whatever is in the lines:
//! what tells a web page or a torn file from a list.

/// Observations that no single line can make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations, not states")]
pub struct Shape {
    /// Lines read. CR, LF and CRLF each end one.
    pub lines: u64,
    /// Lines among them that are blank or only a comment.
    pub blank: u64,
    /// The first byte that is not blank is `<`: HTML or XML.
    pub markup: bool,
    /// There are NUL bytes: no text, or a file that a crash left with a hole.
    pub binary: bool,
    /// The file begins with the byte order mark of UTF-16, and is none. Nothing
    /// in it was read, it counts as one line and one reject.
    pub utf16: bool,
    /// The last line has no end. Many good feeds are like that, and all that
    /// were cut off.
    pub unfinished_line: bool,
    /// The last line has no end, and is no entry or a prefix so short that its
    /// length may have lost a digit: `/2` may be the beginning of `/24`.
    pub torn_line: bool,
    /// A document, as JSON is one, that breaks off or goes on with something
    /// else. What stood before was read and is part of the numbers.
    pub broken_document: bool,
    /// A server's message of what went wrong instead of a list. It counts as
    /// one reject.
    pub error_document: bool,
    /// There was more than [`Limits::entries_max`](crate::Limits::entries_max); reading
    /// stopped, so that all numbers are those of a part.
    pub over_entries_max: bool,
}
