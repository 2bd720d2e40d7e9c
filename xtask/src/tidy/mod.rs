//! The house rules that a program can check. When one fails, the answer is a
//! better cut, never squeezed lines.

mod edges;
mod names;
mod rooms;
mod rules;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, workspace};

/// Folders with the project's own source text.
const FOLDERS: [&str; 3] = ["crates", "tests", "xtask"];

/// Folders in these that are not its own text.
const PASSED_OVER: [&str; 4] = ["target", "corpus", "artifacts", "coverage"];

/// Checks everything and prints each breach with its place.
pub(crate) fn run() -> Result<(), Failure> {
    let root = workspace::root();
    let mut breaches = edges::breaches(&workspace::metadata()?);
    breaches.extend(map_breaches(root)?);
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort_unstable();
    let mut sources = Vec::with_capacity(files.len());
    for file in &files {
        let text = fs::read_to_string(file)?;
        let path = file.strip_prefix(root)?.to_string_lossy();
        sources.push(source::Source::new(&path, &text));
    }
    breaches.extend(sources.iter().flat_map(rules::breaches));
    breaches.extend(rooms::breaches(&sources));
    breaches.extend(names::breaches(&sources));
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        return Err(format!("tidy: {} breaches of the house rules", breaches.len()).into());
    }
    println!("tidy: {} files keep the house rules", files.len());
    Ok(())
}

/// The source files below `folder`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let passed_over = || PASSED_OVER.iter().any(|name| path.ends_with(name));
        if path.is_dir() && !passed_over() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The map must show every crate.
fn map_breaches(root: &Path) -> Result<Vec<String>, Failure> {
    let map = fs::read_to_string(root.join("crates/README.md"))?;
    let mut breaches = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !map.contains(&format!("`{name}`")) {
            breaches.push(format!("crates/README.md: the crate `{name}` is not on the map"));
        }
    }
    Ok(breaches)
}
