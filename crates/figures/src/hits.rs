//! The document of `denyset hits`, as far as figures are made of it. What is not
//! there is empty, and what is not known here is passed over.

use serde::Deserialize;

/// What was hit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct HitsDocument {
    /// Whether packets are looked at now.
    pub listening: bool,
    /// By feed and rule.
    pub feeds: Vec<FeedHitFigures>,
    /// Packets that the kernel has shown and that were not counted in time.
    pub lost: u64,
}

/// What was hit of one feed by one rule.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct FeedHitFigures {
    /// The name of the feed.
    pub feed: String,
    /// The rule.
    pub rule: String,
    /// Packets that were looked at and that the feed has asked to be stopped.
    pub samples: u64,
    /// Of all packets of the rule that were looked at, in percent.
    pub share: f64,
}

impl HitsDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is none: what is wrong, and where.
    pub fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}
