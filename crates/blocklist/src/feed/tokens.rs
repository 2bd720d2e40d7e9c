//! Text that does not care for lines: words, quoted ones too, and marks such
//! as braces between them, each with the line it stands in. What they mean it
//! does not know.

use super::{Shape, lines};

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Bytes between blanks and marks, or between quotes. A quote that is not
    /// closed in its line ends with it.
    Word,
    /// One of the bytes that stand for themselves.
    Mark(u8),
    /// The end of a line.
    LineEnd,
}

/// A part of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: TokenKind,
    /// A word with its quotes; nothing for the end of a line.
    pub text: &'a [u8],
    /// The first is 1.
    pub line: u64,
    /// Where it begins.
    pub at: usize,
}

/// All tokens of a text. `#` between them begins a comment, until the line ends.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    marks: &'static [u8],
    at: usize,
    shape: Shape,
    /// How many lines had a token, and which was the last.
    told: u64,
    told_last: u64,
}

impl<'a> Tokens<'a> {
    /// `bytes` and `shape` are what [`lines::open`] gave.
    pub(super) fn new(bytes: &'a [u8], mut shape: Shape, marks: &'static [u8]) -> Self {
        shape.lines = 0;
        Self { bytes, marks, at: 0, shape, told: 0, told_last: 0 }
    }

    /// What can be said of the text, after the last token or, if the reading
    /// stopped there, after any other.
    pub(super) fn shape(&self) -> Shape {
        let whole = self.at >= self.bytes.len();
        let open_line = self.told_last > self.shape.lines || self.shape.unfinished_line && whole;
        let lines = self.shape.lines + u64::from(open_line);
        Shape { lines, blank: lines.saturating_sub(self.told), ..self.shape }
    }

    fn skip_blanks(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\r' | b'\n' => break,
                b'#' => self.at += lines::first(&self.bytes[self.at..]).0.len(),
                _ if byte.is_ascii_whitespace() || byte == b'\x0b' => self.at += 1,
                // A no-break space.
                0xc2 if self.bytes.get(self.at + 1) == Some(&0xa0) => self.at += 2,
                _ => break,
            }
        }
    }

    fn token_bytes(&self, rest: &[u8]) -> usize {
        let quote = rest[0];
        if b"\"'".contains(&quote) {
            let mut escaped = false;
            for (at, &byte) in rest.iter().enumerate().skip(1) {
                match byte {
                    b'\r' | b'\n' => return at,
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    _ if byte == quote => return at + 1,
                    _ => {}
                }
            }
            return rest.len();
        }
        let ends = |byte: &u8| byte.is_ascii_whitespace() || self.marks.contains(byte);
        rest.iter().position(ends).unwrap_or(rest.len())
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let rest = &self.bytes[self.at..];
        let (at, line) = (self.at, self.shape.lines + 1);
        let first = *rest.first()?;
        if first == b'\n' || first == b'\r' {
            self.at += lines::first(rest).1;
            self.shape.lines += 1;
            return Some(Token { kind: TokenKind::LineEnd, text: b"", line, at });
        }
        self.told += u64::from(self.told_last != line);
        self.told_last = line;
        let mark = self.marks.contains(&first);
        let length = if mark { 1 } else { self.token_bytes(rest) };
        self.at += length;
        let kind = if mark { TokenKind::Mark(first) } else { TokenKind::Word };
        Some(Token { kind, text: &rest[..length], line, at })
    }
}
