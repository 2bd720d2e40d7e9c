//! What in a table puts in doubt whom it means to block: columns that decide
//! about their rows, that may belong to the address, or that nobody knows.
//! Knows rows and names; where the addresses stand it is told.

use super::super::super::Why;
use super::super::super::csv::Fields;
use super::super::super::fields as named;
use super::super::super::verdict::{self, WordVerdict};
use super::layout::is_entry;
use crate::{parse_address, token::ipv4};

/// Names of columns that hold the addresses of whom a list is about, in small
/// letters and without what stands between their words.
const ADDRESSES: [&str; 44] = [
    "ip",
    "ips",
    "ipaddress",
    "ipaddr",
    "address",
    "addr",
    "cidr",
    "cidrs",
    "network",
    "prefix",
    "prefixes",
    "subnet",
    "netblock",
    "range",
    "iprange",
    "ipv4",
    "ipv6",
    "host",
    "hostip",
    "srcip",
    "sourceip",
    "srcaddr",
    "sourceaddress",
    "attackerip",
    "attacker",
    "dstip",
    "remoteip",
    "clientip",
    "badip",
    "ioc",
    "indicator",
    "ipv4address",
    "ipv6address",
    "ipprefix",
    "ipcidr",
    "bannedip",
    "blockedip",
    "abuserip",
    "value",
    "net",
    "networkcidr",
    "ipnetwork",
    "ipblock",
    "iporcidr",
];

/// Names of columns that say something of an address and decide nothing.
const NOTES: [&str; 95] = [
    "firstseen",
    "lastseen",
    "firstseenutc",
    "lastseenutc",
    "lastonline",
    "seen",
    "date",
    "time",
    "datetime",
    "timestamp",
    "when",
    "since",
    "created",
    "createdat",
    "updated",
    "updatedat",
    "modified",
    "added",
    "addedat",
    "reported",
    "lastreported",
    "lastreportedat",
    "port",
    "ports",
    "dstport",
    "srcport",
    "protocol",
    "proto",
    "service",
    "country",
    "countrycode",
    "countryname",
    "cc",
    "continent",
    "city",
    "region",
    "state2",
    "postal",
    "zip",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "asn",
    "as",
    "asname",
    "asnum",
    "asorg",
    "aso",
    "autonomoussystemnumber",
    "autonomoussystemorganization",
    "org",
    "organization",
    "organisation",
    "isp",
    "owner",
    "holder",
    "name",
    "netname",
    "rir",
    "registry",
    "sblid",
    "malware",
    "malwarefamily",
    "family",
    "threat",
    "threattype",
    "tag",
    "tags",
    "campaign",
    "actor",
    "category",
    "categories",
    "comment",
    "comments",
    "note",
    "notes",
    "description",
    "reason",
    "reference",
    "references",
    "url",
    "link",
    "source",
    "feed",
    "count",
    "hits",
    "attacks",
    "attempts",
    "reports",
    "numreports",
    "totalreports",
    "id",
    "hostname",
    "domain",
];

/// Names of columns that are a part of the address.
const PARTS: [&str; 22] = [
    "length",
    "len",
    "prefixlen",
    "prefixlength",
    "masklen",
    "masklength",
    "mask",
    "netmask",
    "bits",
    "cidrlength",
    "subnetmask",
    "wildcard",
    "end",
    "last",
    "endip",
    "lastip",
    "to",
    "ipto",
    "rangeend",
    "endaddress",
    "plen",
    "maskbits",
];

/// Names of columns that count the addresses of a network, which has no length then.
const COUNTS: [&str; 6] =
    ["size", "numips", "numaddresses", "ipcount", "addresscount", "wildcardmask"];

/// The doubts about one table.
pub(super) struct Doubts {
    column: Option<usize>,
    /// Of all columns, in small letters; empty if they have none.
    names: Vec<Vec<u8>>,
    shown: Vec<Vec<u8>>,
    /// The columns that the configuration asks for, if it says which rows count:
    /// then only their addresses may be in doubt.
    asked: Option<Vec<usize>>,
}

impl Doubts {
    pub(super) fn new(column: Option<usize>, shown: Vec<Vec<u8>>) -> Self {
        let names = shown.iter().map(|name| verdict::plain_name(name)).collect();
        Self { column, names, shown, asked: None }
    }

