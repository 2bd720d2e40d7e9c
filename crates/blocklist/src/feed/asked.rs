//! What the configuration asks of rows: conditions, countries, networks. Which
//! rows count is said here once, for the tables of all formats; where in a row
//! something stands, the formats know.

use super::country::CountryRule;
use super::visit::{Line, Visit};
use super::{Column, Condition, Format, Options, Why};

/// The conditions, each with its column. One without is never met.
pub(super) struct Where<'o> {
    conditions: Vec<(Option<usize>, &'o Condition)>,
}

impl<'o> Where<'o> {
    /// `place` knows the columns by their names, from 0.
    pub(super) fn new(options: &'o Options, place: impl Fn(&str) -> Option<usize>) -> Self {
        let column = |field: &str| match Column::of(field) {
            Column::Number(number) => usize::from(number).checked_sub(1),
            Column::Name(name) => place(&name),
        };
        let of = |condition: &'o Condition| (column(condition.field()), condition);
        Self { conditions: options.conditions.iter().map(of).collect() }
    }

    /// The columns that are asked.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.conditions.iter().filter_map(|(column, _)| *column)
    }

    /// Whether a row is left out, which is said then. An empty field is none.
    pub(super) fn leave_out<'f>(
        &self,
        line: Line<'_>,
        field: impl Fn(usize) -> Option<&'f [u8]>,
        visit: &mut impl Visit,
    ) -> bool {
        if self.conditions.is_empty() {
            return false;
        }
        if let Some((_, condition)) = self.conditions.iter().find(|(column, _)| column.is_none()) {
            let why = format!(
                "there is no column `{}`; columns have numbers from 1, or names in a header",
                condition.field()
            );
            visit.doubt(line, Why::Asked { key: "where", why });
        }
        let fits = self.conditions.iter().all(|(column, condition)| {
            let value = column.and_then(&field).filter(|value| !value.is_empty());
            condition.fits(value.map(String::from_utf8_lossy).as_deref())
        });
        if !fits {
            visit.left_out(line);
        }
        !fits
    }
}

/// A table of countries, for whoever asks which of them count.
#[derive(Clone, Copy)]
pub(super) struct CountryTable {
    /// What the file is, as the beginning of a sentence.
    pub what: &'static str,
    /// Whether the file may as well be meant as a list of all that is in it.
    pub whole: bool,
}

impl CountryTable {
    /// Whether a row of this country is left out, which is said then. Where
    /// nobody has said which countries count, it is in doubt.
    pub(super) fn leave_out(
        self,
        options: &Options,
        code: &[u8],
        line: Line<'_>,
        visit: &mut impl Visit,
    ) -> bool {
        if !options.countries.is_empty() {
            let taken = CountryRule::take(&options.countries, code);
            if !taken {
                visit.left_out(line);
            }
            return !taken;
        }
        if options.conditions.is_empty() && !visit.is_in_doubt() {
            visit.doubt(line, self.doubt(code));
        }
        false
    }

    /// The doubt which countries count, for a row of this one.
    pub(super) fn doubt(self, code: &[u8]) -> Why {
        let code = str::from_utf8(code).ok().filter(|code| code.parse::<CountryRule>().is_ok());
        let Self { what, whole } = self;
        Why::Countries { what, example: code.unwrap_or("KP").to_owned(), whole }
    }
}

/// Whether a row of networks with these numbers is left out, which is said then.
/// Addresses of several networks count if all of these do: nobody knows which of
/// them has sent a packet. Where nobody has said which networks count, it is in
/// doubt.
pub(super) fn leave_out_networks(
    options: &Options,
    what: &'static str,
    numbers: impl Iterator<Item = u32>,
    line: Line<'_>,
    visit: &mut impl Visit,
) -> bool {
    let mut numbers = numbers.peekable();
    let first = numbers.peek().copied();
    if options.name_networks() {
        let taken = first.is_some() && numbers.all(|number| options.takes_network(number));
        if !taken {
            visit.left_out(line);
        }
        return !taken;
    }
    if options.conditions.is_empty() && !visit.is_in_doubt() {
        let example = first.filter(|&number| number != 0).unwrap_or(64_500);
        visit.doubt(line, Why::Networks { what, example: format!("AS{example}") });
    }
    false
}

/// Tells what a feed says of how many entries it has, without the rows that are
/// left out. If nothing is left it says nothing: that is not what the feed meant.
pub(super) fn promise(promised: u64, left_out: u64, visit: &mut impl Visit) {
    let entries = promised.saturating_sub(left_out);
    if entries > 0 || left_out == 0 {
        visit.promise(entries);
    }
}

/// A doubt if the configuration asks something of rows that a format does not
/// have: to read on as if it had not would take all of them.
pub(super) fn unheard(format: Format, options: &Options) -> Option<Why> {
    let asked = |key, why: &str| {
        let why = format!("{why}; name another `format` for it, or leave `{key}` out");
        Some(Why::Asked { key, why })
    };
    if !options.conditions.is_empty() && !has_fields(format) {
        return asked("where", &format!("the format {format} has no fields that can be asked for"));
    }
    if !options.countries.is_empty() && !has_countries(format) {
        let why = format!("the format {format} has no countries, ask by `where` if it has fields");
        return asked("countries", &why);
    }
    let key = if options.asns.is_empty() { "asn-feed" } else { "asns" };
    if options.name_networks() && !has_networks(format) {
        let why = format!("the format {format} has no networks, ask by `where` if it has fields");
        return asked(key, &why);
    }
    let unread = |key| Some(Why::Asked { key, why: "that file has not been read".to_owned() });
    if options.asn_feed.is_some() && options.listed_asns.is_none() {
        return unread("asn-feed");
    }
    let places = options.locations.is_some() && options.places.is_none();
    if places && format == Format::Maxmind { unread("locations") } else { None }
}

/// Whether `where` has something to ask for: columns, or keys.
const fn has_fields(format: Format) -> bool {
    matches!(
        format,
        Format::Ipsum
            | Format::SpamhausJson
            | Format::Crowdsec
            | Format::Abuseipdb
            | Format::CloudRanges
            | Format::Misp
            | Format::Json
            | Format::CrowdsecCsv
            | Format::Dshield
            | Format::Feodo
            | Format::Ranges
            | Format::Delegated
            | Format::Maxmind
            | Format::Geofeed
            | Format::Table
            | Format::MispEvent
            | Format::Stix
            | Format::Iprep
            | Format::Endpoints
            | Format::ZeekIntel
    ) || has_networks(format)
}

/// Whether `countries` says something about its rows.
const fn has_countries(format: Format) -> bool {
    matches!(
        format,
        Format::Delegated | Format::Geofeed | Format::Ranges | Format::Maxmind | Format::Table
    )
}

/// Whether `asns` and `asn-feed` do.
const fn has_networks(format: Format) -> bool {
    matches!(format, Format::Pfx2as | Format::Iptoasn | Format::MaxmindAsn)
}
