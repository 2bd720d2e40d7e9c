//! How much two feeds have in common, counted in addresses, each once however
//! it is written.

use blocklist::{Address, Family, PrefixSet, Prefixes};

use crate::view::{CompareView, ComparedFamily, ComparedPair};

/// A feed and what it is called.
pub(super) type NamedFeed = (String, Prefixes);

/// Compares each feed with each of the `others`.
pub(super) fn with_others(
    feeds: &[NamedFeed],
    others: &[NamedFeed],
    family: Option<Family>,
) -> CompareView {
    let pairs = feeds.iter().flat_map(|feed| others.iter().map(move |other| (feed, other)));
    CompareView { pairs: pairs.map(|(feed, other)| pair(feed, other, family)).collect() }
}

/// Compares the feeds with one another, each two once.
pub(super) fn with_one_another(feeds: &[NamedFeed], family: Option<Family>) -> CompareView {
    let pairs = feeds.iter().enumerate().flat_map(|(position, feed)| {
        feeds[position + 1..].iter().map(move |other| pair(feed, other, family))
    });
    CompareView { pairs: pairs.collect() }
}

fn pair(first: &NamedFeed, second: &NamedFeed, family: Option<Family>) -> ComparedPair {
    let wanted = |which| family.is_none_or(|only| only == which);
    let ((first, ours), (second, theirs)) = (first, second);
    ComparedPair {
        first: first.clone(),
        second: second.clone(),
        ipv4: wanted(Family::Ipv4).then(|| compared(&ours.ipv4, &theirs.ipv4)),
        ipv6: wanted(Family::Ipv6).then(|| compared(&ours.ipv6, &theirs.ipv6)),
    }
}

fn compared<A: Address>(first: &PrefixSet<A>, second: &PrefixSet<A>) -> ComparedFamily {
    ComparedFamily {
        common: first.intersect(second).address_count().to_string(),
        only_first: first.subtract(second).address_count().to_string(),
        only_second: second.subtract(first).address_count().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use blocklist::{AnyPrefix, Family};

    use super::{NamedFeed, with_one_another, with_others};
    use crate::view::CompareView;

    fn named(feeds: &[(&str, &[&str])]) -> Vec<NamedFeed> {
        let prefix = |text: &&str| text.parse::<AnyPrefix>().expect("a prefix");
        feeds.iter().map(|(name, of)| ((*name).into(), of.iter().map(prefix).collect())).collect()
    }

    /// Each pair as `first second ipv4 ipv6`, a family as `common+first+second`.
    fn check(view: &CompareView, want: &[&str]) {
        let family = |of: &Option<crate::view::ComparedFamily>| match of {
            Some(of) => format!("{}+{}+{}", of.common, of.only_first, of.only_second),
            None => "-".into(),
        };
        let pair = |pair: &crate::view::ComparedPair| {
            format!("{} {} {} {}", pair.first, pair.second, family(&pair.ipv4), family(&pair.ipv6))
        };
        assert_eq!(view.pairs.iter().map(pair).collect::<Vec<_>>(), want);
    }

    #[test]
    fn addresses_count_once_however_they_are_written() {
        let a = named(&[("a", &["192.0.2.0/24", "192.0.2.1", "::/0"])]);
        let b = named(&[("b", &["192.0.2.128/25", "198.51.100.1", "2001:db8::/127"])]);
        let left = u128::MAX - 1;
        check(&with_others(&a, &b, None), &[&format!("a b 128+128+1 2+{left}+0")]);
        let all = "a a 256+0+0 340282366920938463463374607431768211456+0+0";
        check(&with_others(&a, &a, None), &[all]);
    }

    #[test]
    fn every_two_feeds_are_compared_once() {
        let feeds = named(&[("a", &["192.0.2.1"]), ("b", &[]), ("c", &["192.0.2.1"])]);
        let only = Some(Family::Ipv4);
        check(&with_one_another(&feeds, only), &["a b 0+1+0 -", "a c 1+0+0 -", "b c 0+0+1 -"]);
        check(&with_others(&feeds[..1], &feeds[1..], only), &["a b 0+1+0 -", "a c 1+0+0 -"]);
        check(&with_one_another(&feeds[..1], None), &[]);
    }
}
