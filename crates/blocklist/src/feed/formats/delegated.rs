//! Delegated statistics of the regional registries, plain and extended:
//! `apnic|AU|ipv4|192.0.2.0|256|20110811|allocated`. Source: RIR statistics
//! exchange format, <https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/>.
//!
//! * The fifth field is a number of addresses for `ipv4`, which need not be a
//!   power of two, and a prefix length for `ipv6`.
//! * Entries are the records that were given to somebody, `allocated` or
//!   `assigned`. `available` and `reserved` ones, `asn` records, the version
//!   line and the summaries are ignored.
//! * The summaries' numbers of records are the promise.
//! * The second field is a country. They say where networks are registered, not
//!   whom to block: `countries` does.
//! * `#` begins a line of comment.

use std::ops::ControlFlow;

use super::super::asked::{CountryTable, Where, promise};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::token::range_entry;
use crate::{Address, Entry, RejectReason, parse_entry, token::ipv4};

/// What one line is.
enum Record {
    Entry(Entry),
    /// Addresses that nobody has.
    Unassigned,
    /// How many records of addresses there are.
    Summary(u64),
    /// Something without addresses.
    Other,
}

const TABLE: CountryTable = CountryTable { what: "the statistics of a registry", whole: false };

/// The fields of a record, by the names that the source has for them.
const FIELDS: [&str; 7] = ["registry", "cc", "type", "start", "value", "date", "status"];

/// Reads all records, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let rows = Where::new(options, |name| {
        FIELDS.iter().position(|field| *field == name).or((name == "country").then_some(1))
    });
    let (mut promised, mut unassigned, mut left_out) = (None, 0_u64, 0_u64);
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = fields(said);
        match record(&fields) {
            Ok(Record::Entry(entry)) => {
                let country = fields.get(1).unwrap_or_default();
                if rows.leave_out(line, |at| fields.get(at), visit)
                    || TABLE.leave_out(options, country, line, visit)
                {
                    left_out += 1;
                    return ControlFlow::Continue(());
                }
                return visit.entry(line, entry);
            }
            Err(reason) => return visit.read(line, Err(reason)),
            Ok(Record::Unassigned) => unassigned += 1,
            Ok(Record::Summary(records)) => {
                promised = Some(records.saturating_add(promised.unwrap_or(0)));
            }
            Ok(Record::Other) => {}
        }
        visit.ignore(line);
        ControlFlow::Continue(())
    });
    if let Some(records) = promised {
        promise(records.saturating_sub(unassigned), left_out, visit);
    }
    shape
}

/// Sure if most lines are records.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| record(&fields(line)).is_ok())
}

/// The first fields of a line.
struct Fields<'a> {
    fields: [&'a [u8]; FIELDS.len()],
    count: usize,
}

impl<'a> Fields<'a> {
    fn get(&self, at: usize) -> Option<&'a [u8]> {
        self.fields.get(at).filter(|_| at < self.count).copied()
    }
}

fn fields(line: &[u8]) -> Fields<'_> {
    let mut found = Fields { fields: [&b""[..]; FIELDS.len()], count: 0 };
    for (field, text) in found.fields.iter_mut().zip(line.split(|&byte| byte == b'|')) {
        *field = text.trim_ascii();
        found.count += 1;
    }
    found
}

fn record(line: &Fields<'_>) -> Result<Record, RejectReason> {
    let Fields { fields, count } = line;
    let [registry, _, kind, start, value, _, status] = *fields;
    match (kind, start, value, status) {
        _ if *count < 6 => Err(RejectReason::Foreign),
        // The version line has a date in the third field.
        _ if registry.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') => {
            Ok(Record::Other)
        }
        (b"asn", ..) => Ok(Record::Other),
        (b"ipv4" | b"ipv6", b"*", records, _) => Ok(Record::Summary(number(records)?)),
        (b"ipv4" | b"ipv6", _, _, b"available" | b"reserved") => Ok(Record::Unassigned),
        (b"ipv4", start, count, b"allocated" | b"assigned") => {
            counted(start, number(count)?).map(Record::Entry)
        }
        (b"ipv6", start, length, b"allocated" | b"assigned") => {
            parse_entry(&[start, b"/", length].concat()).map(Record::Entry)
        }
        _ => Err(RejectReason::Foreign),
    }
}

/// So many addresses from `start` on.
fn counted(start: &[u8], count: u64) -> Result<Entry, RejectReason> {
    let first = ipv4::parse(start)?;
    let steps = count.checked_sub(1).and_then(|steps| u32::try_from(steps).ok());
    let last = steps.and_then(|steps| first.checked_add(steps)).ok_or(RejectReason::Number)?;
    range_entry(first.to_ip(), last.to_ip())
}

fn number(text: &[u8]) -> Result<u64, RejectReason> {
    let digits = str::from_utf8(text).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(RejectReason::Number)
}
