//! What the configuration may say about where in a feed the addresses stand, and
//! which of them count. Which formats listen to it, they say themselves.

use super::condition::Condition;

/// What is to be known for reading beside the format. By default nothing is,
/// and each format finds the addresses where it usually has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// In which column of a table the addresses stand.
    pub column: Option<Column>,
    /// In which column the last addresses of ranges stand.
    pub last_column: Option<Column>,
    /// In which column the lengths of prefixes, or the netmasks, stand.
    pub length_column: Option<Column>,
    /// In which fields of a JSON document they stand.
    pub path: Option<String>,
    /// Which of several sets or lists count, by name. All if it is empty.
    pub select: Vec<String>,
    /// Which rows count: those that fit all of these.
    pub conditions: Vec<Condition>,
}

impl Options {
    /// Whether the configuration says which rows and columns count, so that
    /// nothing has to be told from what stands in them.
    pub(super) const fn decide_rows(&self) -> bool {
        self.column.is_some() || self.path.is_some() || !self.conditions.is_empty()
    }

    /// Whether a set or list of this name counts.
    pub(super) fn selects(&self, name: &[u8]) -> bool {
        let bare = |text: &String| {
            let (_, bare) = text.split_once(':').unwrap_or(("", text));
            text.as_bytes() == name || bare.as_bytes() == name
        };
        self.select.is_empty() || self.select.iter().any(bare)
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By position, from 1. There is no column 0, all rows lack it.
    Number(u16),
    /// By its name in the header, in exactly this case.
    Name(String),
}

impl Column {
    /// The column that a text in a condition means: a number, or a name.
    pub(super) fn of(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)
    }
}
