//! JSON documents: values picked out by where they stand, read once and without
//! a copy of the document in memory. The grammar is `serde_json`'s (RFC 8259);
//! which values are wanted the formats say, and what becomes of them.

mod outline;
mod path;
mod record;
mod value;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::Deserializer;
use serde_json::value::RawValue;

pub(super) use outline::Outline;
pub use path::{JsonPath, PathError};
pub(super) use value::{address, is_null, text};
use walk::{Asks, Field, Sink, WalkEnd};
pub(super) use walk::{Paths, each};

use super::places::Places;
use super::text::trim;
use super::visit::{Line, Visit};
use super::{Condition, Limits, Options, Shape, Why, lines, structure};
use crate::RejectReason;

/// Keys of a document under which servers say what went wrong.
const ERROR_KEYS: [&str; 4] = ["error", "errors", "message", "detail"];

/// What a record shows that has its address elsewhere than the others.
const ELSEWHERE: &str = "a record has its address in another field than the others";

/// Documents of one kind.
pub(super) struct DocumentKind<'p> {
    /// Where the wanted values stand.
    pub paths: &'p Paths,
    /// How to tell somebody who came with another document.
    pub expected: &'static str,
    /// Which records count, and whether what they say of themselves may put in
    /// doubt what the document means.
    pub records: Records<'p>,
    /// Whether several documents may stand one behind the other.
    pub many: bool,
}

impl<'p> DocumentKind<'p> {
    /// Documents of whose records nothing is asked.
    pub(super) fn of(paths: &'p Paths, expected: &'static str) -> Self {
        Self { paths, expected, records: Records::default(), many: false }
    }

    /// The same, several one behind the other.
    pub(super) const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    /// The same, but what records say of themselves is looked at.
    pub(super) const fn watched(mut self) -> Self {
        self.records.watched = true;
        self
    }
}

/// What is asked of the records that hold wanted values.
#[derive(Clone, Copy, Default)]
pub(super) struct Records<'p> {
    /// Those count that fit all of these.
    pub conditions: &'p [Condition],
    /// Whether other fields are looked at for a verdict.
    pub watched: bool,
}

impl Records<'_> {
    fn asks(self) -> Asks {
        match (self.conditions, self.watched) {
            ([], false) => Asks::Nothing,
            ([], true) => Asks::Records,
            _ => Asks::Around,
        }
    }
}

/// Whether a value counts that stands in these objects, each within the one
/// before, for formats that read their records themselves.
pub(super) fn fits(conditions: &[Condition], around: &[&RawValue]) -> bool {
    let records = Records { conditions, watched: false };
    conditions.is_empty()
        || records.count(&around.iter().filter_map(|raw| fields(raw)).collect::<Vec<_>>())
}

/// The fields of an object.
fn fields(raw: &RawValue) -> Option<Vec<Field<'_>>> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    Some(fields.into_iter().map(|(key, raw)| (Cow::Owned(key), raw)).collect())
}

/// Reads a document in which the wanted values are addresses. They stand where
/// the options say, or else where the kind has them.
pub(super) fn read_addresses(
    bytes: &[u8],
    kind: &DocumentKind<'_>,
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    match options.path.as_deref().map(JsonPath::list) {
        None => {
            let conditions = &options.conditions[..];
            let watched = kind.records.watched && !options.decide_rows();
            let kind = DocumentKind { records: Records { conditions, watched }, ..*kind };
            read(bytes, &kind, limits, visit, address_at)
        }
        Some(Ok(paths)) => {
            let records = Records { conditions: &options.conditions, watched: false };
            let paths = &Paths::from(&paths[..]);
            let kind =
                DocumentKind { paths, expected: "the configured `path`", records, many: kind.many };
            read(bytes, &kind, limits, visit, address_at)
        }
        Some(Err(_)) => refuse(bytes, limits, RejectReason::Path, visit),
    }
}

