//! Conditions on rows of tables and records of documents, as people write them
//! into a configuration: `confidence >= 90`. Knows no tables and no documents.

use std::fmt;
use std::str::FromStr;

/// Which rows count: those whose field has a value that fits.
///
/// A field, an operator and what to compare with: `=`, `!=`, `<`, `<=`, `>`,
/// `>=`, `in A,B`, `not in A,B`, or `exists` alone. What is a number on both
/// sides is compared as one, all else as text, in exactly this case; `<` and the
/// like are for numbers only. A row without the field never fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: String,
    /// A column by number or name, or the path of a field.
    field: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Less(String),
    LessOrEqual(String),
    More(String),
    MoreOrEqual(String),
    Exists,
}

/// A text is not a [`Condition`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no condition: write a field, one of =, !=, <, <=, >, >=, in, not in, exists, and \
     what to compare with, `confidence >= 90`"
)]
pub struct ConditionError(pub String);

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let wrong = || ConditionError(text.to_owned());
        let (field, asked) = parts(text.trim()).ok_or_else(wrong)?;
        let field = field.trim();
        if field.is_empty() {
            Err(wrong())
        } else {
            Ok(Self { text: text.to_owned(), field: field.to_owned(), test: asked })
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

/// The field and the test, if both are there.
fn parts(text: &str) -> Option<(&str, Test)> {
    if let Some(field) = text.strip_suffix(" exists") {
        return Some((field, Test::Exists));
    }
    if let Some((field, values)) = text.split_once(" not in ") {
        return Some((field, Test::NotIn(list(values)?)));
    }
    if let Some((field, values)) = text.split_once(" in ") {
        return Some((field, Test::In(list(values)?)));
    }
    let at = text.find(['=', '<', '>', '!'])?;
    let (field, rest) = text.split_at(at);
    let (operator, value) = ["!=", "<=", ">=", "==", "=", "<", ">"]
        .iter()
        .find_map(|o| Some((*o, rest.strip_prefix(o)?)))?;
    let value = value.trim().to_owned();
    let number = || value.parse::<f64>().ok().map(|_| value.clone());
    let asked = match operator {
        "!=" => Test::NotIn(vec![value]),
        "<" => Test::Less(number()?),
        "<=" => Test::LessOrEqual(number()?),
        ">" => Test::More(number()?),
        ">=" => Test::MoreOrEqual(number()?),
        _ => Test::In(vec![value]),
    };
    Some((field, asked))
}

fn list(text: &str) -> Option<Vec<String>> {
    let values: Vec<String> = text.split(',').map(|value| value.trim().to_owned()).collect();
    (!values.iter().all(String::is_empty)).then_some(values)
}

impl Condition {
    /// The column or the path that it is about.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether a row fits that has this value in the field, or none.
    pub fn fits(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return false };
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let order = |bound: &str| number(value).zip(number(bound));
        let same = |other: &String| match (number(value), number(other)) {
            (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
            _ => value == other,
        };
        match &self.test {
            Test::In(values) => values.iter().any(same),
            Test::NotIn(values) => !values.iter().any(same),
            Test::Less(bound) => order(bound).is_some_and(|(value, bound)| value < bound),
            Test::LessOrEqual(bound) => order(bound).is_some_and(|(value, bound)| value <= bound),
            Test::More(bound) => order(bound).is_some_and(|(value, bound)| value > bound),
            Test::MoreOrEqual(bound) => order(bound).is_some_and(|(value, bound)| value >= bound),
            Test::Exists => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, fits: &[&str], not: &[&str]) {
        let condition: Condition = text.parse().expect(text);
        assert!(fits.iter().all(|value| condition.fits(Some(value))), "{text}");
        assert!(!not.iter().any(|value| condition.fits(Some(value))), "{text}");
        assert!(!condition.fits(None), "{text}");
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_all_else_as_text() {
        check("confidence >= 90", &["90", "100", "90.0"], &["9", "89.9", "high", ""]);
        check("score>0", &["1", "0.1"], &["0", "-1"]);
        check("n <= 5", &["5", "-5"], &["6"]);
        check("n < 5", &["4"], &["5"]);
        check("n = 5", &["5", "5.0", "05"], &["50", "x"]);
        check("country in CN, RU", &["CN", "RU"], &["cn", "DE", ""]);
        check("country not in CN,RU", &["DE", ""], &["CN"]);
        check("status != active", &["dead"], &["active"]);
        check("is_active = true", &["true"], &["false", "True"]);
        check("type exists", &["", "x"], &[]);
    }

    #[test]
    fn what_is_no_condition_says_how_to_write_one() {
        for text in ["", "x", "= 5", "x <", "x > high", "x in ", "in a,b"] {
            let error = text.parse::<Condition>().expect_err(text).to_string();
            assert!(error.contains(">= 90"), "{error}");
        }
    }
}
