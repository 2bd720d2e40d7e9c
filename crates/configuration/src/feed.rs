//! One `[[feed]]` table: how the feeds that its glob matches are read and
//! guarded.

use std::time::Duration;

use blocklist::{Column, Condition, ConditionError, Format, FormatChoice, Glob, JsonPath};
use intake::{GuardOverrides, WhenStale};
use jiff::{Span, SpanRelativeTo};

use super::glob::glob;
use super::guard;
use super::limits;
use super::mistake::Place;
use super::section::{Section, Text};

/// Options for the feeds that match.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedConfig {
    /// Which feeds.
    pub matches: Glob,
    /// Their format; `None` leaves it to the program, as `"auto"` does.
    pub format: Option<FormatChoice>,
    /// In which column of a table the addresses stand.
    pub column: Option<Column>,
    /// In which column the last addresses of ranges stand.
    pub last_column: Option<Column>,
    /// In which column the lengths of prefixes stand.
    pub length_column: Option<Column>,
    /// In which fields of a JSON document they stand.
    pub path: Option<String>,
    /// Which of several sets or lists count.
    pub select: Option<Vec<String>>,
    /// Which rows count, all of these.
    pub conditions: Option<Vec<Condition>>,
    /// How old a file may be before it counts as stale.
    pub max_age: Option<Duration>,
    /// What becomes of a feed that is stale.
    pub when_stale: Option<WhenStale>,
    /// Whether there may be no such feed.
    pub optional: bool,
    /// Guards.
    pub guard: GuardOverrides,
    /// Where its table begins.
    pub at: Place,
}

/// Reads one table. `None` if it has no usable glob, after that was noted.
pub(super) fn read(mut section: Section<'_, '_>) -> Option<FeedConfig> {
    section.require("match", "a glob on the names of the feeds that the table is for is needed");
    let matches = section.text("match").and_then(|Text { text, at }| {
        glob(text).map_err(|message| section.note(at, "match", message)).ok()
    });
    let formats = Format::ALL.iter().map(|&format| (format.name(), FormatChoice::Fixed(format)));
    let formats: Vec<_> = [("auto", FormatChoice::Auto)].into_iter().chain(formats).collect();
    let format = section.choice("format", &formats);
    let [column, last_column, length_column] =
        [&limits::COLUMN, &limits::LAST_COLUMN, &limits::LENGTH_COLUMN]
            .map(|limit| column(&mut section, limit));
    let path = path(&mut section);
    let select =
        section.texts("select").map(|texts| texts.into_iter().map(|t| t.text.to_owned()).collect());
    let conditions = conditions(&mut section);
    let columns = [&column, &last_column, &length_column];
    keep_short(&section, columns, path.as_deref(), select.as_deref(), conditions.as_deref());
    let max_age = max_age(&mut section);
    let when_stale =
        section.choice("when-stale", &[("keep", WhenStale::Keep), ("drop", WhenStale::Drop)]);
    let optional = section.flag("optional").unwrap_or_default();
    let guard = guard::read(&mut section);
    let at = section.begins();
    section.finish();
    let matches = matches?;
    Some(FeedConfig {
        matches,
        format,
        column,
        last_column,
        length_column,
        path,
        select,
        conditions,
        max_age,
        when_stale,
        optional,
        guard,
        at,
    })
}

/// Paths to fields of a JSON document, with commas between them.
fn path(section: &mut Section<'_, '_>) -> Option<String> {
    let Text { text, at } = section.text("path")?;
    let paths = JsonPath::list(text).map_err(|error| section.note(at, "path", error.to_string()));
    paths.ok().map(|_| text.to_owned())
}

/// Conditions on rows, those that can be understood.
fn conditions(section: &mut Section<'_, '_>) -> Option<Vec<Condition>> {
    let texts = section.texts("where")?;
    let read = texts.into_iter().filter_map(|Text { text, at }| {
        text.parse()
            .map_err(|error: ConditionError| section.note(at, "where", error.to_string()))
            .ok()
    });
    Some(read.collect())
}

/// Notes that a table says more about reading than fits into a copy's header.
fn keep_short(
    section: &Section<'_, '_>,
    columns: [&Option<Column>; 3],
    path: Option<&str>,
    select: Option<&[String]>,
    conditions: Option<&[Condition]>,
) {
    let names = columns.into_iter().map(|column| match column {
        Some(Column::Name(name)) => name.len(),
        Some(Column::Number(_)) | None => 0,
    });
    let sets = select.unwrap_or_default().iter().map(String::len);
    let rows = conditions.unwrap_or_default().iter().map(|row| row.to_string().len());
    let bytes = names.chain(sets).chain(rows).sum::<usize>() + path.map_or(0, str::len);
    let max = limits::READING_BYTES_MAX;
    if bytes > max {
        let keys = "`column`, `last-column`, `length-column`, `path`, `select` and `where`";
        let message = format!("{keys} have {bytes} bytes together, at most {max} fit");
        section.note(section.offset(), "match", message);
    }
}

/// A number from 1, or a name.
fn column(section: &mut Section<'_, '_>, limit: &limits::Number) -> Option<Column> {
    let key = limit.key;
    if let (toml::de::DeValue::String(name), at) = section.value(key)? {
        if name.trim().is_empty() {
            section.note(at, key, "is empty, a number from 1 or a name is allowed");
            return None;
        }
        return Some(Column::Name(name.clone().into_owned()));
    }
    let number = section.number(limit)?;
    u16::try_from(number).ok().map(Column::Number)
}

/// A time with its units, `"36h"` or `"7d"`. A day has 24 hours.
fn max_age(section: &mut Section<'_, '_>) -> Option<Duration> {
    let Text { text, at } = section.text("max-age")?;
    let span = text.parse::<Span>().ok();
    let age = span.and_then(|s| s.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let fits = age.filter(|age| (1..=limits::MAX_AGE_SECONDS).contains(&age.as_secs()));
    let duration = fits.and_then(|age| Duration::try_from(age).ok());
    if duration.is_none() {
        let allowed = "a time with its unit is allowed, \"90m\", \"36h\", \"7d\", 366 days at most";
        section.note(at, "max-age", format!("{text:?} is no usable time, {allowed}"));
    }
    duration
}