/// A wanted value that is an address, or `null` for none.
pub(super) fn address_at<'de, V: Visit>(
    _: usize,
    raw: &'de RawValue,
    places: &Places<'de>,
    visit: &mut V,
) -> ControlFlow<()> {
    if is_null(raw) {
        return ControlFlow::Continue(());
    }
    let read = address(raw);
    if read.is_err()
        && let Some(what) = structure_of(raw)
    {
        visit.doubt(places.line_of(raw.get()), Why::Structure(what));
    }
    visit.read(places.line_of(raw.get()), read)
}

/// What a value among addresses shows that is none.
fn structure_of(raw: &RawValue) -> Option<&'static str> {
    match text(raw) {
        Some(text) => structure::of(trim(text.as_bytes())),
        None if raw.get().starts_with(['{', '[']) => {
            Some("something else than text stands among addresses")
        }
        None => None,
    }
}

/// Reads a document and hands over, with the number of its path, every value
/// that stands where the kind has what is wanted.
///
/// A document in which none of the paths begins is one reject, and so is the
/// rest of one that is not JSON from some point on. A text without anything is
/// no document, and no reject.
pub(super) fn read<'de, V: Visit>(
    bytes: &'de [u8],
    kind: &DocumentKind<'_>,
    limits: &Limits,
    visit: &mut V,
    value: impl FnMut(usize, &'de RawValue, &Places<'de>, &mut V) -> ControlFlow<()>,
) -> Shape {
    let (text, mut shape, places) = match open(bytes, limits, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    if text.trim_ascii().is_empty() {
        return shape;
    }
    let mut picked = Picked { places, visit, value, records: kind.records };
    let (end, met) = match str::from_utf8(text) {
        // Checked once, not for every value.
        Ok(text) => {
            walk::whole(&mut Deserializer::from_str(text), kind.paths, kind.many, &mut picked)
        }
        Err(_) => {
            walk::whole(&mut Deserializer::from_slice(text), kind.paths, kind.many, &mut picked)
        }
    };
    let Picked { places, visit, .. } = picked;
    match end {
        WalkEnd::Stopped => shape.over_entries_max = true,
        WalkEnd::Broken(error) => {
            shape.broken_document = true;
            visit.reject(places.line_at(error.line(), error.column()), RejectReason::Json);
        }
        WalkEnd::Whole if !met => {
            return refuse(bytes, limits, unknown(text, kind.expected), visit);
        }
        WalkEnd::Whole => {}
    }
    shape
}

/// Reads a document that is one line of a feed, for an address in it.
pub(super) fn read_record<V: Visit>(
    said: &[u8],
    line: Line<'_>,
    kind: &DocumentKind<'_>,
    visit: &mut V,
) -> ControlFlow<()> {
    let mut record = Record { line, visit, records: kind.records };
    let (end, met) =
        walk::whole(&mut Deserializer::from_slice(said), kind.paths, false, &mut record);
    match end {
        WalkEnd::Stopped => return ControlFlow::Break(()),
        WalkEnd::Broken(_) => visit.reject(line, RejectReason::Json),
        WalkEnd::Whole if !met => visit.reject(line, RejectReason::MissingField),
        WalkEnd::Whole => {}
    }
    ControlFlow::Continue(())
}

/// Rejects a whole document.
pub(super) fn refuse(
    bytes: &[u8],
    limits: &Limits,
    reason: RejectReason,
    visit: &mut impl Visit,
) -> Shape {
    let (text, mut shape, _) = match open(bytes, limits, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    shape.error_document = reason == RejectReason::ErrorDocument;
    visit.reject(
        Line::At { number: 1, text: &text[..text.len().min(limits.line_bytes_max)] },
        reason,
    );
    shape
}

/// Why a document is of no use in which nothing was where it should be.
pub(super) fn unknown(text: &[u8], expected: &'static str) -> RejectReason {
    if tells_error(text) {
        RejectReason::ErrorDocument
    } else {
        RejectReason::Document { expected }
    }
}

/// Whether a server says what went wrong. Where nothing stands under the key,
/// nothing did: `"errors": []`.
fn tells_error(text: &[u8]) -> bool {
    let Ok(fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(text) else {
        let outline = Outline::of(text);
        return ERROR_KEYS.iter().any(|key| outline.has(key));
    };
    let tells = |value: &&RawValue| {
        let told: String = value.get().split_ascii_whitespace().collect();
        !matches!(&told[..], "[]" | "{}" | "null" | "false" | "\"\"")
    };
    ERROR_KEYS.iter().any(|key| fields.get(*key).is_some_and(tells))
}

type Opened<'de> = (&'de [u8], Shape, Places<'de>);

/// The text of a document, and what can be said of it before it is read. Its
/// end is where the last bracket closes, not where a line ends.
fn open<'de>(
    bytes: &'de [u8],
    limits: &Limits,
    visit: &mut impl Visit,
) -> Result<Opened<'de>, Shape> {
    let (text, shape) = lines::open(bytes, visit)?;
    let places = Places::of(text, limits);
    let shape = Shape { lines: places.lines(), unfinished_line: false, ..shape };
    Ok((text, shape, places))
}

/// Whoever gets the values of a document, with the places where they stand.
struct Picked<'v, 'de, V, F> {
    places: Places<'de>,
    visit: &'v mut V,
    value: F,
    records: Records<'v>,
}

impl<'de, V, F> Sink<'de> for Picked<'_, 'de, V, F>
where
    V: Visit,
    F: FnMut(usize, &'de RawValue, &Places<'de>, &mut V) -> ControlFlow<()>,
{
    fn value(&mut self, path: usize, raw: &'de RawValue) -> ControlFlow<()> {
        (self.value)(path, raw, &self.places, self.visit)
    }

    fn lacking(&mut self, near: &'de str) {
        self.visit.reject(self.places.line_of(near), RejectReason::MissingField);
    }

    fn asks(&self) -> Asks {
        self.records.asks()
    }

    fn other_record(&mut self, fields: &[Field<'de>]) {
        if let Some((_, raw)) = self.records.address_elsewhere(fields) {
            self.visit.doubt(self.places.line_of(raw.get()), Why::Structure(ELSEWHERE));
        }
    }

    fn record(&mut self, fields: &[Field<'de>]) {
        let near = fields.first().map_or("", |(_, raw)| raw.get());
        if let Some(why) = self.records.doubt(fields) {
            self.visit.doubt(self.places.line_of(near), why);
        }
    }

    fn counts(&self, around: &[Vec<Field<'de>>]) -> bool {
        self.records.count(around)
    }

    fn left_out(&mut self, near: &'de str) {
        self.visit.left_out(self.places.line_of(near));
    }
}

/// Whoever gets the values of a record, all of which stand in one line.
struct Record<'v, 'l, V> {
    line: Line<'l>,
    visit: &'v mut V,
    records: Records<'v>,
}

impl<'de, V: Visit> Sink<'de> for Record<'_, '_, V> {
    fn value(&mut self, _: usize, raw: &'de RawValue) -> ControlFlow<()> {
        if is_null(raw) {
            return ControlFlow::Continue(());
        }
        let read = address(raw);
        if read.is_err()
            && let Some(what) = structure_of(raw)
        {
            self.visit.doubt(self.line, Why::Structure(what));
        }
        self.visit.read(self.line, read)
    }

    fn lacking(&mut self, _: &'de str) {
        self.visit.reject(self.line, RejectReason::MissingField);
    }

    fn asks(&self) -> Asks {
        self.records.asks()
    }

    fn other_record(&mut self, fields: &[Field<'de>]) {
        if self.records.address_elsewhere(fields).is_some() {
            self.visit.doubt(self.line, Why::Structure(ELSEWHERE));
        }
    }

    fn record(&mut self, fields: &[Field<'de>]) {
        if let Some(why) = self.records.doubt(fields) {
            self.visit.doubt(self.line, why);
        }
    }

    fn counts(&self, around: &[Vec<Field<'de>>]) -> bool {
        self.records.count(around)
    }

    fn left_out(&mut self, _: &'de str) {
        self.visit.left_out(self.line);
    }
}
