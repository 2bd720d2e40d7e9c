//! What `compile` prints when it is asked for numbers: how much there is, and
//! how much two feeds have in common. Addresses are decimal strings, because
//! those of IPv6 are more than other programs can count.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::CheckedFamily;
use super::columns::{Columns, Lean};

/// The document of `compile --count`. A family that was not asked for is not
/// in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CountView {
    /// The IPv4 prefixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<CheckedFamily>,
    /// The IPv6 prefixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<CheckedFamily>,
}

/// The document of `compile --compare`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CompareView {
    /// Every two feeds, in the order of the command line.
    pub pairs: Vec<ComparedPair>,
}

/// Two feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComparedPair {
    /// The path under which the first was given.
    pub first: String,
    /// The path under which the second was given.
    pub second: String,
    /// Their IPv4 addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<ComparedFamily>,
    /// Their IPv6 addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<ComparedFamily>,
}

/// The addresses of two feeds in one family: decimal, up to 2^128.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComparedFamily {
    /// How many are in both.
    pub common: String,
    /// How many are in the first and not in the second.
    pub only_first: String,
    /// How many are in the second and not in the first.
    pub only_second: String,
}

/// The families that are there, with their names.
fn present<'a, T>(
    ipv4: Option<&'a T>,
    ipv6: Option<&'a T>,
) -> impl Iterator<Item = (&'a str, &'a T)>
where
    T: 'a,
{
    [("ipv4", ipv4), ("ipv6", ipv6)].into_iter().filter_map(|(name, of)| Some((name, of?)))
}

impl fmt::Display for CountView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sums = Columns::new([
            ("family", Lean::Left),
            ("members", Lean::Right),
            ("addresses", Lean::Right),
            ("lengths", Lean::Right),
            ("miss-ns", Lean::Right),
        ]);
        let mut lengths = Columns::new([
            ("family", Lean::Left),
            ("length", Lean::Right),
            ("members", Lean::Right),
        ]);
        let mut any = false;
        for (name, set) in present(self.ipv4.as_ref(), self.ipv6.as_ref()) {
            sums.row([&name, &set.members, &set.addresses, &set.lengths.len(), &set.miss_ns]);
            for (length, members) in &set.lengths {
                lengths.row([&name, &format_args!("/{length}"), members]);
                any = true;
            }
        }
        sums.fmt(out)?;
        if any { write!(out, "\n{lengths}") } else { Ok(()) }
    }
}

impl fmt::Display for CompareView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns = Columns::new([
            ("first", Lean::Left),
            ("second", Lean::Left),
            ("family", Lean::Left),
            ("common", Lean::Right),
            ("only first", Lean::Right),
            ("only second", Lean::Right),
        ]);
        for ComparedPair { first, second, ipv4, ipv6 } in &self.pairs {
            for (name, set) in present(ipv4.as_ref(), ipv6.as_ref()) {
                let ComparedFamily { common, only_first, only_second } = set;
                columns.row([first, second, &name, common, only_first, only_second]);
            }
        }
        columns.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use serde::Serialize;
    use serde_json::{Value, json};

    use super::{CheckedFamily, CompareView, ComparedFamily, ComparedPair, CountView};

    fn check(view: &(impl Serialize + Display), text: &str, document: &Value) {
        assert_eq!(view.to_string(), text);
        assert_eq!(serde_json::to_value(view).expect("a document"), *document);
    }

    #[test]
    fn a_count_has_a_line_for_each_length() {
        let set = CheckedFamily {
            members: 3,
            addresses: "258".into(),
            lengths: [(24, 1), (32, 2)].into(),
            miss_ns: 160,
        };
        let none = CheckedFamily { addresses: "0".into(), ..CheckedFamily::default() };
        let want = "\
family  members  addresses  lengths  miss-ns
ipv4          3        258        2      160
ipv6          0          0        0        0

family  length  members
ipv4       /24        1
ipv4       /32        2
";
        check(
            &CountView { ipv4: Some(set), ipv6: Some(none.clone()) },
            want,
            &json!({
                "ipv4": {"members": 3, "addresses": "258", "lengths": {"24": 1, "32": 2},
                         "miss-ns": 160},
                "ipv6": {"members": 0, "addresses": "0", "lengths": {}, "miss-ns": 0},
            }),
        );
        check(
            &CountView { ipv4: None, ipv6: Some(none) },
            "family  members  addresses  lengths  miss-ns\nipv6          0          0        0        0\n",
            &json!({"ipv6": {"members": 0, "addresses": "0", "lengths": {}, "miss-ns": 0}}),
        );
    }

    #[test]
    fn a_comparison_has_a_line_for_each_pair_and_family() {
        let numbers = |numbers: [&str; 3]| {
            let [common, only_first, only_second] = numbers.map(str::to_owned);
            Some(ComparedFamily { common, only_first, only_second })
        };
        let pair = ComparedPair {
            first: "a".into(),
            second: "b c".into(),
            ipv4: numbers(["1", "22", "0"]),
            ipv6: numbers(["0", "0", "333"]),
        };
        let want = "\
first  second  family  common  only first  only second
a      b c     ipv4         1          22            0
a      b c     ipv6         0           0          333
";
        let document = json!({"pairs": [{
            "first": "a", "second": "b c",
            "ipv4": {"common": "1", "only-first": "22", "only-second": "0"},
            "ipv6": {"common": "0", "only-first": "0", "only-second": "333"},
        }]});
        check(&CompareView { pairs: vec![pair] }, want, &document);
    }
}
