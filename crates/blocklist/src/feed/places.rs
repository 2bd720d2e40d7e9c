//! Where a part of a document stands: its line, for people who look it up, and
//! the text around it, for those who do not. Knows no kind of document.

use std::cell::Cell;

use super::visit::Line;
use super::{Limits, text};

/// A document with a finger on one of its lines.
pub(super) struct Places<'de> {
    text: &'de [u8],
    /// How many bytes of a line are shown.
    shown_bytes: usize,
    /// Up to where lines were counted, and how many have ended there.
    counted: Cell<(usize, u64)>,
    /// Whether every line ends with LF, the last one aside.
    only_lf: bool,
}

impl<'de> Places<'de> {
    pub(super) fn of(text: &'de [u8], limits: &Limits) -> Self {
        let only_lf = memchr::memchr(b'\r', text).is_none();
        Self { text, shown_bytes: limits.text_bytes_max, counted: Cell::default(), only_lf }
    }

    /// How many lines the document has.
    pub(super) fn lines(&self) -> u64 {
        let last_has_no_end = self.text.last().is_some_and(|last| !b"\r\n".contains(last));
        self.ends_in(0, self.text.len()) + u64::from(last_has_no_end)
    }

    /// The line in which a part of the document begins.
    pub(super) fn line_of(&self, part: &str) -> Line<'_> {
        let at = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        // What is no part of the document stands at its beginning.
        Line::Around { places: self, at: if at < self.text.len() { at } else { 0 } }
    }

    /// The line of a place told by line, of those that end with LF, and column,
    /// each the first if 1.
    pub(super) fn line_at(&self, line: usize, column: usize) -> Line<'_> {
        let start = match line.checked_sub(2) {
            None => 0,
            Some(last) => memchr::memchr_iter(b'\n', self.text).nth(last).map_or(0, |at| at + 1),
        };
        let at = start + column.saturating_sub(1);
        Line::Around { places: self, at: at.min(self.text.len().saturating_sub(1)) }
    }

    /// The number of the line at this place. Cheap for places that are asked
    /// for roughly in their order.
    pub(super) fn number(&self, at: usize) -> u64 {
        let (counted, ends) = self.counted.get();
        let ends = if at >= counted {
            ends + self.ends_in(counted, at)
        } else {
            ends - self.ends_in(at, counted)
        };
        self.counted.set((at, ends));
        ends + 1
    }

    /// LF, CR and CRLF between two places, of the last one its LF.
    fn ends_in(&self, from: usize, to: usize) -> u64 {
        // Places are near to one another: to begin a search takes longer.
        if self.only_lf && u8::try_from(to - from).is_ok() {
            let text = &self.text[from..to];
            return text.iter().fold(0_u8, |ends, &byte| ends + u8::from(byte == b'\n')).into();
        }
        let ends = memchr::memchr2_iter(b'\n', b'\r', &self.text[from..to]).filter(|&at| {
            let at = from + at;
            self.text[at] == b'\n' || self.text.get(at + 1) != Some(&b'\n')
        });
        ends.count() as u64
    }

    /// The line at this place, or of a long one what is near to the place.
    pub(super) fn around(&self, at: usize) -> &'de [u8] {
        let from = at.saturating_sub(self.shown_bytes);
        let start = memchr::memrchr2(b'\n', b'\r', &self.text[from..at]).map(|end| from + end + 1);
        let to = self.text.len().min(at + self.shown_bytes);
        let end = memchr::memchr2(b'\n', b'\r', &self.text[at..to]).map(|end| at + end);
        if let (Some(start), Some(end)) = (start.or((from == 0).then_some(0)), end)
            && text::trim(&self.text[start..end]).len() <= self.shown_bytes
        {
            return &self.text[start..end];
        }
        let near = start.unwrap_or(from).max(at.saturating_sub(self.shown_bytes / 4));
        // Not from the middle of a character.
        let near = (near..at).find(|&at| self.text[at] & 0xc0 != 0x80).unwrap_or(at);
        &self.text[near..end.unwrap_or(to)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, part: &str, number: u64, shown: &str) {
        let limits = Limits { text_bytes_max: 16, ..Limits::default() };
        let places = Places::of(text.as_bytes(), &limits);
        let at = text.find(part).expect("a part");
        // From wherever the finger was before.
        for before in [0, at, text.len() - 1] {
            places.line_of(&text[before..]).number();
            assert_eq!(places.line_of(&text[at..]).number(), number, "{text:?}");
        }
        let line = places.line_of(&text[at..]);
        assert_eq!((line.number(), str::from_utf8(line.text())), (number, Ok(shown)), "{text:?}");
    }

    #[test]
    fn a_place_is_a_line_or_what_is_near() {
        check("{\n \"a\":\"x\"\n}", "x", 2, " \"a\":\"x\"");
        check("{\r\n\r\"a\":\"x\"\r\n}", "x", 3, "\"a\":\"x\"");
        check("\n\n\nx", "x", 4, "x");
        check("x", "x", 1, "x");
        check("0123456789abcdef0123456789", "a", 1, "6789abcdef0123456789");
        check("0123456789\nabcdefghijklmnopqrstuvwxyz", "k", 2, "ghijklmnopqrstuvwxyz");
        check("ééééééééééé|bcdefghijklmnopqrstuvwxyz", "b", 1, "é|bcdefghijklmnopq");
    }

    #[test]
    fn a_foreign_part_stands_at_the_beginning() {
        let places = Places::of(b"{\n}", &Limits::default());
        assert_eq!(places.line_of("elsewhere").number(), 1);
        assert_eq!(places.lines(), 2);
        assert_eq!(Places::of(b"", &Limits::default()).lines(), 0);
        assert_eq!(Places::of(b"a\r\nb\n", &Limits::default()).lines(), 2);
    }
}
