//! What `hits --overlap` prints: what each feed of a list has that no other of
//! its feeds has, and what each two have in common. No packet is needed for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean};
use super::text::shown;

/// Pairs of feeds that the text names, those with the most in common.
const PAIRS_SHOWN: usize = 20;

/// The document of `hits --overlap`. Addresses are decimal strings, because
/// those of IPv6 are more than other programs can count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OverlapView {
    /// The lists, by name.
    pub lists: Vec<ListOverlap>,
    /// One sentence each on what could not be taken into account.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListOverlap {
    /// Its name.
    pub list: String,
    /// Its feeds in force, by name.
    pub feeds: Vec<FeedOverlap>,
    /// Each two feeds that have addresses in common; `None` if there are too
    /// many feeds for that.
    pub pairs: Option<Vec<PairOverlap>>,
}

/// One feed within a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FeedOverlap {
    /// Its name.
    pub feed: String,
    /// Its part in IPv4.
    pub ipv4: FamilyOverlap,
    /// Its part in IPv6.
    pub ipv6: FamilyOverlap,
}

/// A feed's part in one family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FamilyOverlap {
    /// Its prefixes, without those inside others.
    pub entries: u64,
    /// Those of which no other feed has any address, and nothing is allowed
    /// or protected.
    pub entries_only: u64,
    /// Its addresses, without what is allowed or protected.
    pub addresses: String,
    /// Those that only this feed has: what would get through without it.
    pub addresses_only: String,
}

/// What two feeds of a list have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PairOverlap {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// Addresses in both.
    pub ipv4: String,
    /// Addresses in both.
    pub ipv6: String,
}

/// How large a part is of a whole, both written in decimal.
struct Percent<'a>(&'a str, &'a str);

impl fmt::Display for Percent<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(part, whole) = *self;
        match (part.parse::<f64>(), whole.parse::<f64>()) {
            (Ok(part), Ok(whole)) if whole > 0.0 => write!(out, "{:.1} %", part * 100.0 / whole),
            _ => out.write_str("-"),
        }
    }
}

impl fmt::Display for OverlapView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, list) in self.lists.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            list.fmt(out)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "note: {}", shown(note)))
    }
}

impl fmt::Display for ListOverlap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "list {}", shown(&self.list))?;
        if self.feeds.is_empty() {
            return writeln!(out, "no feed of it is in force");
        }
        self.feeds_table().fmt(out)?;
        match &self.pairs {
            Some(pairs) if pairs.is_empty() => Ok(()),
            Some(pairs) => write_pairs(pairs, out),
            None => writeln!(out, "too many feeds to compare each with each"),
        }
    }
}

impl ListOverlap {
    fn feeds_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("feed", Lean::Left),
            ("family", Lean::Left),
            ("entries", Lean::Right),
            ("only here", Lean::Right),
            ("addresses", Lean::Right),
            ("only here", Lean::Right),
            ("share", Lean::Right),
        ]);
        for FeedOverlap { feed, ipv4, ipv6 } in &self.feeds {
            for (family, part) in [("ipv4", ipv4), ("ipv6", ipv6)] {
                if part.entries == 0 && (family == "ipv6" || ipv6.entries > 0) {
                    continue;
                }
                let FamilyOverlap { entries, entries_only, addresses, addresses_only } = part;
                let share = Percent(addresses_only, addresses);
                let numbers: [&dyn fmt::Display; 4] =
                    [entries, entries_only, addresses, addresses_only];
                let [entries, entries_only, addresses, addresses_only] = numbers;
                columns.row([
                    feed,
                    &family,
                    entries,
                    entries_only,
                    addresses,
                    addresses_only,
                    &share,
                ]);
            }
        }
        columns
    }
}

/// The pairs with the most addresses in common.
fn write_pairs(pairs: &[PairOverlap], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    // By their length, then digit by digit: decimal numbers without zeros in
    // front of them.
    let weight = |pair: &PairOverlap| {
        let number = |text: &str| (text.len(), text.to_owned());
        (number(&pair.ipv4), number(&pair.ipv6))
    };
    let mut largest: Vec<_> = pairs.iter().collect();
    largest.sort_by_key(|pair| std::cmp::Reverse(weight(pair)));
    let mut columns = Columns::new([
        ("in both", Lean::Left),
        ("", Lean::Left),
        ("ipv4", Lean::Right),
        ("ipv6", Lean::Right),
    ]);
    for PairOverlap { first, second, ipv4, ipv6 } in largest.into_iter().take(PAIRS_SHOWN) {
        columns.row([first, second, ipv4, ipv6]);
    }
    write!(out, "\n{columns}")?;
    match pairs.len().saturating_sub(PAIRS_SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more pairs; `--format json` names all"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn part(entries: u64, entries_only: u64, addresses: &str, only: &str) -> FamilyOverlap {
        let (addresses, addresses_only) = (addresses.to_owned(), only.to_owned());
        FamilyOverlap { entries, entries_only, addresses, addresses_only }
    }

    #[test]
    fn what_only_one_feed_has_and_what_two_share_are_told_apart() {
        let none = part(0, 0, "0", "0");
        let feed = |feed: &str, ipv4, ipv6| FeedOverlap { feed: feed.to_owned(), ipv4, ipv6 };
        let pair = |second: &str, ipv4: &str| PairOverlap {
            first: "a".to_owned(),
            second: second.to_owned(),
            ipv4: ipv4.to_owned(),
            ipv6: "0".to_owned(),
        };
        let view = OverlapView {
            lists: vec![ListOverlap {
                list: "drop".to_owned(),
                feeds: vec![
                    feed("a", part(3, 2, "300", "200"), part(1, 1, "8", "8")),
                    feed("b", part(1, 0, "100", "0"), none.clone()),
                    feed("c", none.clone(), none),
                ],
                pairs: Some(vec![pair("c", "9"), pair("b", "100")]),
            }],
            notes: vec!["x".to_owned()],
        };
        let want = "\
list drop
feed  family  entries  only here  addresses  only here    share
a     ipv4          3          2        300        200   66.7 %
a     ipv6          1          1          8          8  100.0 %
b     ipv4          1          0        100          0    0.0 %
c     ipv4          0          0          0          0        -

in both     ipv4  ipv6
a        b   100     0
a        c     9     0
note: x
";
        assert_eq!(view.to_string(), want);
        let document = serde_json::to_value(&view).expect("a document");
        assert_eq!(
            document["lists"][0]["feeds"][0]["ipv4"],
            json!({"entries": 3, "entries-only": 2, "addresses": "300", "addresses-only": "200"})
        );
        assert_eq!(
            document["lists"][0]["pairs"][1],
            json!({"first": "a", "second": "b", "ipv4": "100", "ipv6": "0"})
        );
        assert_eq!(serde_json::from_value::<OverlapView>(document).expect("it reads back"), view);
    }
}
