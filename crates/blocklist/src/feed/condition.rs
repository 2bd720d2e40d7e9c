//! Conditions on rows of tables and records of documents, as people write them
//! into a configuration: `confidence >= 90`. Knows no tables and no documents.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Which rows count: those whose field has a value that fits.
///
/// A field, an operator and what to compare with: `=`, `!=`, `<`, `<=`, `>`,
/// `>=`, `in A,B`, `not in A,B`, or `exists` alone. What is a number on both
/// sides is compared as one, all else as text, in exactly this case; `<` and the
/// like are for numbers only. Quotes around a value keep commas and blanks in it.
/// A row without the field never fits.
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

/// The field and the test, if both are there. The first operator counts: behind
/// it anything may stand, `note = made in china`.
fn parts(text: &str) -> Option<(&str, Test)> {
    let sign = text.find(['=', '<', '>', '!']);
    let outside = text.find(" not in ");
    let inside = text.find(" in ");
    let Some(at) = [sign, outside, inside].into_iter().flatten().min() else {
        let field = text.strip_suffix(" exists")?;
        return (!field.ends_with(" not")).then_some((field, Test::Exists));
    };
    let (field, rest) = text.split_at(at);
    if let Some(values) = rest.strip_prefix(" not in ") {
        return Some((field, Test::NotIn(list(values)?)));
    }
    if let Some(values) = rest.strip_prefix(" in ") {
        return Some((field, Test::In(list(values)?)));
    }
    let (operator, value) = ["!=", "<=", ">=", "==", "=", "<", ">"]
        .iter()
        .find_map(|o| Some((*o, rest.strip_prefix(o)?.trim())))?;
    let number = || Number::of(value).map(|_| value.to_owned());
    let text = || (!value.is_empty()).then(|| vec![unquoted(value).to_owned()]);
    let asked = match operator {
        "!=" => Test::NotIn(text()?),
        "<" => Test::Less(number()?),
        "<=" => Test::LessOrEqual(number()?),
        ">" => Test::More(number()?),
        ">=" => Test::MoreOrEqual(number()?),
        _ => Test::In(text()?),
    };
    Some((field, asked))
}

/// Values with commas between them, but for commas between quotes.
fn list(text: &str) -> Option<Vec<String>> {
    let mut quote = None;
    let values = text.split(|c: char| {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        c == ',' && quote.is_none()
    });
    let values: Vec<String> = values.map(|value| value.trim().to_owned()).collect();
    let all = values.iter().all(|value| !value.is_empty());
    all.then(|| values.iter().map(|value| unquoted(value).to_owned()).collect())
}

/// A value without the pair of quotes around it, if there is one.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// A decimal number, whole ones exactly.
#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Other(f64),
}

impl Number {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
        Some(Self::Other(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "beside a fraction nothing else is there")]
    const fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Other(number) => number,
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(&other),
            // Zero has no sign here.
            _ => (self.float() + 0.0).total_cmp(&(other.float() + 0.0)),
        }
    }
}

impl Condition {
    /// The column or the path that it is about.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether a row fits that has this value in the field, or none.
    pub fn fits(&self, value: Option<&str>) -> bool {
        self.fits_any(value)
    }

    /// Whether a record fits that has these values in the field: one of them
    /// does, and for `!=` and `not in` all.
    pub fn fits_any<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> bool {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return false;
        }
        match &self.test {
            Test::NotIn(_) => values.all(|value| self.fits_one(value)),
            _ => values.any(|value| self.fits_one(value)),
        }
    }

    fn fits_one(&self, value: &str) -> bool {
        let order = |bound: &str| Some(Number::of(value)?.order(Number::of(bound)?));
        let is = |bound: &str, fits: fn(Ordering) -> bool| order(bound).is_some_and(fits);
        let same = |other: &String| order(other).map_or_else(|| value == other, Ordering::is_eq);
        match &self.test {
            Test::In(values) => values.iter().any(same),
            Test::NotIn(values) => !values.iter().any(same),
            Test::Less(bound) => is(bound, Ordering::is_lt),
            Test::LessOrEqual(bound) => is(bound, Ordering::is_le),
            Test::More(bound) => is(bound, Ordering::is_gt),
            Test::MoreOrEqual(bound) => is(bound, Ordering::is_ge),
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
        check("id = 9007199254740993", &["9007199254740993"], &["9007199254740992"]);
        check("x = 0", &["-0.0", "0"], &["nan", "inf"]);
        check("x == inf", &["inf"], &["1e400"]);
    }

    #[test]
    fn behind_the_first_operator_anything_may_stand() {
        check("note = made in china", &["made in china"], &["china"]);
        check("note != it exists", &["x"], &["it exists"]);
        check("note = a != b", &["a != b"], &["b"]);
        check("note = 'a, b'", &["a, b"], &["a"]);
        check("note in \"a, b\",c", &["a, b", "c"], &["a", "b"]);
        check("note = \"\"", &[""], &["x"]);
        check("is it in c", &["c"], &["x"]);
    }

    #[test]
    fn of_several_values_one_has_to_fit_or_none_may_be_excluded() {
        let fits = |text: &str, values: &[&str]| {
            let condition: Condition = text.parse().expect(text);
            condition.fits_any(values.iter().copied())
        };
        assert!(fits("tags = c2", &["spam", "c2"]) && !fits("tags = c2", &[]));
        assert!(fits("tags != c2", &["spam"]) && !fits("tags != c2", &["spam", "c2"]));
        assert!(!fits("tags not in c2,spam", &[]));
    }

    #[test]
    fn what_is_no_condition_says_how_to_write_one() {
        for text in [
            "",
            "x",
            "= 5",
            "x <",
            "x > high",
            "x in ",
            "in a,b",
            "x =",
            "x !",
            "x not exists",
            "x in a,,b",
            "exists",
            "x >= nan",
        ] {
            let error = text.parse::<Condition>().expect_err(text).to_string();
            assert!(error.contains(">= 90"), "{error}");
        }
    }
}
