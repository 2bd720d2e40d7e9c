//! What `status` prints: what the daemon holds, set by set and feed by feed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean, OrDash};
use super::exports::{AppliesView, ExportStatus, RefusalCount};
use super::moment::Moment;
use super::text::{refused, shown, write_accept};

/// Feeds that the text names one by one: all if there are no more, else those
/// that need somebody first. The document has all of them.
const FEEDS_MAX: usize = 40;
/// Refusals that the text explains.
const REFUSALS_MAX: usize = 20;

/// The document of `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StatusView {
    /// Whether the kernel holds what it should hold.
    pub in_sync: bool,
    /// One sentence each on what does not work as it should.
    pub degraded: Vec<String>,
    /// One sentence each on what works as it can, and is worth knowing.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// One sentence each on what lets packets through though all is as it should
    /// be.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Until when `denyset confirm` has to come, else the configuration of before
    /// returns. `None` if nothing waits for it.
    #[serde(default)]
    pub confirm_until: Option<Moment>,
    /// The number of the desired state.
    pub generation: u64,
    /// For how long the daemon has been running.
    pub uptime_seconds: u64,
    /// The live sets, by name.
    pub sets: Vec<SetStatus>,
    /// The rules, in the order in which packets meet them.
    #[serde(default)]
    pub rules: Vec<RuleStatus>,
    /// The feeds, by name.
    pub feeds: Vec<FeedStatus>,
    /// The files that are written for other programs.
    #[serde(default)]
    pub exports: Vec<ExportStatus>,
    /// Versions of feeds that were refused since the daemon began.
    #[serde(default)]
    pub refusals: Vec<RefusalCount>,
    /// How long changes of the kernel took since the daemon began.
    #[serde(default)]
    pub applies: AppliesView,
}

/// One rule of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleStatus {
    /// Its name.
    pub rule: String,
    /// The set it asks, which says the family.
    pub set: String,
    /// Whether it was last seen in place, all of it as it should be.
    pub in_place: bool,
    /// What it has stopped so far; `None` if that could not be read.
    #[serde(default)]
    pub packets: Option<u64>,
    /// The bytes of these packets, with the headers of IP.
    #[serde(default)]
    pub bytes: Option<u64>,
}

impl fmt::Display for RuleStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.in_place { "in place" } else { "not in place" };
        write!(out, "rule: {} asks {}, {place}", shown(&self.rule), shown(&self.set))?;
        if let (Some(packets), Some(bytes)) = (self.packets, self.bytes) {
            write!(out, ", {packets} packets, {bytes} bytes")?;
        }
        writeln!(out)
    }
}

/// One live set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SetStatus {
    /// Its name in the kernel.
    pub set: String,
    /// The list it is of.
    pub list: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// How many members it has.
    pub members: u64,
    /// How many members have which prefix length: a packet whose address is in
    /// none is looked up once for each.
    #[serde(default)]
    pub lengths: BTreeMap<u8, u64>,
    /// About how many nanoseconds these look-ups take.
    #[serde(default)]
    pub miss_ns: u64,
    /// How many rules and sets name it.
    pub references: u32,
    /// Whether its members are let in, and nobody else: a rule is `allow-only`.
    #[serde(default)]
    pub admits: bool,
    /// When it was last changed; `None` if not by this daemon.
    pub last_applied: Option<Moment>,
    /// When it was last compared with the kernel.
    pub last_verified: Option<Moment>,
}

/// One feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FeedStatus {
    /// Its name.
    pub feed: String,
    /// The format it is read as.
    pub format: String,
    /// Entries of the version in force.
    pub entries: u64,
    /// Rejected lines of the version in force.
    pub rejected: u64,
    /// How the version in force and the file relate.
    pub state: FileStanding,
    /// Since when the feed is in this state.
    pub since: Moment,
    /// Since when the version in force is that; `None` if there is none.
    #[serde(default)]
    pub last_good: Option<Moment>,
    /// Why the file's version is refused; `None` if it is not.
    pub refused: Option<String>,
    /// The command that lets that version through, see
    /// [`super::accept_command`]; `None` if nothing does.
    pub accept: Option<String>,
}

/// How the version of a feed that is in force and its file relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStanding {
    /// They are the same.
    Current,
    /// A guard declined the file's version; the last good one is in force.
    Refused,
    /// They are the same, and older than the feed's `max-age`.
    Stale,
    /// The file is gone; its last version is in force until it is withdrawn.
    Gone,
}

