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

/// The units, and how exposed `systemd-analyze security` may find them.
const UNITS: [&str; 2] = ["denyset.service", "denyset-early.service"];

fn exposure(unit: &str) -> f64 {
    let unit = shipped(unit);
    let report = succeed(
        "systemd-analyze",
        &["security".as_ref(), "--offline=true".as_ref(), "--no-pager".as_ref(), unit.as_os_str()],
    );
    let last = report.lines().rfind(|line| line.contains("Overall exposure level"));
    let level = last.and_then(|line| line.split_once(": ")?.1.split(' ').next()?.parse().ok());
    level.unwrap_or_else(|| panic!("no exposure level in: {report}"))
}

#[test]
fn the_sandboxes_are_as_tight_as_promised() {
    let [daemon, early] = UNITS.map(exposure);
    assert!(daemon <= EXPOSURE_MAX, "{daemon}");
    assert!(early <= daemon, "{early} {daemon}");
}

#[test]
fn systemd_finds_no_mistake_in_the_units() {
    let directory = tempfile::tempdir().expect("a directory");
    // The program is not installed here; where it was built will do.
    let program = program::binary().to_string_lossy().into_owned();
    let units = UNITS.map(|name| {
        let text = fs::read_to_string(shipped(name)).expect("the unit is there");
        let unit = directory.path().join(name);
        let text = text.replace("/usr/bin/denyset", &program);
        fs::write(&unit, text).expect("a file can be written");
        unit
    });
    let verify = ["verify", "--man=no", "--recursive-errors=no"].map(AsRef::as_ref);
    let words: Vec<_> =
        verify.into_iter().chain(units.iter().map(|unit| unit.as_os_str())).collect();
    if let Err(complaint) = attempt("systemd-analyze", &words) {
        panic!("{complaint}");
    }
}
