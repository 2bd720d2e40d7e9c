//! The document of `denyset status`, and of the file `status.json` that the
//! daemon leaves beside its lists, as one who reads it has it: what is not there
//! is empty, and what is not known here is passed over. A daemon of another
//! version may say less or more.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// What the daemon holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct StatusDocument {
    /// Whether the kernel holds what it should hold.
    pub in_sync: bool,
    /// One sentence each on what does not work as it should.
    pub degraded: Vec<String>,
    /// One sentence each on what works as it can, and is worth knowing.
    pub remarks: Vec<String>,
    /// One sentence each on what lets packets through though all is well.
    pub warnings: Vec<String>,
    /// The number of the desired state.
    pub generation: u64,
    /// For how long the daemon has been running; `None` in the file.
    pub uptime_seconds: Option<u64>,
    /// The sets of the kernel.
    pub sets: Vec<SetFigures>,
    /// The rules, with what they have counted; none in the file.
    pub rules: Vec<RuleFigures>,
    /// The feeds.
    pub feeds: Vec<FeedFigures>,
    /// The files for other programs.
    pub exports: Vec<ExportFigures>,
    /// What was refused since the daemon began.
    pub refusals: Vec<RefusalFigures>,
    /// How long changes of the kernel took since then; `None` if that is not said.
    pub applies: Option<AppliesFigures>,
}

/// One file for another program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ExportFigures {
    /// The file.
    pub path: String,
    /// The list that is in it.
    pub list: String,
    /// Its form.
    pub format: String,
    /// When it was last written, in seconds since 1970.
    #[serde(deserialize_with = "moment")]
    pub last_written: Option<i64>,
    /// Prefixes in it.
    pub entries: Option<u64>,
    /// Prefixes of IPv6 that its form cannot carry.
    pub left_out: Option<u64>,
    /// Why it is not as it should be.
    pub failed: Option<String>,
}

/// How often a guard has refused versions of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RefusalFigures {
    /// The feed; empty if it was the configuration.
    pub feed: String,
    /// The guard.
    pub guard: String,
    /// How often.
    pub count: u64,
}

/// How long changes of the kernel took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AppliesFigures {
    /// How many there were.
    pub count: u64,
    /// How long they took together, in microseconds.
    pub total_us: u64,
    /// How many took no longer than so long.
    pub within: Vec<AppliesWithinFigures>,
}

/// How many changes took no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AppliesWithinFigures {
    /// Milliseconds.
    pub ms: u64,
    /// How many.
    pub count: u64,
}

/// One set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct SetFigures {
    /// Its name in the kernel.
    pub set: String,
    /// The list it is of.
    pub list: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// How many members it has.
    pub members: u64,
    /// Whether its members are let in, and nobody else.
    pub admits: bool,
    /// When it was last changed, in seconds since 1970.
    #[serde(deserialize_with = "moment")]
    pub last_applied: Option<i64>,
    /// When it was last compared with the kernel, in seconds since 1970.
    #[serde(deserialize_with = "moment")]
    pub last_verified: Option<i64>,
}

/// One rule of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RuleFigures {
    /// Its name.
    pub rule: String,
    /// The set it asks.
    pub set: String,
    /// Whether it was last seen in place.
    pub in_place: bool,
    /// Packets it has stopped; `None` if that could not be read.
    pub packets: Option<u64>,
    /// The bytes of these.
    pub bytes: Option<u64>,
}

/// One feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct FeedFigures {
    /// Its name.
    pub feed: String,
    /// The format it is read as.
    pub format: String,
    /// Entries of the version in force.
    pub entries: u64,
    /// Rejected lines of the version in force.
    pub rejected: u64,
    /// `current`, `refused`, `stale` or `gone`.
    pub state: String,
    /// Since when it is in this state, in seconds since 1970.
    #[serde(deserialize_with = "moment")]
    pub since: Option<i64>,
    /// Since when the version in force is that, in seconds since 1970; `None` if
    /// there is none.
    #[serde(deserialize_with = "moment")]
    pub last_good: Option<i64>,
    /// Why the version of its file is refused.
    pub refused: Option<String>,
    /// The command that lets that version through.
    pub accept: Option<String>,
}

impl StatusDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is none: what is wrong, and where.
    pub fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// The sets of a list.
    pub fn sets_of<'a>(&'a self, list: &'a str) -> impl Iterator<Item = &'a SetFigures> {
        self.sets.iter().filter(move |set| set.list == list)
    }
}

/// A time of RFC 3339, or null. What is no time is nobody's.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let moment = text.and_then(|text| text.parse::<Timestamp>().ok());
    Ok(moment.map(Timestamp::as_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Option<&StatusDocument>) {
        assert_eq!(StatusDocument::read(text.as_bytes()).ok().as_ref(), want, "{text}");
    }

    #[test]
    fn a_document_is_read_as_far_as_it_is_known() {
        check("{}", Some(&StatusDocument::default()));
        let set = SetFigures {
            set: "denyset-drop-v4".into(),
            list: "drop".into(),
            family: "ipv4".into(),
            members: 7,
            admits: false,
            last_applied: None,
            last_verified: Some(1_700_000_000),
        };
        let want =
            StatusDocument { in_sync: true, sets: vec![set.clone()], ..StatusDocument::default() };
        check(
            r#"{"in-sync": true, "news": [1], "sets": [{"set": "denyset-drop-v4", "list": "drop",
                "family": "ipv4", "members": 7, "references": 1, "last-applied": null,
                "last-verified": "2023-11-14T22:13:20Z"}]}"#,
            Some(&want),
        );
        assert_eq!(want.sets_of("drop").collect::<Vec<_>>(), [&set]);
        for bad in ["", "7", "{\"sets\": 7}", "{\"in-sync\": true"] {
            check(bad, None);
        }
    }
}
