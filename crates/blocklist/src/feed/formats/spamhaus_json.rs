//! The DROP lists of Spamhaus as JSON, an object a line. Source:
//! <https://www.spamhaus.org/drop/drop_v4.json>, `drop_v6.json`, `asndrop.json`.
//!
//! * `{"cidr":"192.0.2.0/24","sblid":"SBL000002","rir":"arin"}` is an entry.
//! * `{"asn":64496,…}` has no addresses and is ignored, so that a list of
//!   nothing else is a good feed without entries.
//! * `{"type":"metadata",…,"records":2,…}`, the last one, says how many others
//!   there are: the promise.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::super::asked::promise;
use super::super::detect::{Head, Likeness};
use super::super::json::fits;
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{RejectReason, parse_entry};

/// The fields that matter.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    cidr: Option<Cow<'a, str>>,
    asn: Option<IgnoredAny>,
    asname: Option<IgnoredAny>,
    rir: Option<IgnoredAny>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    records: Option<u64>,
}

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (mut without_addresses, mut left_out, mut promised) = (0_u64, 0_u64, None);
    let shape = lines::each(bytes, limits, b"", visit, |line, said, visit| {
        match serde_json::from_slice(said) {
            Ok(Record { cidr: Some(cidr), .. }) => {
                if !counts(said, options) {
                    left_out += 1;
                    visit.left_out(line);
                    return ControlFlow::Continue(());
                }
                return visit.read(line, parse_entry(cidr.trim().as_bytes()));
            }
            Ok(Record { asn: Some(_), .. }) => without_addresses += 1,
            Ok(Record { kind: Some(kind), records, .. }) if kind == "metadata" => {
                promised = records;
            }
            _ => return visit.read(line, Err(RejectReason::Foreign)),
        }
        visit.ignore(line);
        ControlFlow::Continue(())
    });
    if let Some(records) = promised {
        promise(records.saturating_sub(without_addresses), left_out, visit);
    }
    shape
}

/// Whether a record fits what is asked of it.
fn counts(record: &[u8], options: &Options) -> bool {
    let raw = || serde_json::from_slice::<&RawValue>(record);
    options.conditions.is_empty() || raw().is_ok_and(|raw| fits(&options.conditions, &[raw]))
}

/// Sure if most lines are such records.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"", |line| {
        let record = serde_json::from_slice::<Record<'_>>(line);
        line.starts_with(b"{")
            && record.is_ok_and(|record| {
                let network =
                    record.asn.is_some() && (record.asname.is_some() || record.rir.is_some());
                record.cidr.is_some() || network || record.records.is_some()
            })
    })
}
