//! Where things are in the checkout, and how cargo is called in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in a workspace")
}

/// The cargo that runs this chore.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Builds the program as it is shipped, and returns its path.
pub(crate) fn release_binary() -> Result<PathBuf, Failure> {
    println!("building the release …");
    Ok(lab::program::build(&target()?, true))
}

/// The target directory.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo names no target directory")?;
    Ok(target.into())
}

/// What cargo knows about the workspace, without its dependencies.
pub(crate) fn metadata() -> Result<serde_json::Value, Failure> {
    let mut cargo = Command::new(cargo());
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root());
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(format!("{cargo:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
