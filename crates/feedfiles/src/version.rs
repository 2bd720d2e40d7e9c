//! Which version of a feed is meant: enough to tell it from every other that
//! was ever kept, without its bytes.

use blocklist::{Column, Format, FormatChoice, Options};
use serde::{Deserialize, Serialize};

/// The identity of one version of a feed: the same bytes, read the same way.
/// It stands in the header of a copy, so that it survives restarts.
///
/// Two versions of one feed share it by chance once in four thousand million
/// times, and only if they have the same length; whoever writes a feed could
/// bring it about, and would gain a feed that is not updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    /// How many bytes it has, when expanded.
    pub bytes: u64,
    /// Their CRC-32.
    pub crc32: u32,
    /// The CRC-32 of format and options: the same bytes mean something else
    /// when they are read another way.
    pub reading: u32,
}

/// How often the readers came to mean something else by the same bytes. What
/// was read by an earlier one is another version: the file is read and judged
/// anew, and what was good stays in force until that comes to something.
pub(super) const READER: u32 = 2;

/// How a feed is read. Who decided its format is part of it: what a person
/// names is taken at its word, what is detected may be in doubt.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// What its lines mean.
    pub format: Format,
    /// Whether that was told from the bytes alone.
    pub detected: bool,
    /// Where in it the addresses stand.
    pub options: &'a Options,
}

impl<'a> Manner<'a> {
    /// How these bytes are read by this choice.
    pub fn of(choice: FormatChoice, options: &'a Options, bytes: &[u8]) -> Self {
        let detected = choice == FormatChoice::Auto;
        Self { format: choice.for_bytes(bytes), detected, options }
    }
}

impl VersionId {
    /// The identity of these bytes, read this way.
    pub(super) fn of(manner: Manner<'_>, bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
            reading: reading_crc32(manner, READER),
        }
    }

    /// The three numbers, in the order of the fields, for whoever only
    /// compares them.
    pub fn numbers(self) -> [u64; 3] {
        [self.bytes, self.crc32.into(), self.reading.into()]
    }
}

/// What tells one way to read a feed from another.
pub(super) fn reading_crc32(manner: Manner<'_>, reader: u32) -> u32 {
    let Manner { format, detected, options } = manner;
    // Taken apart here and in the header, so that nobody adds an option and
    // forgets that a copy must be read with it.
    let Options { column, last_column, length_column, path, select, conditions } = options;
    let [column, last, length] =
        [column, last_column, length_column].map(|column| column.as_ref().map(ColumnText::from));
    let conditions: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    let format = format.to_string();
    let text = if reader == 1 {
        // It knew nothing of the rest, and its notes know this number.
        serde_json::to_vec(&(format, column, path))
    } else {
        let later = (last, length, select, conditions);
        serde_json::to_vec(&(reader, format, detected, column, path, later))
    };
    crc32fast::hash(&text.expect("strings and numbers are JSON"))
}

/// A column as it is written: a number or a name.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum ColumnText {
    Number(u16),
    Name(String),
}

impl From<&Column> for ColumnText {
    fn from(column: &Column) -> Self {
        match column {
            Column::Number(number) => Self::Number(*number),
            Column::Name(name) => Self::Name(name.clone()),
        }
    }
}

impl From<ColumnText> for Column {
    fn from(column: ColumnText) -> Self {
        match column {
            ColumnText::Number(number) => Self::Number(number),
            ColumnText::Name(name) => Self::Name(name),
        }
    }
}
