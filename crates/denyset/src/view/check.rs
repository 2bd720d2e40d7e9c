//! What `check` prints: what each feed holds, what each list would hold, and
//! everything that deserves a look.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean};
use super::text::shown;

/// The document of `check`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckView {
    /// Every feed that was read, by name.
    pub feeds: Vec<CheckedFeed>,
    /// Every list as it would be, in the order of the configuration.
    pub lists: Vec<CheckedList>,
    /// One sentence each on what is wrong beyond a feed's content.
    pub problems: Vec<String>,
    /// One sentence each on what deserves a look, and may be meant.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// One sentence each on what lets packets through though all is as it should
    /// be.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckedFeed {
    /// Its name, or the path under which it was given.
    pub feed: String,
    /// The format it was read as.
    pub format: String,
    /// Accepted entries as written, duplicates included.
    pub entries: u64,
    /// Of these, IPv4.
    pub ipv4: u64,
    /// Of these, IPv6.
    pub ipv6: u64,
    /// Entries that were there already.
    pub duplicates: u64,
    /// Entries with host bits, which do not count.
    pub masked: u64,
    /// Entries that are there for a time.
    pub expiring: u64,
    /// What the feed itself says is not to be blocked.
    pub exceptions: u64,
    /// What the format has beside entries and comments: headers, rules that
    /// let packets through, records of other kinds.
    pub ignored: u64,
    /// Lines that are no entry of the format.
    pub rejected: u64,
    /// What became of the lines, each counted once; the sum is the number of
    /// those that are neither blank nor a comment.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "pairs")]
    pub lines: Vec<(String, u64)>,
    /// What the lines were taken for, if somebody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<ExplainedView>,
    /// Why the feed as a whole would be refused; `None` if it would not.
    pub refused: Option<String>,
    /// The first of the rejected lines.
    pub rejects: Vec<RejectView>,
}

/// Why a file is read as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExplainedView {
    /// Why the format was chosen, and which one would be the next.
    pub format: String,
    /// The first lines, and the first of each kind.
    pub lines: Vec<ExplainedLine>,
}

/// One line, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExplainedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Its beginning.
    pub text: String,
    /// What it is.
    pub taken_for: String,
}

/// One rejected line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RejectView {
    /// Its number, from 1.
    pub line: u64,
    /// Its beginning.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One list, as its two sets would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckedList {
    /// Its name.
    pub list: String,
    /// Its IPv4 set.
    pub ipv4: CheckedFamily,
    /// Its IPv6 set.
    pub ipv6: CheckedFamily,
}

/// One set of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckedFamily {
    /// How many members it would have.
    pub members: u64,
    /// How many addresses they are, each once; decimal, up to 2^128.
    pub addresses: String,
    /// How many members have which prefix length.
    pub lengths: BTreeMap<u8, u64>,
    /// About how many nanoseconds the kernel looks up a packet whose address is
    /// in none of them, as they are.
    #[serde(default)]
    pub miss_ns: u64,
}

impl CheckView {
    /// Whether nothing was refused, and nothing else is wrong.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.feeds.iter().all(|feed| feed.refused.is_none())
    }
}

impl fmt::Display for CheckView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.feeds.is_empty() {
            self.feeds_table().fmt(out)?;
        }
        for feed in &self.feeds {
            feed.details(out)?;
        }
        if !self.lists.is_empty() {
            if !self.feeds.is_empty() {
                writeln!(out)?;
            }
            self.lists_table().fmt(out)?;
        }
        for problem in &self.problems {
            writeln!(out, "problem: {}", shown(problem))?;
        }
        for remark in &self.remarks {
            writeln!(out, "remark: {}", shown(remark))?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {}", shown(warning))?;
        }
        if self.is_good() { writeln!(out, "good") } else { Ok(()) }
    }
}

impl CheckedFeed {
    /// Whether nothing is known of it but why it is refused.
    pub fn is_unread(&self) -> bool {
        self.refused.is_some() && self.format.is_empty()
    }
}

impl CheckView {
    fn feeds_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("feed", Lean::Left),
            ("format", Lean::Left),
            ("entries", Lean::Right),
            ("ipv4", Lean::Right),
            ("ipv6", Lean::Right),
            ("duplicates", Lean::Right),
            ("rejected", Lean::Right),
            ("verdict", Lean::Left),
        ]);
        for feed in &self.feeds {
            columns.row([
                &feed.feed,
                &feed.format,
                &feed.entries,
                &feed.ipv4,
                &feed.ipv6,
                &feed.duplicates,
                &feed.rejected,
                &if feed.refused.is_some() { "refused" } else { "good" },
            ]);
        }
        columns
    }

    fn lists_table(&self) -> Columns {
        let mut columns = Columns::new([
            ("list", Lean::Left),
            ("family", Lean::Left),
            ("members", Lean::Right),
            ("addresses", Lean::Right),
            ("lengths", Lean::Right),
        ]);
        for list in &self.lists {
            for (family, set) in [("ipv4", &list.ipv4), ("ipv6", &list.ipv6)] {
                let lengths = set.lengths.len();
                columns.row([&list.list, &family, &set.members, &set.addresses, &lengths]);
            }
        }
        columns
    }
}

impl CheckedFeed {
    /// The numbers that are mostly zero, without those that are.
    fn besides(&self) -> Vec<String> {
        let numbers = [
            (self.masked, "with host bits cleared"),
            (self.expiring, "for a time"),
            (self.exceptions, "exempted by the feed"),
            (self.ignored, "ignored as the format has it"),
        ];
        let not_zero = numbers.iter().filter(|(number, _)| *number > 0);
        not_zero.map(|(number, what)| format!("{number} {what}")).collect()
    }

    /// What the table has no room for.
    fn details(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = shown(&self.feed);
        if let Some(reason) = &self.refused {
            writeln!(out, "{name}: refused: {}", shown(reason))?;
        }
        let besides = self.besides();
        if !besides.is_empty() {
            writeln!(out, "{name}: {}", besides.join(", "))?;
        }
        let lines: Vec<String> = self
            .lines
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        if !lines.is_empty() {
            let sum: u64 = self.lines.iter().map(|(_, count)| count).sum();
            writeln!(out, "{name}: {sum} lines: {}", lines.join(", "))?;
        }
        if let Some(ExplainedView { format, lines }) = &self.explained {
            writeln!(out, "{name}: {}", shown(format))?;
            for ExplainedLine { line, text, taken_for } in lines {
                writeln!(out, "{name}:{line}: `{}` is {}", shown(text), shown(taken_for))?;
            }
        }
        for RejectView { line, text, reason } in &self.rejects {
            writeln!(out, "{name}:{line}: {}: {}", shown(reason), shown(text))?;
        }
        let shown_count = self.rejects.len() as u64;
        match self.rejected.saturating_sub(shown_count) {
            more if more > 0 && shown_count > 0 => {
                writeln!(out, "{name}: and {more} more rejected lines")
            }
            _ => Ok(()),
        }
    }
}

/// Pairs as an object, in their order.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        pairs: &[(String, u64)],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_map(pairs.iter().map(|(name, count)| (name, count)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        text: D,
    ) -> Result<Vec<(String, u64)>, D::Error> {
        Ok(BTreeMap::deserialize(text)?.into_iter().collect())
    }
}
