//! What `hits` prints: what blocks anything at all, by rule, feed, address and
//! prefix. Rules are counted packet by packet; of the rest there are samples,
//! and what is said of all packets is an estimate.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean, OrDash};
use super::moment::Moment;
use super::text::shown;
use super::why::SourceView;

/// Feeds that the text names, those that are hit most; the document has all.
const FEEDS_SHOWN: usize = 40;

/// The document of `hits`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HitsView {
    /// Whether packets are looked at now: a rule has `sample`, and the kernel
    /// shows them to this daemon and to nobody else.
    pub listening: bool,
    /// Since when; `None` if they never were.
    pub since: Option<Moment>,
    /// The rules, in the order in which packets meet them.
    pub rules: Vec<RuleHits>,
    /// The feeds that were hit, by rule, those with the most packets first.
    pub feeds: Vec<FeedHits>,
    /// The most frequent addresses.
    pub addresses: Vec<AddressHits>,
    /// The most frequent prefixes of the sets.
    pub prefixes: Vec<PrefixHits>,
    /// The feeds that have blocked nothing for thirty days.
    pub idle: Vec<IdleFeed>,
    /// Packets that the kernel has shown and that did not get here in time.
    pub lost: u64,
    /// How often there was no room for more of them.
    pub overruns: u64,
    /// One sentence each on what is not as it might seem.
    pub notes: Vec<String>,
}

/// One rule of one family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleHits {
    /// Its name.
    pub rule: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// All that it has stopped; `None` if that could not be read.
    pub packets: Option<u64>,
    /// The bytes of these packets.
    pub bytes: Option<u64>,
    /// One packet in so many is looked at; `None` if none is.
    pub sample: Option<u32>,
    /// What it has stopped since packets are looked at.
    pub packets_since: Option<u64>,
    /// Packets that were looked at.
    pub samples: u64,
    /// Those of them that no feed in force had.
    pub samples_of_none: u64,
}

/// What was hit of one feed by one rule, in both families.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FeedHits {
    /// Its name.
    pub feed: String,
    /// The rule.
    pub rule: String,
    /// Packets that were looked at and that it has asked to be stopped.
    pub samples: u64,
    /// Those of them that no other feed of the list has: what would have got
    /// through without this one.
    pub samples_only: u64,
    /// Of all packets of the rule that were looked at, in percent.
    pub share: f64,
    /// The same of `samples-only`.
    pub share_only: f64,
    /// About how many packets that is.
    pub packets: Option<u64>,
    /// The same of `samples-only`.
    pub packets_only: Option<u64>,
    /// The last one.
    pub last_hit: Option<Moment>,
}

/// A frequent address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddressHits {
    /// The address.
    pub address: String,
    /// The rule.
    pub rule: String,
    /// Packets of it that were looked at.
    pub samples: u64,
    /// By how much that may be too high: rarer addresses had its place before.
    pub samples_error: u64,
    /// The member of the set that holds it; `None` if none does any more.
    pub prefix: Option<String>,
    /// The lines that name it.
    pub sources: Vec<SourceView>,
}

/// A frequent prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PrefixHits {
    /// The prefix.
    pub prefix: String,
    /// The rule.
    pub rule: String,
    /// Packets of it that were looked at.
    pub samples: u64,
    /// By how much that may be too high.
    pub samples_error: u64,
}

/// A feed that blocks nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IdleFeed {
    /// Its name.
    pub feed: String,
    /// Days on which it was looked for a hit in vain.
    pub days: u32,
    /// The last hit, if there ever was one.
    pub last_hit: Option<Moment>,
}

/// A part in percent, to a tenth.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.1} %", self.0)
    }
}

/// An estimate.
struct About<'a>(Option<&'a u64>);

impl fmt::Display for About<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(out, "~{number}"),
            None => out.write_str("-"),
        }
    }
}

impl fmt::Display for HitsView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.since, self.listening) {
            (Some(since), true) => writeln!(out, "packets are looked at since {since}")?,
            (Some(since), false) => {
                writeln!(out, "packets were looked at from {since} on, and are not now")?;
            }
            (None, _) => writeln!(out, "no packets are looked at")?,
        }
        if self.lost > 0 || self.overruns > 0 {
            let (lost, overruns) = (self.lost, self.overruns);
            writeln!(out, "lost: {lost} packets that were shown, at {overruns} overruns")?;
        }
        for note in &self.notes {
            writeln!(out, "note: {}", shown(note))?;
        }
        if !self.rules.is_empty() {
            write!(out, "\n{}", self.rules_table())?;
        }
        if !self.feeds.is_empty() {
            write!(out, "\n{}", self.feeds_table())?;
            if let Some(more @ 1..) = self.feeds.len().checked_sub(FEEDS_SHOWN) {
                writeln!(out, "and {more} more; `--format json` names all")?;
            }
        }
        self.write_frequent(out)?;
        for IdleFeed { feed, days, last_hit } in &self.idle {
            write!(out, "idle: {} has blocked nothing for {days} days", shown(feed))?;
            match last_hit {
                Some(last) => writeln!(out, ", the last time at {last}")?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    }
}

