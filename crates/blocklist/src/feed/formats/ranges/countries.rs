//! Where in a table of ranges the countries stand, told by the names of the
//! columns or by what is in them. Knows no addresses.

use super::super::super::asked::CountryTable;
use super::super::super::csv::{Fields, Splitter};
use super::super::super::detect::Head;
use super::super::super::visit::{Line, Visit};
use super::super::super::{Options, Why, country, verdict};
use super::is_header;

const TABLE: CountryTable = CountryTable { what: "a table of countries", whole: false };

/// The continents as `GeoNames` and DB-IP have them, and no continent.
const CONTINENTS: [&[u8]; 9] = [b"AF", b"AN", b"AS", b"EU", b"NA", b"OC", b"SA", b"ZZ", b"-"];

/// More columns are not looked at.
const COLUMNS_MAX: usize = 16;

/// The column with the countries.
pub(super) enum Countries {
    /// There is none.
    None,
    /// It is this one, from 0.
    Column(usize),
    /// There are several that may be.
    Several,
}

impl Countries {
    pub(super) fn of(head: &Head<'_>) -> Self {
        let mut splitter = Splitter::new(b',');
        let mut rows = head.lines().filter(|line| !line.starts_with(b"#")).peekable();
        let mut named = None;
        if let Some(first) = rows.peek() {
            let fields = splitter.split(first);
            if is_header(fields) {
                named = fields
                    .iter()
                    .position(|name| country::is_code_column(&verdict::plain_name(name)));
                rows.next();
            }
        }
        if let Some(column) = named {
            return Self::Column(column);
        }
        // Of each column: whether all of it are countries, and some no continent.
        let mut seen = [(true, false); COLUMNS_MAX];
        let mut count = 0_usize;
        for row in rows {
            let fields = splitter.split(row);
            count += 1;
            for (at, (codes, country)) in seen.iter_mut().enumerate() {
                let field = fields.get(at).unwrap_or_default();
                *codes &= country::is_code(field);
                *country |= !CONTINENTS.contains(&field);
            }
        }
        if count == 0 {
            return Self::None;
        }
        let codes: Vec<usize> = (2..COLUMNS_MAX).filter(|&at| seen[at].0).collect();
        let countries: Vec<usize> = codes.iter().copied().filter(|&at| seen[at].1).collect();
        match (&codes[..], &countries[..]) {
            ([], _) => Self::None,
            ([only], _) | (_, [only]) => Self::Column(*only),
            _ => Self::Several,
        }
    }

    /// Whether a row is left out because of its country, which is said then.
    pub(super) fn leave_out(
        &self,
        fields: Fields<'_>,
        options: &Options,
        line: Line<'_>,
        visit: &mut impl Visit,
    ) -> bool {
        let what = match self {
            Self::Column(column) => {
                let code = fields.get(*column).unwrap_or_default();
                return TABLE.leave_out(options, code, line, visit);
            }
            Self::None => "no column of this table holds countries",
            Self::Several => "several columns of this table may hold countries",
        };
        if !options.countries.is_empty() {
            let row = super::super::table::row(fields.iter());
            let why = format!("{what} ({row}); ask for one by `where`, as in `3 = KP`");
            visit.doubt(line, Why::Asked { key: "countries", why });
        } else if matches!(self, Self::Several) && options.conditions.is_empty() {
            visit.doubt(line, TABLE.doubt(b""));
        }
        false
    }
}
