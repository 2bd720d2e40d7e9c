//! Doubts: why nobody can tell from a file itself whom it wants blocked, in
//! words that name what was seen and the keys of the configuration that would
//! decide. A file in doubt is not read by guess.

use super::text;
use super::visit::Line;

/// The first place in a file from which its meaning is in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The line, the first being 1.
    pub line: u64,
    /// Its text, in the form of [`Reject::text`](crate::Reject).
    pub text: String,
    /// What was seen there.
    pub why: Why,
}

impl Doubt {
    /// The doubt about a line.
    pub(super) fn about(line: Line<'_>, bytes_max: usize, why: Why) -> Self {
        Self { line: line.number(), text: text::printable(line.text(), bytes_max), why }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Something that no list of addresses has in its lines: the file is
    /// something else, or of several parts.
    #[error(
        "{0}, so this is no list of addresses alone: name its `format`, or leave such lines out"
    )]
    Structure(&'static str),
    /// Several columns with addresses, or one that may be part of an address.
    #[error(
        "{what} ({row}): name the `column` that holds the addresses, by number or by name, with \
         `last-column` for the ends of ranges and `length-column` for the lengths of prefixes, \
         or the `format`"
    )]
    Columns {
        /// What makes it unclear.
        what: &'static str,
        /// The first row, column by column.
        row: String,
    },
    /// A column or field that tells one row from the other.
    #[error(
        "{field} says `{value}`, so not every row means to block: say which rows count, as in \
         `where = [\"{example}\"]`, or name the `column` alone to take all of them"
    )]
    Verdict {
        /// The name of the field, or the number of the column.
        field: String,
        /// What it says.
        value: String,
        /// A condition that would take the rows of one kind.
        example: String,
    },
    /// Several sets, lists, arrays or sections, of which nobody knows whether
    /// they mean the same.
    #[error(
        "several sets or lists that may mean different things, {names}: say which block, as in `select = [\"{example}\"]`"
    )]
    Sets {
        /// Their names, and how many entries each has.
        names: String,
        /// One of them, as `select` would name it.
        example: String,
    },
    /// A command or condition whose effect on the rest is not known.
    #[error(
        "{0}, so that the rules after and before it may mean anything: leave it out, or name the `format` to go without it"
    )]
    Program(&'static str),
}

impl Why {
    /// Whether it is settled by a format that the configuration names.
    pub(super) const fn is_settled_by_format(&self) -> bool {
        !matches!(self, Self::Sets { .. })
    }
}
