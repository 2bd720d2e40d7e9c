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
enum Found {
    /// There is none.
    Nothing,
    /// It is this one, from 0.
    Column(usize),
    /// There are several that may be.
    Several,
}

/// The countries of a table.
pub(super) struct Countries {
    found: Found,
    /// Whether the header has a name for something else: then the country is a
    /// note beside what the list is about.
    noted: bool,
}

impl Countries {
    pub(super) fn of(head: &Head<'_>) -> Self {
        let mut splitter = Splitter::new(b',');
        let mut rows = head.lines().filter(|line| !line.starts_with(b"#"));
        let names: Vec<Vec<u8>> = match rows.next().map(|first| splitter.split(first)) {
            Some(fields) if is_header(fields) => fields.iter().map(verdict::plain_name).collect(),
            _ => Vec::new(),
        };
        let noted = names.iter().skip(2).any(|name| !country::is_place_column(name));
        let said = names.iter().position(|name| country::is_code_column(name));
        let skipped = usize::from(!names.is_empty());
        let found = said.map_or_else(|| Found::by_content(head, skipped), Found::Column);
        Self { found, noted }
    }

    /// Whether a row is left out because of its country, which is said then.
    pub(super) fn leave_out(
        &self,
        fields: Fields<'_>,
        options: &Options,
        line: Line<'_>,
        visit: &mut impl Visit,
    ) -> bool {
        if options.countries.is_empty() && self.noted {
            return false;
        }
        let what = match &self.found {
            Found::Column(column) => {
                let code = fields.get(*column).unwrap_or_default();
                return TABLE.leave_out(options, code, line, visit);
            }
            Found::Nothing => "no column of this table holds countries",
            Found::Several => "several columns of this table may hold countries",
        };
        if !options.countries.is_empty() {
            let row = super::super::table::row(fields.iter());
            let why = format!("{what} ({row}); ask for one by `where`, as in `3 = KP`");
            visit.doubt(line, Why::Asked { key: "countries", why });
        } else if matches!(self.found, Found::Several) && options.conditions.is_empty() {
            visit.doubt(line, TABLE.doubt(b""));
        }
        false
    }
}

impl Found {
    /// The column in which nothing but countries stands, in the beginning.
    fn by_content(head: &Head<'_>, skipped: usize) -> Self {
        let mut splitter = Splitter::new(b',');
        // Of each column: whether all of it are countries, and some no continent.
        let mut seen = [(true, false); COLUMNS_MAX];
        let mut count = 0_usize;
        for row in head.lines().filter(|line| !line.starts_with(b"#")).skip(skipped) {
            let fields = splitter.split(row);
            count += 1;
            for (at, (codes, country)) in seen.iter_mut().enumerate() {
                let field = fields.get(at).unwrap_or_default();
                *codes &= country::is_code(field);
                *country |= !CONTINENTS.contains(&field);
            }
        }
        if count == 0 {
            return Self::Nothing;
        }
        let codes: Vec<usize> = (2..COLUMNS_MAX).filter(|&at| seen[at].0).collect();
        let countries: Vec<usize> = codes.iter().copied().filter(|&at| seen[at].1).collect();
        match (&codes[..], &countries[..]) {
            ([], _) => Self::Nothing,
            ([only], _) | (_, [only]) => Self::Column(*only),
            _ => Self::Several,
        }
    }
}
