//! Rows of separated values, quoted or not, by RFC 4180 but for one thing: a
//! row is a line, so that a quote nobody closed costs one row and not the rest
//! of the feed. Knows no addresses.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{lines, text};

/// More fields of a row than that are not looked at.
const FIELDS_MAX: usize = 256;

/// Splits one line after the other, in the same memory.
pub(super) struct Splitter {
    separator: u8,
    /// What reads quotes, once there are some: to make it takes as long as to
    /// read a thousand lines.
    reader: Option<Box<Reader>>,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The fields of one line.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

impl Splitter {
    /// Where the separator is a blank, several part fields as one does.
    pub(super) fn new(separator: u8) -> Self {
        Self { separator, reader: None, text: Vec::new(), ends: vec![0; FIELDS_MAX] }
    }

    /// The fields of a line, which are at most [`FIELDS_MAX`].
    pub(super) fn split(&mut self, line: &[u8]) -> Fields<'_> {
        let separator = self.separator;
        if separator == b' ' {
            let words = line.split(u8::is_ascii_whitespace);
            return self.take(words.filter(|word| !word.is_empty()));
        }
        if line.is_empty() {
            return Fields { text: &[], ends: &[] };
        }
        if memchr::memchr(b'"', line).is_none() {
            return self.take(lines::without_mark(line).split(|&byte| byte == separator));
        }
        self.split_quoted(line)
    }

    fn take<'l>(&mut self, fields: impl Iterator<Item = &'l [u8]>) -> Fields<'_> {
        self.text.clear();
        let mut count = 0;
        for (field, end) in fields.zip(&mut self.ends) {
            self.text.extend_from_slice(field);
            *end = self.text.len();
            count += 1;
        }
        Fields { text: &self.text, ends: &self.ends[..count] }
    }

    fn split_quoted(&mut self, line: &[u8]) -> Fields<'_> {
        let make = || Box::new(ReaderBuilder::new().delimiter(self.separator).build());
        let reader = self.reader.get_or_insert_with(make);
        reader.reset();
        if self.text.len() < line.len() {
            self.text.resize(line.len(), 0);
        }
        let (mut written, mut fields, mut rest) = (0, 0, line);
        loop {
            let (result, read, text, ends) =
                reader.read_record(rest, &mut self.text[written..], &mut self.ends[fields..]);
            (rest, written, fields) = (&rest[read..], written + text, fields + ends);
            // Asked again without input, the reader ends the last field.
            if !matches!(result, ReadRecordResult::InputEmpty) {
                break;
            }
        }
        Fields { text: &self.text[..written], ends: &self.ends[..fields] }
    }
}

impl<'a> Fields<'a> {
    /// The field at `index`, from 0, without blanks around it.
    pub(super) fn get(self, index: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end).map(text::trim)
    }

    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: &[&str]) {
        let mut splitter = Splitter::new(b',');
        for _ in 0..2 {
            let fields = splitter.split(line.as_bytes());
            assert!(fields.iter().eq(want.iter().map(|field| field.as_bytes())), "{line}");
            assert_eq!(fields.len(), want.len(), "{line}");
        }
    }

    #[test]
    fn a_line_is_a_row() {
        check("a,b", &["a", "b"]);
        check("a , b,", &["a", "b", ""]);
        check("a", &["a"]);
        check(",", &["", ""]);
        check("\"a,b\",\"say \"\"c\"\"\"", &["a,b", "say \"c\""]);
        check("\"never closed,b", &["never closed,b"]);
        check("a\"b,c", &["a\"b", "c"]);
        check("\"a\"b,c", &["ab", "c"]);
        check("", &[]);
    }

    #[test]
    fn a_row_with_too_many_fields_has_the_first_ones() {
        let line = ",".repeat(1_000);
        assert_eq!(Splitter::new(b',').split(line.as_bytes()).len(), FIELDS_MAX);
    }
}
