//! The rows of a table as the configuration wants them: which count, and which
//! columns make the addresses of one. Knows nothing of how columns are found.

use super::super::super::csv::Fields;
use super::super::super::detect::Head;
use super::super::super::{Column, Condition, Options};
use super::layout::named;
use crate::token::{ipv4, range_entry};
use crate::{Entry, RejectReason, parse_address, parse_entry};

/// What is asked of every row.
pub(super) struct Rows<'o> {
    /// The conditions, each with its column. One without is never met.
    conditions: Vec<(Option<usize>, &'o Condition)>,
    last: Option<Option<usize>>,
    length: Option<Option<usize>>,
}

impl<'o> Rows<'o> {
    pub(super) fn new(head: &Head<'_>, separator: u8, options: &'o Options) -> Self {
        let place = |column: &Column| match column {
            Column::Number(number) => usize::from(*number).checked_sub(1),
            Column::Name(name) => named(head, separator, name),
        };
        let of = |condition: &'o Condition| (place(&Column::of(condition.field())), condition);
        Self {
            conditions: options.conditions.iter().map(of).collect(),
            last: options.last_column.as_ref().map(place),
            length: options.length_column.as_ref().map(place),
        }
    }

    /// Whether a row fits all conditions.
    pub(super) fn count(&self, fields: Fields<'_>) -> bool {
        self.conditions.iter().all(|(column, condition)| {
            let value = column.and_then(|column| fields.get(column));
            condition.fits(value.map(String::from_utf8_lossy).as_deref())
        })
    }

    /// The addresses of a row.
    pub(super) fn entry(&self, fields: Fields<'_>, column: usize) -> Result<Entry, RejectReason> {
        let field = |column: Option<usize>| {
            let column = column.ok_or(RejectReason::NoColumn)?;
            let found = fields.get(column).filter(|field| !field.is_empty());
            found.ok_or(RejectReason::MissingField)
        };
        let first = field(Some(column))?;
        if let Some(last) = self.last {
            return range_entry(parse_address(first)?, parse_address(field(last)?)?);
        }
        let Some(length) = self.length else { return parse_entry(first) };
        parse_address(first)?;
        let length = field(length)?;
        let length = length.strip_prefix(b"/").unwrap_or(length);
        // Cisco writes masks the other way round.
        let inverted = ipv4::parse(length).ok().filter(|&mask| mask != 0 && mask >> 31 == 0);
        match inverted.and_then(|mask| ipv4::mask_length(!mask)) {
            Some(length) => parse_entry(&[first, b"/", length.to_string().as_bytes()].concat()),
            None => parse_entry(&[first, b"/", length].concat()),
        }
    }
}
