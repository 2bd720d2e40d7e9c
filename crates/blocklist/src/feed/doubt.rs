//! Doubts: why nobody can tell from a file itself whom it wants blocked, in
//! words that name what was seen and the keys of the configuration that would
//! decide. A file in doubt is not read by guess.

use std::collections::BTreeMap;

use super::text;
use super::verdict::{is_blocking, is_welcoming};
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
    /// Several fields of a record with addresses, or one that may be part of an
    /// address.
    #[error("{what} ({row}): name the `path` of the addresses, as in `path = \"[].ip\"`")]
    Fields {
        /// What makes it unclear.
        what: &'static str,
        /// The first record, field by field.
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
        "sets or lists that may mean different things, {names}: say which block, as in `select = [\"{example}\"]`"
    )]
    Sets {
        /// Their names, and how many entries each has.
        names: String,
        /// One of them, as `select` would name it.
        example: String,
    },
    /// Arrays of a document, of which nobody knows which ones block.
    #[error(
        "arrays of addresses that may mean different things, {names}: name the `path` of those that \
         block, as in `path = \"{example}\"`"
    )]
    Arrays {
        /// Their keys, with what these say of themselves.
        names: String,
        /// The path of one of them.
        example: String,
    },
    /// A table of countries, of which nobody knows which ones are meant.
    #[error(
        "this is {what}, which says where addresses are and not whom to block: say which count, \
         as in `countries = [\"{example}\"]`, or with `where`{or}",
        or = if *.whole { "; named as the `format`, it is a list of all of them" } else { "" }
    )]
    Countries {
        /// What the file is.
        what: &'static str,
        /// One of its countries.
        example: String,
        /// Whether the file may as well be meant as a list of all that is in it.
        whole: bool,
    },
    /// A table of networks, of which nobody knows which ones are meant.
    #[error(
        "this is {what}, which says whose addresses are and not whom to block: say which count, \
         as in `asns = [\"{example}\"]` or by `asn-feed`, or name the `column` and another `format`"
    )]
    Networks {
        /// What the file is.
        what: &'static str,
        /// One of its networks.
        example: String,
    },
    /// The configuration asks for something that the rows do not have.
    #[error("`{key}` is set for this feed: {why}")]
    Asked {
        /// What it says.
        key: &'static str,
        /// What is missing, and what would help.
        why: String,
    },
    /// A command or condition whose effect on the rest is not known.
    #[error(
        "{0}, so that the rules after and before it may mean anything: leave it out, or name the `format` to go without it"
    )]
    Program(&'static str),
    /// A part of the file stands in another one.
    #[error(
        "{0} takes in another file, which is not read: give that one as a feed of its own, in its \
         own `format`, and this one without the line"
    )]
    Elsewhere(&'static str),
}

impl Why {
    /// Whether it is settled by a format that the configuration names.
    pub(super) const fn is_settled_by_format(&self) -> bool {
        match self {
            Self::Sets { .. } | Self::Networks { .. } | Self::Asked { .. } | Self::Elsewhere(_) => {
                false
            }
            Self::Countries { whole, .. } => *whole,
            _ => true,
        }
    }
}

/// Names that are nothing but short codes, of countries for instance, mean sets
/// of one kind.
const CODE_BYTES_MAX: usize = 3;

impl Why {
    /// The doubt about several sets, by their names and how many entries each
    /// has; none if there is only one, or if their names say that all mean the
    /// same.
    pub(super) fn sets<'n>(sets: impl Iterator<Item = (&'n [u8], u64)>) -> Option<Self> {
        let mut counts: BTreeMap<&[u8], u64> = BTreeMap::new();
        for (name, entries) in sets.filter(|&(_, entries)| entries > 0) {
            *counts.entry(name).or_default() += entries;
        }
        let sets: Vec<(&[u8], u64)> = counts.into_iter().collect();
        let first = *sets.first()?;
        let code =
            |name: &[u8]| name.len() <= CODE_BYTES_MAX && name.iter().all(u8::is_ascii_uppercase);
        let same = sets.len() == 1
            || sets.iter().all(|(name, _)| without_family(name) == without_family(first.0))
            || sets.iter().all(|(name, _)| code(name))
            || sets.iter().all(|(name, _)| is_blocking(name) && !is_welcoming(name));
        let welcoming = sets.iter().any(|(name, _)| is_welcoming(name)) && sets.len() > 1;
        if same && !welcoming {
            return None;
        }
        let shown = |name: &[u8]| text::printable(name, 40);
        let names: Vec<String> =
            sets.iter().take(8).map(|(name, n)| format!("`{}` with {n}", shown(name))).collect();
        let example =
            sets.iter().find(|(name, _)| is_blocking(name)).map_or(first.0, |(name, _)| name);
        Some(Self::Sets { names: names.join(", "), example: format!("set:{}", shown(example)) })
    }
}

/// The name of a set without what tells the families of addresses apart.
fn without_family(name: &[u8]) -> Vec<u8> {
    let mut name = name.to_ascii_lowercase();
    for part in ["ipv4", "ipv6", "inet6", "inet4", "inet", "ip4", "ip6", "v4", "v6", "4", "6"] {
        if let Some(at) = memchr::memmem::find(&name, part.as_bytes()) {
            name.drain(at..at + part.len());
            break;
        }
    }
    name.retain(u8::is_ascii_alphanumeric);
    name
}