impl fmt::Display for FileStanding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Current => "current",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Gone => "gone",
        })
    }
}

impl fmt::Display for StatusView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sync = if self.in_sync { "in sync" } else { "not in sync" };
        let uptime = Uptime(self.uptime_seconds);
        writeln!(out, "{sync}, generation {}, up {uptime}", self.generation)?;
        let refusals = || self.feeds.iter().filter_map(|f| Some((f, f.refused.as_ref()?)));
        let explained: Vec<_> = refusals().take(REFUSALS_MAX).collect();
        // What is explained below needs not be said twice.
        let sentence = |(feed, reason): &(&FeedStatus, &String)| refused(&feed.feed, reason);
        let twice: Vec<_> = explained.iter().map(sentence).collect();
        for sentence in self.degraded.iter().filter(|sentence| !twice.contains(sentence)) {
            writeln!(out, "degraded: {}", shown(sentence))?;
        }
        for sentence in &self.remarks {
            writeln!(out, "remark: {}", shown(sentence))?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {}", shown(warning))?;
        }
        for (FeedStatus { feed, accept, .. }, reason) in explained {
            writeln!(out, "refused: {}: {}", shown(feed), shown(reason))?;
            write_accept(accept.as_deref(), out)?;
        }
        if !self.sets.is_empty() {
            write!(out, "\n{}", self.sets_table())?;
        }
        if !self.rules.is_empty() {
            writeln!(out)?;
            self.rules.iter().try_for_each(|rule| rule.fmt(out))?;
        }
        if !self.feeds.is_empty() {
            write!(out, "\n{}", self.feeds_table())?;
            self.write_rest(out)?;
        }
        if !self.exports.is_empty() {
            writeln!(out)?;
            self.exports.iter().try_for_each(|export| export.fmt(out))?;
        }
        Ok(())
    }
}

impl StatusView {
    fn sets_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("set", Lean::Left),
            ("list", Lean::Left),
            ("family", Lean::Left),
            ("members", Lean::Right),
            ("lengths", Lean::Right),
            ("miss-ns", Lean::Right),
            ("references", Lean::Right),
            ("last-applied", Lean::Left),
            ("last-verified", Lean::Left),
        ]);
        for set in &self.sets {
            columns.row([
                &set.set,
                &set.list,
                &set.family,
                &set.members,
                &set.lengths.len(),
                &set.miss_ns,
                &set.references,
                &OrDash(set.last_applied.as_ref()),
                &OrDash(set.last_verified.as_ref()),
            ]);
        }
        columns
    }

    fn feeds_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("feed", Lean::Left),
            ("format", Lean::Left),
            ("entries", Lean::Right),
            ("rejected", Lean::Right),
            ("state", Lean::Left),
            ("since", Lean::Left),
        ]);
        for feed in self.feeds_by_need().take(FEEDS_MAX) {
            columns.row([
                &feed.feed,
                &feed.format,
                &feed.entries,
                &feed.rejected,
                &feed.state,
                &feed.since,
            ]);
        }
        columns
    }

    /// The feeds, and first those that somebody should look at.
    fn feeds_by_need(&self) -> impl Iterator<Item = &FeedStatus> {
        let current = |feed: &&FeedStatus| feed.state == FileStanding::Current;
        let others = self.feeds.iter().filter(move |feed| !current(feed));
        others.chain(self.feeds.iter().filter(current))
    }

    /// What the table leaves out, by state.
    fn write_rest(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::<FileStanding, usize>::new();
        for feed in self.feeds_by_need().skip(FEEDS_MAX) {
            *counts.entry(feed.state).or_default() += 1;
        }
        if counts.is_empty() {
            return Ok(());
        }
        let counts: Vec<_> =
            counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        writeln!(out, "and {}; `denyset status --format json` names all", counts.join(", "))
    }
}

/// Seconds as the two largest units that apply.
struct Uptime(u64);

impl fmt::Display for Uptime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seconds) = *self;
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(out, "{seconds} s"),
            (0, 0, _) => write!(out, "{minutes} min {} s", seconds % 60),
            (0, _, _) => write!(out, "{hours} h {} min", minutes % 60),
            (_, _, _) => write!(out, "{days} d {} h", hours % 24),
        }
    }
}
