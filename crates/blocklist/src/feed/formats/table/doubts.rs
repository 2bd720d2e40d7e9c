//! What in a table puts in doubt whom it means to block: columns that decide
//! about their rows, that may belong to the address, or that nobody knows.
//! Knows rows and names; where the addresses stand it is told.

use super::super::super::Why;
use super::super::super::csv::Fields;
use super::super::super::verdict::{self, Verdict};
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
const NOTES: [&str; 96] = [
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
    "until",
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

/// The doubts about one table.
pub(super) struct Doubts {
    column: Option<usize>,
    /// Of all columns, in small letters; empty if they have none.
    names: Vec<Vec<u8>>,
    shown: Vec<Vec<u8>>,
}

impl Doubts {
    pub(super) fn new(column: Option<usize>, shown: Vec<Vec<u8>>) -> Self {
        let names = shown.iter().map(|name| verdict::plain_name(name)).collect();
        Self { column, names, shown }
    }

    /// What is in doubt about a row that is no header.
    pub(super) fn about(&self, fields: Fields<'_>) -> Option<Why> {
        let Some(column) = self.column else {
            return Some(columns("several columns hold addresses, or none does alone", fields));
        };
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
        }
        None
    }

    /// A doubt about a field that says what is to become of its row.
    fn deciding(&self, index: usize, field: &[u8]) -> Option<Why> {
        let named = self.names.get(index);
        let decides = self.shown.get(index).is_some_and(|name| verdict::is_deciding(name));
        let exempts = if decides {
            !verdict::blocks(field)
        } else {
            verdict::plainly(field) == Some(Verdict::Exempts)
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
            Some(_) if self.shown.get(index).is_some_and(|name| verdict::is_deciding(name)) => None,
            // Of a column of unknown meaning, times and the like decide nothing.
            _ if field.is_empty() || is_time(field) => None,
            Some(_) if is_number(field) => None,
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

fn is_one_of(known: &[&str], name: &[u8]) -> bool {
    known.iter().any(|known| known.as_bytes() == name)
}

/// An address or prefix other than a netmask.
fn is_address(field: &[u8]) -> bool {
    let mask = ipv4::parse(field).ok().and_then(ipv4::mask_length).is_some();
    is_entry(field) && !(mask && parse_address(field).is_err())
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