impl HitsView {
    fn rules_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("rule", Lean::Left),
            ("family", Lean::Left),
            ("packets", Lean::Right),
            ("bytes", Lean::Right),
            ("one in", Lean::Right),
            ("since", Lean::Right),
            ("looked at", Lean::Right),
        ]);
        for rule in &self.rules {
            columns.row([
                &rule.rule,
                &rule.family,
                &OrDash(rule.packets.as_ref()),
                &OrDash(rule.bytes.as_ref()),
                &OrDash(rule.sample.as_ref()),
                &OrDash(rule.packets_since.as_ref()),
                &rule.samples,
            ]);
        }
        columns
    }

    fn feeds_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("feed", Lean::Left),
            ("rule", Lean::Left),
            ("looked at", Lean::Right),
            ("share", Lean::Right),
            ("packets", Lean::Right),
            ("only it", Lean::Right),
            ("share", Lean::Right),
            ("packets", Lean::Right),
            ("last hit", Lean::Left),
        ]);
        for feed in self.feeds.iter().take(FEEDS_SHOWN) {
            columns.row([
                &feed.feed,
                &feed.rule,
                &feed.samples,
                &Percent(feed.share),
                &About(feed.packets.as_ref()),
                &feed.samples_only,
                &Percent(feed.share_only),
                &About(feed.packets_only.as_ref()),
                &OrDash(feed.last_hit.as_ref()),
            ]);
        }
        columns
    }

    fn write_frequent(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.addresses.is_empty() {
            writeln!(out)?;
        }
        for hit in &self.addresses {
            write!(out, "{} {} of {}", hit.samples, shown(&hit.address), shown(&hit.rule))?;
            match &hit.prefix {
                Some(prefix) => writeln!(out, ", in {}", shown(prefix))?,
                None => writeln!(out, ", in no set")?,
            }
            hit.sources.iter().try_for_each(|source| writeln!(out, "  {source}"))?;
        }
        if !self.prefixes.is_empty() {
            let mut columns = Columns::new([
                ("prefix", Lean::Left),
                ("rule", Lean::Left),
                ("looked at", Lean::Right),
            ]);
            for PrefixHits { prefix, rule, samples, .. } in &self.prefixes {
                columns.row([prefix, rule, samples]);
            }
            write!(out, "\n{columns}")?;
        }
        if self.idle.is_empty() { Ok(()) } else { writeln!(out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> HitsView {
        let moment = |text: &str| Some(text.parse::<Moment>().expect("a moment"));
        let source = SourceView { feed: "a".into(), line: 7, text: "192.0.2.1".into() };
        HitsView {
            listening: true,
            since: moment("2026-11-23T08:00:00Z"),
            rules: vec![RuleHits {
                rule: "drop".into(),
                family: "ipv4".into(),
                packets: Some(1_000),
                bytes: Some(40_000),
                sample: Some(10),
                packets_since: Some(900),
                samples: 90,
                samples_of_none: 0,
            }],
            feeds: vec![FeedHits {
                feed: "a".into(),
                rule: "drop".into(),
                samples: 30,
                samples_only: 9,
                share: 33.33,
                share_only: 10.0,
                packets: Some(300),
                packets_only: None,
                last_hit: moment("2026-11-23T09:00:00Z"),
            }],
            addresses: vec![AddressHits {
                address: "192.0.2.1".into(),
                rule: "drop".into(),
                samples: 12,
                samples_error: 0,
                prefix: Some("192.0.2.0/24".into()),
                sources: vec![source],
            }],
            prefixes: vec![PrefixHits {
                prefix: "192.0.2.0/24".into(),
                rule: "drop".into(),
                samples: 20,
                samples_error: 0,
            }],
            idle: vec![IdleFeed { feed: "b".into(), days: 30, last_hit: None }],
            lost: 3,
            overruns: 1,
            notes: vec!["x".into()],
        }
    }

    #[test]
    fn hits_are_told_from_the_rules_down_to_the_lines() {
        let view = full();
        let want = "\
packets are looked at since 2026-11-23T08:00:00Z
lost: 3 packets that were shown, at 1 overruns
note: x

rule  family  packets  bytes  one in  since  looked at
drop  ipv4       1000  40000      10    900         90

feed  rule  looked at   share  packets  only it   share  packets  last hit
a     drop         30  33.3 %     ~300        9  10.0 %        -  2026-11-23T09:00:00Z

12 192.0.2.1 of drop, in 192.0.2.0/24
  a:7: 192.0.2.1

prefix        rule  looked at
192.0.2.0/24  drop         20

idle: b has blocked nothing for 30 days
";
        assert_eq!(view.to_string(), want);
        let document = serde_json::to_value(&view).expect("a document");
        assert_eq!(document["feeds"][0]["share-only"], 10.0);
        assert_eq!(document["rules"][0]["packets-since"], 900);
        assert_eq!(serde_json::from_value::<HitsView>(document).expect("it reads back"), view);
    }

    #[test]
    fn that_nobody_looks_at_packets_is_told() {
        assert_eq!(HitsView::default().to_string(), "no packets are looked at\n");
        let ended = HitsView { listening: false, ..full() }.to_string();
        assert!(ended.starts_with("packets were looked at from 2026"), "{ended}");
    }
}
