//! What is in a document, without the values: the paths to everything near its
//! top, by which kinds of documents are told apart. Made of the beginning of
//! the text, which may break off anywhere.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Paths with more steps are not looked at.
const DEPTH_MAX: usize = 6;
/// Nor more different ones than that: keys may be data.
const PATHS_MAX: usize = 256;

/// The paths of a document, as [`JsonPath`](super::JsonPath) writes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    paths: BTreeSet<String>,
    is_json: bool,
}

impl Outline {
    /// The outline of the first document in `text`.
    pub(crate) fn of(text: &[u8]) -> Self {
        let text = text.trim_ascii_start();
        if !matches!(text.first(), Some(b'{' | b'[')) {
            return Self::default();
        }
        let mut paths = BTreeSet::new();
        let mut path = String::new();
        let mut reader = serde_json::Deserializer::from_slice(text);
        let step = Step { paths: &mut paths, path: &mut path, depth: 0 };
        let is_json = match step.deserialize(&mut reader) {
            Ok(()) => true,
            // Other texts begin with brackets too, and with a number in them.
            Err(error) => error.is_eof() || (!paths.is_empty() && opens(text)),
        };
        Self { paths, is_json }
    }

    /// Whether the text is JSON as far as it goes, an object or an array.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Whether there is nothing in it, as far as it goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether there is something at this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether there is something at all of the paths of one of these rows.
    pub(crate) fn has_any(&self, rows: &[&[&str]]) -> bool {
        rows.iter().any(|row| row.iter().all(|path| self.has(path)))
    }

    /// Whether there is an array at this path with plain values only.
    pub(crate) fn has_values(&self, array: &str) -> bool {
        let values = format!("{array}[]");
        self.has(&values)
            && !self.paths.iter().any(|p| p.len() > values.len() && p.starts_with(&values))
    }
}

/// Whether something of a JSON document stands behind the first bracket, that
/// is rarely anywhere else.
fn opens(text: &[u8]) -> bool {
    text.get(1..).is_some_and(|rest| matches!(rest.trim_ascii_start(), [b'"' | b'{' | b'[', ..]))
}

/// One step below a value.
struct Step<'o> {
    paths: &'o mut BTreeSet<String>,
    path: &'o mut String,
    depth: usize,
}

impl Step<'_> {
    /// A step further down, to be dropped when it was gone. `None` if it is not
    /// worth it.
    fn down(&mut self, name: &str) -> Option<Step<'_>> {
        if !self.path.is_empty() && name != "[]" {
            self.path.push('.');
        }
        self.path.push_str(name);
        let room = self.paths.len() < PATHS_MAX;
        if room && !self.paths.contains(&*self.path) {
            self.paths.insert(self.path.clone());
        }
        let depth = self.depth + 1;
        (room && depth < DEPTH_MAX).then_some(Step { paths: self.paths, path: self.path, depth })
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let above = self.path.len();
        while let Some(key) = map.next_key::<String>()? {
            match self.down(&key) {
                Some(step) => map.next_value_seed(step)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            self.path.truncate(above);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
        let above = self.path.len();
        loop {
            // The path is named before it is known that there is a value.
            let named = self.paths.len();
            let next = match self.down("[]") {
                Some(step) => values.next_element_seed(step).map(|more| more.is_some()),
                None => values.next_element::<IgnoredAny>().map(|more| more.is_some()),
            };
            self.path.truncate(above);
            match next {
                Ok(true) => {}
                nothing => {
                    if named < self.paths.len() {
                        self.paths.remove(&format!("{}[]", self.path));
                    }
                    return nothing.map(drop);
                }
            }
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_json: bool, paths: &[&str]) {
        let outline = Outline::of(text.as_bytes());
        assert_eq!(outline.is_json, is_json, "{text}");
        let got: Vec<&str> = outline.paths.iter().map(String::as_str).collect();
        assert_eq!(got, paths, "{text}");
    }

    #[test]
    fn an_outline_is_all_paths_near_the_top() {
        check(
            "{\"a\":[{\"b\":1},{\"c\":null}],\"d\":{}}",
            true,
            &["a", "a[]", "a[].b", "a[].c", "d"],
        );
        check("[\"x\",2,true]", true, &["[]"]);
        check("[[],[1]]", true, &["[]", "[][]"]);
        check("[]", true, &[]);
        check(" {\"a\":{\"b\":[1,", true, &["a", "a.b", "a.b[]"]);
        check("{\"a\":1}{\"b\":1}", true, &["a"]);
        check("{\"a\":1,oops", true, &["a"]);
        check("{\"", true, &[]);
        check("[section]", false, &[]);
        check("[{'sshd': []}]", false, &[]);
        check("[2001:db8::1]:443", false, &["[]"]);
        check("\"a\"", false, &[]);
        check("", false, &[]);
        check(
            "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":1}}}}}}}",
            true,
            &["a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "a.b.c.d.e.f"],
        );
    }

    #[test]
    fn an_outline_of_many_keys_or_great_depth_stays_small() {
        let keys: Vec<String> = (0..10_000).map(|n| format!("\"{n}\":{{\"a\":1}}")).collect();
        let outline = Outline::of(format!("{{{}}}", keys.join(",")).as_bytes());
        assert_eq!(outline.paths.len(), PATHS_MAX);
        assert!(Outline::of("[".repeat(1_000_000).as_bytes()).is_json());
    }
}
