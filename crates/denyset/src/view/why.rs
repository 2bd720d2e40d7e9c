//! What `why` prints: whether an address is blocked, who asked for it, what
//! speaks against it, and whether the kernel agrees.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::shown;

/// The document of `why`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WhyView {
    /// The address that was asked about.
    pub address: String,
    /// What becomes of it over all lists.
    pub verdict: AddressVerdict,
    /// The lists that have something to say about it.
    pub lists: Vec<ListAnswer>,
    /// Whether a set in the kernel holds it; `None` if it was not asked.
    pub kernel: Option<bool>,
    /// One sentence each on what could not be found out.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The rules that stop packets with it, in the order in which packets meet
    /// them.
    #[serde(default)]
    pub rules: Vec<RuleAnswer>,
    /// The rule that stops all packets from it that were asked about.
    #[serde(default)]
    pub decides: Option<String>,
    /// Connections with it that both sides have said something in; `None` if
    /// none are tracked.
    #[serde(default)]
    pub connections: Option<u64>,
}

/// A rule that stops packets with an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuleAnswer {
    /// Its name.
    pub rule: String,
    /// The set it asks.
    pub set: String,
    /// What it does, a phrase.
    pub does: String,
    /// Whether it does so to all packets from the address that were asked
    /// about.
    pub certain: bool,
    /// Whether it is in place.
    pub in_place: bool,
    /// Packets that it has stopped so far, of whatever address.
    pub packets: Option<u64>,
    /// Bytes of them.
    pub bytes: Option<u64>,
}

impl fmt::Display for RuleAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the rule {} {}", shown(&self.rule), shown(&self.does))?;
        match (self.in_place, self.packets, self.bytes) {
            (true, Some(packets), Some(bytes)) => {
                writeln!(out, "; so far {packets} packets of {bytes} bytes, from whomever")
            }
            (true, ..) => writeln!(out),
            (false, ..) => writeln!(out, "; it is not in place"),
        }
    }
}

/// What becomes of an address. The first outdoes the ones after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressVerdict {
    /// At least one list blocks it.
    Blocked,
    /// A feed names it, an allow entry wins, and no list blocks it.
    Allowed,
    /// No feed of any list names it.
    Unlisted,
}

impl fmt::Display for AddressVerdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Blocked => "blocked",
            Self::Allowed => "allowed",
            Self::Unlisted => "unlisted",
        })
    }
}

/// What one list says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListAnswer {
    /// The list.
    pub list: String,
    /// The member of its set that holds the address; `None` if none does.
    pub prefix: Option<String>,
    /// The lines that name the address.
    pub sources: Vec<SourceView>,
    /// What won over them; `None` if nothing did.
    pub allow: Option<AllowView>,
}

/// One line of one feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceView {
    /// The feed.
    pub feed: String,
    /// The line, from 1. 0 if it cannot be told, see [`WhyView::notes`].
    pub line: u64,
    /// Its beginning, or else what the feed holds.
    pub text: String,
}

/// What won over the feeds that name an address. The key says which it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum AllowView {
    /// An entry of a feed that the list allows.
    Feed(SourceView),
    /// An address or prefix in the list's `allow`.
    Literal {
        /// As a canonical CIDR.
        literal: String,
    },
    /// A category of `protect`, or what is protected by it.
    Protect {
        /// The category.
        protect: String,
    },
}

impl fmt::Display for AllowView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(source) => source.fmt(out),
            Self::Literal { literal } => write!(out, "allow = \"{}\"", shown(literal)),
            Self::Protect { protect } => write!(out, "protect = \"{}\"", shown(protect)),
        }
    }
}

impl fmt::Display for SourceView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (feed, text) = (shown(&self.feed), shown(&self.text));
        match self.line {
            0 => write!(out, "{feed}: {text}"),
            line => write!(out, "{feed}:{line}: {text}"),
        }
    }
}

impl fmt::Display for WhyView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} is {}", shown(&self.address), self.verdict)?;
        for answer in &self.lists {
            answer.fmt(out)?;
        }
        self.rules.iter().try_for_each(|rule| rule.fmt(out))?;
        if let Some(rule) = &self.decides {
            writeln!(out, "the rule {} decides", shown(rule))?;
        }
        if let Some(count @ 1..) = self.connections {
            writeln!(out, "connections with it that are open: {count}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "note: {}", shown(note)))?;
        match (self.kernel, self.verdict == AddressVerdict::Blocked) {
            (None, _) => writeln!(out, "the kernel was not asked"),
            (Some(true), true) => writeln!(out, "the kernel agrees: a set holds it"),
            (Some(false), false) => writeln!(out, "the kernel agrees: no set holds it"),
            (Some(true), false) => {
                writeln!(out, "the kernel does not agree: a set holds it; `denyset resync` repairs")
            }
            (Some(false), true) => {
                writeln!(
                    out,
                    "the kernel does not agree: no set holds it; `denyset resync` repairs"
                )
            }
        }
    }
}

impl fmt::Display for ListAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = shown(&self.list);
        match (&self.prefix, &self.allow) {
            (Some(prefix), _) => writeln!(out, "list {list} blocks it by {}", shown(prefix))?,
            (None, Some(allow)) => writeln!(out, "list {list} allows it by {allow}")?,
            (None, None) => writeln!(out, "list {list} does not block it")?,
        }
        self.sources.iter().try_for_each(|source| writeln!(out, "  {source}"))
    }
}