    /// Which rows count is said, by what stands in these columns.
    pub(super) fn about_columns(self, asked: Vec<usize>) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// What is in doubt about a row that is no header.
    pub(super) fn about(&self, fields: Fields<'_>) -> Option<Why> {
        let Some(column) = self.column else {
            return Some(columns("several columns hold addresses, or none does alone", fields));
        };
        if let Some(asked) = &self.asked {
            return self.torn(column, asked, fields);
        }
        for (index, field) in fields.iter().enumerate().filter(|&(index, _)| index != column) {
            if let Some(why) = self.deciding(index, field) {
                return Some(why);
            }
        }
        let named = self.names.get(column).map(|name| is_one_of(&ADDRESSES, name));
        match named {
            Some(false) => {
                return Some(columns(
                    "the column with addresses has a name that says nothing",
                    fields,
                ));
            }
            None if fields.len() > 1 => {}
            _ => {}
        }
        for (index, field) in fields.iter().enumerate().filter(|&(index, _)| index != column) {
            if is_address(field) {
                return Some(columns("a second column holds addresses", fields));
            }
            if let Some(what) = self.unclear(index, field) {
                return Some(columns(what, fields));
            }
            let counts = self.names.get(index).is_some_and(|name| is_one_of(&COUNTS, name));
            if counts && fields.get(column).is_some_and(|entry| !entry.contains(&b'/')) {
                return Some(columns("a column may say how many addresses there are", fields));
            }
        }
        None
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
                Some(name) => is_one_of(&PARTS, name),
                None => is_number(field) && fields.get(column).is_some_and(|f| !f.contains(&b'/')),
            };
            let what = "a column may be a length, a mask or the end of a range";
            part.then(|| columns(what, fields))
        })
    }

    /// A doubt about a field that says what is to become of its row.
    fn deciding(&self, index: usize, field: &[u8]) -> Option<Why> {
        let named = self.names.get(index);
        let decides = self.shown.get(index).is_some_and(|name| verdict::is_deciding(name));
        let shown = self.shown.get(index);
        let acts = self.shown.iter().any(|name| named::is_action(name));
        if acts && shown.is_some_and(|name| named::is_scope(name)) && !named::is_whole(field) {
            let name = String::from_utf8_lossy(&self.shown[index]).into_owned();
            let value = String::from_utf8_lossy(&field[..field.len().min(40)]).into_owned();
            let example = format!("{name} = any");
            return Some(Why::Verdict { field: format!("column `{name}`"), value, example });
        }
        let exempts = if shown.is_some_and(|name| named::ends(name)) {
            !named::is_for_ever(field)
        } else if decides {
            !shown.is_some_and(|name| named::blocks_in(name, field))
        } else {
            verdict::plainly(field) == Some(WordVerdict::Exempts)
        };
        if !exempts {
            return None;
        }
        let value = String::from_utf8_lossy(&field[..field.len().min(40)]).into_owned();
        let name = named.map(|_| String::from_utf8_lossy(&self.shown[index]).into_owned());
        let (field, key) = match name {
            Some(name) => (format!("column {} (`{name}`)", index + 1), name),
            None => (format!("column {}", index + 1), (index + 1).to_string()),
        };
        let number = value.parse::<f64>().is_ok();
        let example = if number { format!("{key} > 0") } else { format!("{key} != {value}") };
        Some(Why::Verdict { field, value, example })
    }

    /// Why a field may mean more than a note.
    fn unclear(&self, index: usize, field: &[u8]) -> Option<&'static str> {
        match self.names.get(index) {
            Some(name) if is_one_of(&PARTS, name) => {
                Some("a column may be a length, a mask or the end of a range")
            }
            Some(name) if is_one_of(&NOTES, name) || name.is_empty() => None,
            Some(_) if self.shown.get(index).is_some_and(|name| decides_or_notes(name)) => None,
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

/// Whether a column's own doubts were asked for, or it is a note by its last word.
fn decides_or_notes(name: &[u8]) -> bool {
    const LAST: [&str; 22] = [
        "seen",
        "date",
        "time",
        "count",
        "name",
        "dns",
        "rdns",
        "ptr",
        "country",
        "city",
        "region",
        "asn",
        "org",
        "isp",
        "url",
        "id",
        "port",
        "comment",
        "note",
        "description",
        "reason",
        "domain",
    ];
    let mut words = name.split(|byte| !byte.is_ascii_alphanumeric());
    let last = words.next_back().unwrap_or_default();
    let noted = LAST.iter().any(|word| last.eq_ignore_ascii_case(word.as_bytes()));
    let says = words.any(|word| verdict::of_word(word).is_some());
    verdict::is_deciding(name) || named::ends(name) || noted && !says
}

/// Whether a column of this name holds a part of an address that stands in
/// another one: a length, a mask, the end of a range.
pub(in super::super::super) fn is_part_of_address(name: &[u8]) -> bool {
    is_one_of(&PARTS, &verdict::plain_name(name))
}

/// Whether a column of this name holds the addresses of whom a list is about.
pub(in super::super::super) fn is_address_column(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && is_one_of(&ADDRESSES, &verdict::plain_name(name))
}

fn is_one_of(known: &[&str], name: &[u8]) -> bool {
    known.iter().any(|known| known.as_bytes() == name)
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
