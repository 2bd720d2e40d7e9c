//! What in a table puts in doubt whom it means to block: columns that decide
//! about their rows, that may belong to the address, or that nobody knows.
//! Knows rows and names; where the addresses stand it is told.

use super::super::super::Why;
use super::super::super::csv::Fields;
use super::super::super::fields as named;
use super::super::super::verdict::{self, WordVerdict};
use super::columns::ColumnName;
use super::layout::is_entry;
use super::undoubted::Undoubted;
use crate::{parse_address, token::ipv4};

/// The doubts about one table.
pub(super) struct Doubts {
    column: Option<usize>,
    /// Of all columns; empty if they have none.
    names: Vec<ColumnName>,
    /// Whether a column says what a rule does.
    acts: bool,
    /// Whether a column counts the addresses of a network.
    counts: bool,
    /// The columns that the configuration asks for, if it says which rows count:
    /// then only their addresses may be in doubt.
    asked: Option<Vec<usize>>,
    /// What was looked at before.
    undoubted: Undoubted,
}

impl Doubts {
    pub(super) fn new(column: Option<usize>, names: &[Vec<u8>]) -> Self {
        let names: Vec<_> = names.iter().map(|name| ColumnName::of(name)).collect();
        let acts = names.iter().any(|name| name.is_action);
        let counts = names.iter().any(|name| name.counts);
        Self { column, names, acts, counts, asked: None, undoubted: Undoubted::default() }
    }

    /// Which rows count is said, by what stands in these columns.
    pub(super) fn about_columns(self, asked: Vec<usize>) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// What is in doubt about a row that is no header.
    pub(super) fn about(&mut self, fields: Fields<'_>) -> Option<Why> {
        let Some(column) = self.column else {
            return Some(columns("several columns hold addresses, or none does alone", fields));
        };
        if let Some(asked) = &self.asked {
            return self.torn(column, asked, fields);
        }
        let others = || fields.iter().enumerate().filter(|&(index, _)| index != column);
        let known = |(index, field)| self.undoubted.knows(index, field);
        if !others().all(known) || self.names.get(column).is_some_and(|name| !name.is_address) {
            if let Some(why) = self.about_fields(column, fields) {
                return Some(why);
            }
            for (index, field) in others() {
                self.undoubted.remember(index, field);
            }
        }
        let counted = || others().any(|(at, _)| self.names.get(at).is_some_and(|name| name.counts));
        let bare = || fields.get(column).is_some_and(|entry| !entry.contains(&b'/'));
        let what = "a column may say how many addresses there are";
        (self.counts && counted() && bare()).then(|| columns(what, fields))
    }

    /// What is in doubt about what stands in a row beside the address.
    fn about_fields(&self, column: usize, fields: Fields<'_>) -> Option<Why> {
        let others = || fields.iter().enumerate().filter(|&(index, _)| index != column);
        if let Some(why) = others().find_map(|(index, field)| self.deciding(index, field)) {
            return Some(why);
        }
        if self.names.get(column).is_some_and(|name| !name.is_address) {
            return Some(columns("the column with addresses has a name that says nothing", fields));
        }
        others().find_map(|(index, field)| {
            if is_address(field) {
                return Some(columns("a second column holds addresses", fields));
            }
            self.unclear(index, field).map(|what| columns(what, fields))
        })
    }

    /// A doubt whether the addresses of a row stand in one column.
    fn torn(&self, column: usize, asked: &[usize], fields: Fields<'_>) -> Option<Why> {
        let others = fields.iter().enumerate();
        let mut others = others.filter(|(index, _)| *index != column && !asked.contains(index));
        others.find_map(|(index, field)| {
            if is_address(field) {
                return Some(columns("a second column holds addresses", fields));
            }
            let part = match self.names.get(index) {
                Some(name) => name.is_part,
                None => is_number(field) && fields.get(column).is_some_and(|f| !f.contains(&b'/')),
            };
            let what = "a column may be a length, a mask or the end of a range";
            part.then(|| columns(what, fields))
        })
    }

    /// A doubt about a field that says what is to become of its row.
    fn deciding(&self, index: usize, field: &[u8]) -> Option<Why> {
        let name = self.names.get(index);
        let value = || String::from_utf8_lossy(&field[..field.len().min(40)]).into_owned();
        if let Some(name) = name.filter(|name| self.acts && name.is_scope)
            && !named::is_whole(field)
        {
            let example = format!("{} = any", name.shown);
            let (field, value) = (format!("column `{}`", name.shown), value());
            return Some(Why::Verdict { field, value, example });
        }
        let exempts = match name {
            Some(name) if name.ends => !named::is_for_ever(field),
            Some(name) if name.decides => !named::blocks_by(name.is_numbered, field),
            _ => verdict::plainly(field) == Some(WordVerdict::Exempts),
        };
        if !exempts {
            return None;
        }
        let value = value();
        let (field, key) = match name.map(|name| &name.shown) {
            Some(name) => (format!("column {} (`{name}`)", index + 1), name.clone()),
            None => (format!("column {}", index + 1), (index + 1).to_string()),
        };
        let number = value.parse::<f64>().is_ok();
        let example = if number { format!("{key} > 0") } else { format!("{key} != {value}") };
        Some(Why::Verdict { field, value, example })
    }

    /// Why a field may mean more than a note.
    fn unclear(&self, index: usize, field: &[u8]) -> Option<&'static str> {
        match self.names.get(index) {
            Some(name) if name.is_part => {
                Some("a column may be a length, a mask or the end of a range")
            }
            Some(name) if name.is_known => None,
            // Of a column of unknown meaning, times and the like decide nothing.
            _ if field.is_empty() || is_time(field) => None,
            Some(_) if is_number(field) && !is_zero(field) => None,
            Some(_) => Some("what a column says of its rows is not known"),
            None if is_number(field) => {
                Some("a number without a name may be a length, a count or a verdict")
            }
            None => Some("the columns have no names"),
        }
    }
}

fn columns(what: &'static str, fields: Fields<'_>) -> Why {
    Why::Columns { what, row: row(fields.iter()) }
}

/// A row for people: each column's number, and its text in backticks.
pub(in super::super::super) fn row<'a>(fields: impl Iterator<Item = &'a [u8]>) -> String {
    let shown = fields.filter(|field| !field.is_empty()).take(6).enumerate().map(|(at, field)| {
        let text = super::super::super::text::printable(field, 40);
        format!("{} `{text}`", at + 1)
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// An address or prefix other than a netmask.
fn is_address(field: &[u8]) -> bool {
    let mask = ipv4::parse(field).ok().and_then(ipv4::mask_length).is_some();
    is_entry(field) && !(mask && parse_address(field).is_err())
}

/// Nothing of what a column counts or measures: perhaps no reason to block.
fn is_zero(field: &[u8]) -> bool {
    str::from_utf8(field).is_ok_and(|text| text.parse() == Ok(0.0_f64))
}

fn is_number(field: &[u8]) -> bool {
    str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// A date, and perhaps a time behind it: `2026-11-01 00:00:00`, `01.11.2026`.
fn is_time(field: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_digit() || b"-:. /TZ+".contains(byte);
    let digits = field.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let date = match (digits, field.get(digits), field.get(5)) {
        (4, Some(b'-' | b'/'), _) => true,
        (2, Some(one @ (b'.' | b'/')), Some(other)) => one == other,
        _ => false,
    };
    date && field.len() >= 8 && field.iter().all(known)
}
