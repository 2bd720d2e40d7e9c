//! The service as it is shipped, judged by systemd's own tool.

use std::fs;
use std::path::{Path, PathBuf};

use lab::program;
use lab::witness::{attempt, succeed};

/// `systemd-analyze security` says 10 for no sandbox at all.
const EXPOSURE_MAX: f64 = 1.5;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name)
}

#[test]
fn the_sandbox_is_as_tight_as_promised() {
    let unit = shipped("denyset.service");
    let report = succeed(
        "systemd-analyze",
        &["security".as_ref(), "--offline=true".as_ref(), "--no-pager".as_ref(), unit.as_os_str()],
    );
    let last = report.lines().rfind(|line| line.contains("Overall exposure level"));
    let level = last.and_then(|line| line.split_once(": ")?.1.split(' ').next()?.parse().ok());
    let level: f64 = level.unwrap_or_else(|| panic!("no exposure level in: {report}"));
    assert!(level <= EXPOSURE_MAX, "{report}");
}

#[test]
fn systemd_finds_no_mistake_in_the_unit() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = fs::read_to_string(shipped("denyset.service")).expect("the unit is there");
    // The program is not installed here; where it was built will do.
    let program = program::binary().to_string_lossy().into_owned();
    let unit = directory.path().join("denyset.service");
    fs::write(&unit, text.replace("/usr/bin/denyset", &program)).expect("a file can be written");
    let verify = [
        "verify".as_ref(),
        "--man=no".as_ref(),
        "--recursive-errors=no".as_ref(),
        unit.as_os_str(),
    ];
    if let Err(complaint) = attempt("systemd-analyze", &verify) {
        panic!("{complaint}");
    }
}
