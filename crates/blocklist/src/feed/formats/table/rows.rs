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
    last: Asked,
    length: Asked,
}

/// A column beside that of the addresses.
#[derive(Clone, Copy)]
enum Asked {
    /// The configuration names none.
    Nothing,
    /// It names this one.
    Column(usize),
    /// It names one that the table does not have: no row can be read.
    Absent,
}

impl Asked {
    fn of(column: Option<&Column>, place: impl FnOnce(&Column) -> Option<usize>) -> Self {
        column.map_or(Self::Nothing, |column| place(column).map_or(Self::Absent, Self::Column))
    }

    /// The place, if the configuration names a column.
    fn place(self) -> Result<Option<usize>, RejectReason> {
        match self {
            Self::Nothing => Ok(None),
            Self::Column(place) => Ok(Some(place)),
            Self::Absent => Err(RejectReason::NoColumn),
        }
    }
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
            last: Asked::of(options.last_column.as_ref(), place),
            length: Asked::of(options.length_column.as_ref(), place),
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
        let field = |column: usize| {
            let found = fields.get(column).filter(|field| !field.is_empty());
            found.ok_or(RejectReason::MissingField)
        };
        let first = field(column)?;
        if let Some(last) = self.last.place()? {
            return range_entry(parse_address(first)?, parse_address(field(last)?)?);
        }
        let Some(length) = self.length.place()? else { return parse_entry(first) };
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
