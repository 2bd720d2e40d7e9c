//! The rows of a table as the configuration wants them: which count, and which
//! columns make the addresses of one. Knows nothing of how columns are found.

use super::super::super::asked::{CountryTable, Where};
use super::super::super::csv::Fields;
use super::super::super::detect::Head;
use super::super::super::visit::{Line, Visit};
use super::super::super::{Column, Options, Why, country, verdict};
use super::layout::{named, names};
use crate::token::{ipv4, range_entry};
use crate::{Entry, RejectReason, parse_address, parse_entry};

/// What is asked of every row.
pub(super) struct Rows<'o> {
    conditions: Where<'o>,
    options: &'o Options,
    /// The column that has the countries by its name, if they are asked for.
    country: Option<usize>,
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
        let is_country = |name: &Vec<u8>| {
            let plain = verdict::plain_name(name);
            country::is_code_column(&plain) || plain == b"country"
        };
        let asked = Some(options).filter(|options| !options.countries.is_empty());
        let country = asked.and_then(|_| names(head, separator).iter().position(is_country));
        Self {
            conditions: Where::new(options, |name| named(head, separator, name)),
            options,
            country,
            last: Asked::of(options.last_column.as_ref(), place),
            length: Asked::of(options.length_column.as_ref(), place),
        }
    }

    /// The columns of which the configuration says what they are for.
    pub(super) fn asked(&self) -> impl Iterator<Item = usize> {
        let parts = [self.last, self.length].into_iter().filter_map(|asked| asked.place().ok()?);
        self.conditions.columns().chain(self.country).chain(parts)
    }

    /// Whether a row is left out, which is said then.
    pub(super) fn leave_out(
        &self,
        fields: Fields<'_>,
        line: Line<'_>,
        visit: &mut impl Visit,
    ) -> bool {
        if self.conditions.leave_out(line, |column| fields.get(column), visit) {
            return true;
        }
        if self.options.countries.is_empty() {
            return false;
        }
        let Some(code) = self.country.map(|column| fields.get(column).unwrap_or_default()) else {
            let why = "no column has a name that says it holds countries; ask for one by `where`";
            visit.doubt(line, Why::Asked { key: "countries", why: why.to_owned() });
            return false;
        };
        let table = CountryTable { what: "a table", whole: true };
        table.leave_out(self.options, code, line, visit)
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
