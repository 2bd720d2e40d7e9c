//! Where in a JSON document values stand, as people write it into a
//! configuration: `prefixes[].ip_prefix`. Knows no documents.

use std::str::FromStr;

/// The steps from a document to a value.
///
/// Keys with dots between them, `*` for any key, and `[]` behind a key, or at
/// the beginning, for each value of an array: `prefixes[].ip_prefix`, `[].ip`,
/// `*[]`, `regions[].cidrs[].cidr`. A dot at the beginning is allowed, as in
/// jq. Keys that have one of `. [ ] * ,` or a blank in them cannot be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    pub(super) steps: Vec<PathStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathStep {
    /// To the value of a key.
    Key(String),
    /// To the values of all keys.
    AnyKey,
    /// To the values of an array.
    Each,
}

/// A text is not a [`JsonPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path to a field: write keys with dots, `[]` behind arrays, `a.b[].c`")]
pub struct PathError(pub String);

impl JsonPath {
    /// Reads one path, or several with commas between them.
    ///
    /// # Errors
    /// [`PathError`] with the first one that is none.
    pub fn list(text: &str) -> Result<Vec<Self>, PathError> {
        text.split(',').map(|path| path.trim().parse()).collect()
    }
}

impl FromStr for JsonPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError(text.to_owned());
        let mut steps = Vec::new();
        for (number, part) in text.strip_prefix('.').unwrap_or(text).split('.').enumerate() {
            let key = part.trim_end_matches("[]");
            match key {
                "" if number > 0 || part.is_empty() => return Err(wrong()),
                "" => {}
                "*" => steps.push(PathStep::AnyKey),
                _ if key.contains(['[', ']', '*']) => return Err(wrong()),
                _ if key.contains(char::is_whitespace) => return Err(wrong()),
                _ => steps.push(PathStep::Key(key.to_owned())),
            }
            steps.extend((0..(part.len() - key.len()) / 2).map(|_| PathStep::Each));
        }
        Ok(Self { steps })
    }
}

#[cfg(test)]
mod tests {
    use super::PathStep::{AnyKey, Each, Key};
    use super::*;

    fn check(text: &str, want: Option<&[PathStep]>) {
        let got = text.parse::<JsonPath>().map(|path| path.steps);
        assert_eq!(got.as_deref().ok(), want, "{text}");
    }

    #[test]
    fn a_path_is_keys_and_arrays() {
        let key = |key: &str| Key(key.to_owned());
        check("list", Some(&[key("list")]));
        check("list[]", Some(&[key("list"), Each]));
        check("[]", Some(&[Each]));
        check("[].ip", Some(&[Each, key("ip")]));
        check(".a.b[]", Some(&[key("a"), key("b"), Each]));
        check("a[][].*", Some(&[key("a"), Each, Each, AnyKey]));
        check("*[]", Some(&[AnyKey, Each]));
        check("été-1.x_y", Some(&[key("été-1"), key("x_y")]));
        for wrong in
            ["", ".", "a.", "a..b", "a.[]", "a]", "a[0]", "[]a", "a b", "a*", "..a", "a[ ]"]
        {
            check(wrong, None);
        }
        assert_eq!(JsonPath::list("a[], b.c").map(|paths| paths.len()), Ok(2));
        assert_eq!(JsonPath::list("a,,b"), Err(PathError(String::new())));
    }
}
