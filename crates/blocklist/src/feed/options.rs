//! What the configuration may say about where in a feed the addresses stand.
//! Which formats listen to it, they say themselves.

/// What is to be known for reading beside the format. By default nothing is,
/// and each format finds the addresses where it usually has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// In which column of a table the addresses stand.
    pub column: Option<Column>,
    /// In which fields of a JSON document they stand.
    pub path: Option<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By position, from 1. There is no column 0, all rows lack it.
    Number(u16),
    /// By its name in the header, in exactly this case.
    Name(String),
}
