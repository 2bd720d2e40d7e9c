//! The CSV files of MaxMind's GeoIP2 and GeoLite2 databases: a header that
//! begins with `network`, then a prefix in the first field of every row.
//! Source: <https://dev.maxmind.com/geoip/docs/databases>.
//!
//! * Where the addresses are says nothing of whom to block: `countries` does. The
//!   field `geoname_id` refers to another file, which `locations` names; other
//!   publishers have the country in the row, as `country_code`. A row that refers
//!   to nothing, or to a place without a country, is left out.
//! * Flags of 0 put in doubt that all rows are meant, until `where` says which.

use std::ops::ControlFlow;

use super::super::asked::{CountryTable, Where};
use super::super::country::{is_code_column, is_place_column};
use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::network;
use super::super::verdict::{blocks, is_deciding, plain_name};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{RejectReason, parse_entry};

const HEADER: &[u8] = b"network";

const TABLE: CountryTable = CountryTable { what: "a table of places", whole: false };

/// What the header says.
#[derive(Default)]
struct Columns {
    /// Where a row refers to a place.
    place: Option<usize>,
    /// Where it has its country.
    country: Option<usize>,
    /// Whether nothing but places is in it.
    places_only: bool,
    flags: Vec<(usize, String)>,
}

impl Columns {
    fn of(fields: Fields<'_>) -> Self {
        let find = |is: &dyn Fn(&[u8]) -> bool| fields.iter().position(is);
        let named = fields.iter().enumerate().filter(|(_, name)| is_deciding(name));
        Self {
            place: find(&|name| name == b"geoname_id"),
            country: find(&|name| is_code_column(&plain_name(name)))
                .or_else(|| find(&|name| name == b"country")),
            places_only: fields.iter().skip(1).all(|name| is_place_column(&plain_name(name))),
            flags: named.map(|(at, name)| (at, String::from_utf8_lossy(name).into())).collect(),
        }
    }

    /// Whether a row is left out because of its country, which is said then.
    fn leave_out(
        &self,
        fields: Fields<'_>,
        options: &Options,
        line: Line<'_>,
        visit: &mut impl Visit,
    ) -> bool {
        if let Some(country) = self.country {
            if options.countries.is_empty() && !self.places_only {
                // The country is a note beside what the list is about.
                return false;
            }
            let code = fields.get(country).unwrap_or_default();
            return TABLE.leave_out(options, code, line, visit);
        }
        let Some(place) = self.place else {
            if !options.countries.is_empty() {
                let why = "the header names no column of countries or of places".to_owned();
                visit.doubt(line, Why::Asked { key: "countries", why });
            }
            return false;
        };
        if options.countries.is_empty() {
            return TABLE.leave_out(options, b"", line, visit);
        }
        let Some(places) = &options.places else {
            let why = "the countries stand in another file, which `locations` has to name, as in \
                       `locations = \"GeoLite2-Country-Locations-en.csv\"`";
            visit.doubt(line, Why::Asked { key: "countries", why: why.to_owned() });
            return false;
        };
        let number = fields.get(place).and_then(network::number);
        let taken = number.is_some_and(|number| places.binary_search(&number).is_ok());
        if !taken {
            visit.left_out(line);
        }
        !taken
    }

    /// What a row's flags say against it.
    fn doubt(&self, fields: Fields<'_>) -> Option<Why> {
        let against =
            self.flags.iter().find(|(at, _)| fields.get(*at).is_none_or(|flag| !blocks(flag)));
        against.map(|(_, name)| Why::Verdict {
            field: format!("column `{name}`"),
            value: "0".to_owned(),
            example: format!("{name} = 1"),
        })
    }
}

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let mut columns = Columns::default();
    let head = Head::of(bytes);
    let rows = Where::new(options, |name| super::table::named(&head, b',', name));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let network = fields.get(0);
        if network == Some(HEADER) {
            columns = Columns::of(fields);
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        let read = network.ok_or(RejectReason::MissingField).and_then(parse_entry);
        if read.is_ok() {
            // The flags of a row with a country say more of the addresses, and
            // nothing for or against it.
            let flags = columns.place.is_none() && !columns.places_only;
            let undecided = flags && !options.say_which_rows();
            if let Some(why) = undecided.then(|| columns.doubt(fields)).flatten() {
                visit.doubt(line, why);
            }
            if rows.leave_out(line, |at| fields.get(at), visit)
                || columns.leave_out(fields, options, line, visit)
            {
                return ControlFlow::Continue(());
            }
        }
        visit.read(line, read)
    })
}

/// Sure if the header is there and most rows after it begin with a prefix. Other
/// tables begin with a column of that name, too: one more has to be of a kind that
/// these databases have.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut splitter = Splitter::new(b',');
    let mut first = |line: &[u8]| {
        let fields = splitter.split(line);
        fields.get(0) == Some(HEADER) && fields.iter().skip(1).any(is_of_a_database)
    };
    if !head.lines().next().is_some_and(&mut first) {
        return Likeness::None;
    }
    head.most_rows(b',', |fields| {
        let network = fields.get(0).unwrap_or_default();
        network == HEADER || network.contains(&b'/') && parse_entry(network).is_ok()
    })
}

fn is_of_a_database(name: &[u8]) -> bool {
    const OTHERS: [&[u8]; 3] = [b"isp", b"connection_type", b"user_type"];
    let plain = plain_name(name);
    name.starts_with(b"is_")
        || name.ends_with(b"geoname_id")
        || OTHERS.contains(&name)
        || is_place_column(&plain)
        || is_code_column(&plain)
}
