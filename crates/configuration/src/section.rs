//! Reading one table, key by key. What is not asked for before the end is an
//! unknown key; so the keys that exist are those that the code reads, and no
//! second list of them can go stale.

use toml::de::{DeTable, DeValue};

use super::limits::{Number, STRINGS_MAX};
use super::mistake::{Mistakes, Place};

/// How alike an unknown key and a known one must be for a hint, 0 to 1.
const ALIKE_MIN: f64 = 0.7;

/// A string of the configuration and the byte offset at which it stands.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// One table while it is read. A key that is absent reads as `None`; so does
/// one with a mistake, after the mistake was noted.
pub(super) struct Section<'s, 'i> {
    name: &'static str,
    at: usize,
    table: &'s DeTable<'i>,
    asked: Vec<&'static str>,
    pub(super) mistakes: &'s Mistakes<'s>,
}

impl<'s, 'i> Section<'s, 'i> {
    /// Begins to read a table. `name` goes before each key in messages; it is
    /// empty for the top of the file. `at` is where the table begins.
    pub(super) fn new(
        name: &'static str,
        at: usize,
        table: &'s DeTable<'i>,
        mistakes: &'s Mistakes<'s>,
    ) -> Self {
        Self { name, at, table, asked: Vec::new(), mistakes }
    }

    /// Notes a mistake at a place, under a key of this table.
    pub(super) fn note(&self, at: usize, key: &str, message: impl Into<String>) {
        let key = self.path(key);
        self.mistakes.note(at, Some(key), message);
    }

    /// The byte offset at which the table begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Where the table begins.
    pub(super) fn begins(&self) -> Place {
        self.mistakes.place(self.at)
    }

    /// A string as it is written, and where.
    pub(super) fn written(&self, text: &Text<'_>) -> (String, Place) {
        (text.text.to_owned(), self.mistakes.place(text.at))
    }

    /// A key with its table, as messages name it.
    fn path(&self, key: &str) -> String {
        let key = key.escape_debug();
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    /// The value of a key and where it stands.
    pub(super) fn value(&mut self, key: &'static str) -> Option<(&'s DeValue<'i>, usize)> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        Some((value.get_ref(), value.span().start))
    }

    /// Notes that a key is missing, if it is.
    pub(super) fn require(&self, key: &'static str, why: &str) {
        if !self.table.contains_key(key) {
            self.note(self.at, key, format!("is missing; {why}"));
        }
    }

    fn wrong_type(&self, key: &str, found: &DeValue<'_>, at: usize, allowed: &str) {
        self.note(at, key, format!("{allowed} is allowed, not {}", article(found)));
    }

    /// A whole number within its limits.
    pub(super) fn number(&mut self, number: &Number) -> Option<u64> {
        let Number { key, min, max, .. } = *number;
        let (value, at) = self.value(key)?;
        let DeValue::Integer(integer) = value else {
            self.wrong_type(key, value, at, "a whole number");
            return None;
        };
        // What does not even fit 128 bits is certainly out of range.
        let parsed = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let within = parsed.and_then(|parsed| u64::try_from(parsed).ok());
        let within = within.filter(|parsed| (min..=max).contains(parsed));
        if within.is_none() {
            self.note(at, key, format!("{integer} is out of range, {min} to {max} is allowed"));
        }
        within
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (value, at) = self.value(key)?;
        if let DeValue::Boolean(flag) = value {
            return Some(*flag);
        }
        self.wrong_type(key, value, at, "true or false");
        None
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str) -> Option<Text<'s>> {
        let (value, at) = self.value(key)?;
        if let DeValue::String(text) = value {
            return Some(Text { text, at });
        }
        self.wrong_type(key, value, at, "a string");
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let Text { text, at } = self.text(key)?;
        let chosen = words.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let allowed = listed(words.iter().map(|(word, _)| *word));
            self.note(at, key, format!("{text:?} is unknown, {allowed} is allowed"));
        }
        chosen
    }

    /// An array of strings.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Text<'s>>> {
        let (value, at) = self.value(key)?;
        let DeValue::Array(array) = value else {
            self.wrong_type(key, value, at, "an array of strings");
            return None;
        };
        if array.len() > STRINGS_MAX {
            self.note(at, key, format!("{} strings, at most {STRINGS_MAX} fit", array.len()));
            return None;
        }
        let mut texts = Vec::with_capacity(array.len());
        for item in array {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => texts.push(Text { text, at }),
                other => self.wrong_type(key, other, at, "a string"),
            }
        }
        Some(texts)
    }

    /// Ends the reading: every key that was not asked for is a mistake.
    pub(super) fn finish(self) {
        let table = self.table;
        for key in table.keys() {
            let (name, at) = (&**key.get_ref(), key.span().start);
            if !self.asked.contains(&name) {
                let hint = self.hint(name);
                self.note(at, name, format!("unknown key, {hint}"));
            }
        }
    }

    /// The known key that is most like this one, or all of them.
    fn hint(&self, unknown: &str) -> String {
        let likeness = |known: &str| strsim::jaro_winkler(unknown, known);
        let nearest = self.asked.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match nearest.filter(|nearest| likeness(nearest) >= ALIKE_MIN) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("{} is allowed", listed(self.asked.iter().copied())),
        }
    }
}

/// A value's type with its article.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// `a, b or c`, each in backticks.
pub(super) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}
