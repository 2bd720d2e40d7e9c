//! What is known of the file of an export.

use std::path::PathBuf;
use std::time::SystemTime;

use blocklist::{ExportFormat, Exported};

/// One export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFacts {
    /// The list.
    pub list: String,
    /// Its form.
    pub format: ExportFormat,
    /// The file, or what leads to it.
    pub path: PathBuf,
    /// What is in it; `None` if this daemon has not looked after it yet.
    pub written: Option<WrittenFacts>,
    /// Why the file is not as it should be.
    pub failure: Option<String>,
}

/// A file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenFacts {
    /// The generation whose members it has.
    pub generation: u64,
    /// When the file was written.
    pub at: SystemTime,
    /// What is in it.
    pub exported: Exported,
}
