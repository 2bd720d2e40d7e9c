//! What follows the `?` of a request: pairs of a key and a value, each key once
//! and only such as are known. It knows no requests and no addresses.
//!
//! The form is that of `application/x-www-form-urlencoded` (URL Standard, section
//! 5.1): `&` between pairs, `+` for a blank, `%` and two hexadecimal digits for a
//! byte.

use std::borrow::Cow;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// It has a key that means nothing here.
    #[error("the query has a key that is not known here, known are: {0}")]
    Unknown(String),
    /// It has a key more than once.
    #[error("the query has {0} more than once")]
    Twice(String),
    /// A `%` is not followed by two hexadecimal digits, or the bytes are no UTF-8.
    #[error("the value of {0} in the query is not encoded as it has to be")]
    Encoding(String),
}

/// The values of these keys, in their order; `None` for one that is not there. An
/// empty pair, as in `a=1&&b=2`, is none.
///
/// # Errors
/// [`BadQuery`], the first thing that is wrong.
pub fn values<'q, const N: usize>(
    query: &'q str,
    keys: [&str; N],
) -> Result<[Option<Cow<'q, str>>; N], BadQuery> {
    let mut values = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(at) = keys.iter().position(|known| *known == key) else {
            return Err(BadQuery::Unknown(keys.join(", ")));
        };
        let value = decoded(value).ok_or_else(|| BadQuery::Encoding(key.to_owned()))?;
        if values[at].replace(value).is_some() {
            return Err(BadQuery::Twice(key.to_owned()));
        }
    }
    Ok(values)
}

/// A value as it was meant.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    if !value.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => 16 * digit(bytes.next()?)? + digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, want: Result<[Option<&str>; 2], BadQuery>) {
        let want = want.map(|values| values.map(|value| value.map(Cow::Borrowed)));
        assert_eq!(values(query, ["ip", "list"]), want, "{query}");
    }

    #[test]
    fn each_key_is_known_and_there_once() {
        check("", Ok([None, None]));
        check("&&", Ok([None, None]));
        check("ip=192.0.2.1", Ok([Some("192.0.2.1"), None]));
        check("list=a%2eb&ip=2001:db8::1", Ok([Some("2001:db8::1"), Some("a.b")]));
        check("ip=2001%3Adb8%3a%3A1", Ok([Some("2001:db8::1"), None]));
        check("ip=+%20&list", Ok([Some("  "), Some("")]));
        check("ip=a=b", Ok([Some("a=b"), None]));
        check("IP=a", Err(BadQuery::Unknown("ip, list".into())));
        check("%69p=a", Err(BadQuery::Unknown("ip, list".into())));
        check("ip=a&ip=a", Err(BadQuery::Twice("ip".into())));
        for bad in ["ip=%", "ip=%4", "ip=%4g", "ip=%+4", "ip=%ff", "ip=%é"] {
            check(bad, Err(BadQuery::Encoding("ip".into())));
        }
    }
}
