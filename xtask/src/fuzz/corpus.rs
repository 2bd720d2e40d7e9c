//! The committed corpus: a folder a target, a file an input, each named by what
//! is in it. It is kept small, since everybody downloads it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::target::Target;
use crate::{Failure, workspace};

/// What all of it may have together.
pub(super) const BYTES_MAX: u64 = 300 * 1024;

fn root() -> PathBuf {
    workspace::root().join("tests/fuzz/corpus")
}

/// The committed inputs of a target.
pub(super) fn folder(target: &Target) -> PathBuf {
    root().join(target.name)
}

/// Fails if there is nothing to begin with.
pub(super) fn check(target: &Target) -> Result<(), Failure> {
    let folder = folder(target);
    let files = if folder.is_dir() { files(&folder)? } else { Vec::new() };
    if files.is_empty() {
        return Err(format!("{} is empty: put a sample there", folder.display()).into());
    }
    Ok(())
}

/// Makes sure that a folder is there and has nothing in it.
pub(super) fn empty(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(fs::create_dir_all(folder)?),
    }
}

/// Puts the inputs in `merged` in place of the committed ones. Returns how many
/// they are, and their bytes.
pub(super) fn keep(target: &Target, merged: &Path) -> Result<(usize, u64), Failure> {
    let folder = folder(target);
    empty(&folder)?;
    let files = files(merged)?;
    for file in &files {
        fs::copy(file, folder.join(file.file_name().ok_or("a file has a name")?))?;
    }
    Ok((files.len(), bytes(&folder)?))
}

/// The size of all of it.
pub(super) fn bytes_of_all() -> Result<u64, Failure> {
    fs::read_dir(root())?.map(|folder| bytes(&folder?.path())).sum()
}

fn bytes(folder: &Path) -> Result<u64, Failure> {
    files(folder)?.iter().map(|file| Ok(file.metadata()?.len())).sum()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}
