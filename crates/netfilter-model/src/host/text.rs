//! What feeds say: good, shrunken, cut off, empty, or no lists at all. Every
//! text is another one, so that a version can be told by its number.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Family, Feed, Format, Limits, Prefixes, parse};

use crate::{Random, prefixes};

/// One version of a feed, and what it means.
#[derive(Debug)]
pub(super) struct FeedText {
    /// No other text has this number.
    pub(super) number: u64,
    /// What it means. The reading of formats is tested elsewhere.
    pub(super) feed: Feed,
}

/// Entries of a large version; a small one then is a loss that the guards
/// refuse, since they judge from sixteen on.
const MANY: usize = 24;
/// Entries of a small version.
const FEW: usize = 5;

impl FeedText {
    /// These bytes, read as this format.
    pub(super) fn new(number: u64, bytes: &str, format: Format) -> Arc<Self> {
        let feed = parse(bytes.as_bytes(), format, &Limits::default());
        Arc::new(Self { number, feed })
    }

    /// What a version that was written then contributes at a moment.
    pub(super) fn at(&self, written: SystemTime, now: SystemTime) -> Prefixes {
        let lives = |seconds: u64| written + Duration::from_secs(seconds) > now;
        let alive = self.feed.expiring.iter().filter(|(seconds, _)| lives(**seconds));
        Prefixes::union(alive.map(|(_, prefixes)| prefixes).chain([&self.feed.prefixes]))
    }
}

/// What the texts of a run are like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextKinds {
    /// Some of them are such that guards refuse them.
    pub(super) refusable: bool,
    /// Some entries end, others are taken out by exceptions.
    pub(super) lifetimes: bool,
}

/// A new version.
pub(super) fn text(random: &mut Random, number: u64, kinds: TextKinds) -> Arc<FeedText> {
    if kinds.refusable && random.chance(20) {
        return bad(random, number);
    }
    if kinds.lifetimes && random.chance(50) {
        return with_times(random, number);
    }
    let most = if kinds.refusable && random.chance(40) { FEW } else { MANY };
    let mut text = format!("# version {number}\n");
    for family in Family::ALL {
        for prefix in prefixes(random, family, most) {
            writeln!(text, "{prefix}").expect("a string takes any text");
        }
    }
    // A feed without entries is refused, and is made by another way.
    text.push_str(if random.chance(50) { "192.0.2.1\n" } else { "192.0.2.2\n" });
    FeedText::new(number, &text, Format::Plain)
}

fn bad(random: &mut Random, number: u64) -> Arc<FeedText> {
    let few = format!("198.51.100.{}\n", random.below(16));
    let text = match random.below(4) {
        0 => format!("<!DOCTYPE html>\n<p>404 {number}\n"),
        1 => format!("# version {number}\n{few}no\nnot\nan\naddress\n"),
        2 => format!("# version {number}\n"),
        _ => format!("# version {number}\n{few}198.51.1"),
    };
    FeedText::new(number, &text, Format::Plain)
}

/// A feed in the form of `ipset save`, whose entries may end and may be
/// exceptions.
fn with_times(random: &mut Random, number: u64) -> Arc<FeedText> {
    let mut text = format!("# version {number}\n");
    for (family, name) in Family::ALL.into_iter().zip(["inet", "inet6"]) {
        writeln!(text, "create {name} hash:net family {name} timeout 0")
            .expect("a string takes any text");
        for prefix in prefixes(random, family, MANY / 2) {
            let fate = match random.below(4) {
                0 => " nomatch".to_owned(),
                1 => format!(" timeout {}", random.pick(&[90, 600, 3_600, 20_000])),
                _ => String::new(),
            };
            writeln!(text, "add {name} {prefix}{fate}").expect("a string takes any text");
        }
    }
    text.push_str("add inet 192.0.2.1\n");
    FeedText::new(number, &text, Format::Ipset)
}
