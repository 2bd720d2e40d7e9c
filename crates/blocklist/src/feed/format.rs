//! The formats by name, as the configuration and JSON know them. What each of
//! them is, its own module says.

use std::fmt;
use std::str::FromStr;

/// How the lines of a feed are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// One entry a line: address, prefix or range, with `#` and `;` comments.
    #[default]
    Plain,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 1] = [Self::Plain];

    /// The name in the configuration and in JSON: `plain`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// There is no format of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no feed format `{0}`; formats are: plain")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let format = Self::ALL.into_iter().find(|format| format.name() == name);
        format.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}
