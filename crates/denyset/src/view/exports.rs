//! What `status` says of exports, and of what was counted.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::text::shown;

/// One export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExportStatus {
    /// The file.
    pub path: String,
    /// The list that is in it.
    pub list: String,
    /// Its form.
    pub format: String,
    /// The generation whose members it has; `None` if it was not written yet.
    pub generation: Option<u64>,
    /// When it was last written.
    pub last_written: Option<Moment>,
    /// Prefixes in it.
    pub entries: Option<u64>,
    /// Prefixes of IPv6 that the form cannot carry.
    pub left_out: Option<u64>,
    /// Why it is not as it should be; `None` if it is.
    pub failed: Option<String>,
}

impl fmt::Display for ExportStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, format, list) = (shown(&self.path), shown(&self.format), shown(&self.list));
        write!(out, "export: {path}, list {list} as {format}, ")?;
        match (self.generation, self.last_written, self.entries) {
            (Some(generation), Some(at), Some(entries)) => {
                write!(out, "generation {generation}, {entries} prefixes, written {at}")?;
            }
            _ => write!(out, "not written yet")?,
        }
        if let Some(left_out) = self.left_out.filter(|left_out| *left_out > 0) {
            write!(out, ", without {left_out} of IPv6")?;
        }
        if let Some(failed) = &self.failed {
            write!(out, "; it stays so: {}", shown(failed))?;
        }
        writeln!(out)
    }
}

/// How often versions of a feed were refused by one guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefusalCount {
    /// The feed; empty if it was the configuration.
    pub feed: String,
    /// The guard, as its key in the configuration or in the same style.
    pub guard: String,
    /// How often.
    pub count: u64,
}

/// How long changes of the kernel took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliesView {
    /// How many there were.
    pub count: u64,
    /// How long all of them took together.
    pub total_us: u64,
    /// How many took no longer than so many milliseconds.
    pub within: Vec<AppliesWithin>,
}

/// How many changes of the kernel took no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliesWithin {
    /// Milliseconds.
    pub ms: u64,
    /// How many took no longer.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(export: &ExportStatus, text: &str, json: &str) {
        assert_eq!(export.to_string(), format!("{text}\n"));
        let found = serde_json::to_value(export).expect("a document is JSON");
        assert_eq!(found, serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
    }

    #[test]
    fn an_export_is_told_with_what_is_in_it_and_why_it_stays() {
        let begun = ExportStatus {
            path: "/e/drop.geo".into(),
            list: "drop".into(),
            format: "nginx-geo".into(),
            generation: None,
            last_written: None,
            entries: None,
            left_out: None,
            failed: None,
        };
        check(
            &begun,
            "export: /e/drop.geo, list drop as nginx-geo, not written yet",
            r#"{"path": "/e/drop.geo", "list": "drop", "format": "nginx-geo", "generation": null,
                "last-written": null, "entries": null, "left-out": null, "failed": null}"#,
        );
        let full = ExportStatus {
            generation: Some(2),
            last_written: Some("2026-11-23T07:30:00Z".parse().expect("a moment")),
            entries: Some(12),
            left_out: Some(1),
            failed: Some("No space left".into()),
            ..begun
        };
        check(
            &full,
            "export: /e/drop.geo, list drop as nginx-geo, generation 2, 12 prefixes, written \
             2026-11-23T07:30:00Z, without 1 of IPv6; it stays so: No space left",
            r#"{"path": "/e/drop.geo", "list": "drop", "format": "nginx-geo", "generation": 2,
                "last-written": "2026-11-23T07:30:00Z", "entries": 12, "left-out": 1,
                "failed": "No space left"}"#,
        );
    }
}
