//! The service as it is shipped, judged by systemd's own tools, and installed
//! below a directory as the README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lab::gateway;
use lab::program;
use lab::witness::{attempt, succeed};

use crate::has_other_users;

/// `systemd-analyze security` says 10 for no sandbox at all.
const EXPOSURE_MAX: f64 = 1.5;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(name)
}

/// The same of what needs no privilege.
const UNPRIVILEGED_MAX: f64 = 1.3;

/// The units that are installed together.
const UNITS: [&str; 2] = ["denyset.service", "denyset-early.service"];
/// The units that have web servers load exports, for whoever enables them.
const EXPORTS: [&str; 6] = [
    "denyset-export-nginx.path",
    "denyset-export-nginx.service",
    "denyset-export-haproxy.path",
    "denyset-export-haproxy.service",
    "denyset-export-apache.path",
    "denyset-export-apache.service",
];
/// The unit that web servers ask.
const GATEWAY: &str = "denyset-gateway.service";

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
    let gateway = exposure(GATEWAY);
    assert!(gateway <= UNPRIVILEGED_MAX, "{gateway}");
}

#[test]
fn systemd_finds_no_mistake_in_the_units() {
    let directory = tempfile::tempdir().expect("a directory");
    // The programs are not installed here; where they were built will do.
    let programs = program::binary().parent().expect("it is in a directory");
    let programs = format!("{}/denyset", programs.display());
    gateway::binary();
    let [daemon, early] = UNITS;
    let names = [daemon, early, GATEWAY].into_iter().chain(EXPORTS);
    let units: Vec<_> = names
        .map(|name| {
            let text = fs::read_to_string(shipped(name)).expect("the unit is there");
            let unit = directory.path().join(name);
            let text = text.replace("/usr/bin/denyset", &programs);
            fs::write(&unit, text).expect("a file can be written");
            unit
        })
        .collect();
    let verify = ["verify", "--man=no", "--recursive-errors=no"].map(AsRef::as_ref);
    let words: Vec<_> =
        verify.into_iter().chain(units.iter().map(|unit| unit.as_os_str())).collect();
    if let Err(complaint) = attempt("systemd-analyze", &words) {
        panic!("{complaint}");
    }
}

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));

/// The commands of a section of the README, a block of lines each.
fn blocks(section: &str) -> Vec<String> {
    let (_, section) = README.split_once(&format!("## {section}\n")).expect("it is there");
    let (section, _) = section.split_once("\n## ").expect("another section follows");
    let code = |text: &&str| text.starts_with("    ");
    let lines = |block: &str| block.lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    section.split("\n\n").filter(code).map(lines).collect()
}

/// A command of the README that writes below `root` and not elsewhere.
fn below(root: &Path, line: &str) -> Option<Vec<String>> {
    let root = root.display();
    let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
    match words[0].as_str() {
        "install" => {
            let named = words.iter().position(|word| word == "-t").map(|at| at + 1);
            let at = named.unwrap_or(words.len() - 1);
            let target = &mut words[at];
            assert!(target.starts_with('/'), "{line}");
            target.insert_str(0, &root.to_string());
            for source in &mut words {
                match &**source {
                    "target/release/denyset" => *source = text_of(program::binary()),
                    "target/release/denyset-gateway" => *source = text_of(gateway::binary()),
                    _ => {}
                }
            }
        }
        "systemd-sysusers" | "systemd-tmpfiles" => words.push(format!("--root={root}")),
        "usermod" => words.insert(1, format!("--prefix={root}")),
        "systemctl" if words[1] == "daemon-reload" => return None,
        "systemctl" => {
            let unit = words.pop().expect("it has a unit");
            assert_eq!(words, ["systemctl", "enable", "--now"], "{line}");
            return Some(vec!["systemctl".into(), format!("--root={root}"), "enable".into(), unit]);
        }
        _ => assert!(line.starts_with("cargo build --release --package denyset"), "{line}"),
    }
    (words[0] != "cargo").then_some(words)
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Does what a block of the README says below `root`.
fn follow(root: &Path, block: &str) {
    for line in block.lines().flat_map(|line| line.split(" && ")) {
        if let Some(words) = below(root, line) {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).current_dir(shipped("..")).stdin(Stdio::null());
            let status = command.status().expect("it can be started");
            assert!(status.success(), "{words:?}");
        }
    }
}

#[test]
fn the_readme_installs_the_service_where_nothing_is_yet() {
    if !has_other_users() {
        return;
    }
    let root = tempfile::tempdir().expect("a directory");
    let blocks = blocks("Install it as a service");
    let [install, list, rule, _, start, ..] = blocks.as_slice() else { panic!("{blocks:?}") };
    // A minimal system has no more than this.
    fs::create_dir_all(root.path().join("etc")).expect("a directory");
    follow(root.path(), install);
    assert!(start.contains("systemctl enable --now denyset"), "{start}");
    let root_option = format!("--root={}", root.path().display());
    succeed("systemctl", &[&root_option, "enable", "denyset"]);
    for unit in UNITS {
        let wanted = root.path().join("etc/systemd/system/multi-user.target.wants").join(unit);
        assert!(fs::symlink_metadata(&wanted).is_ok(), "{} is not enabled", wanted.display());
    }
    // The configuration with the list, the rule and a feed is a good one.
    let place = |path: &str| root.path().join(path);
    let config = place("etc/denyset/denyset.toml");
    let text = fs::read_to_string(&config).expect("it is installed") + list + "\n" + rule;
    let var = format!("{}/var/lib/denyset", root.path().display());
    fs::write(&config, text.replace("/var/lib/denyset", &var)).expect("it is ours");
    let feed = place("var/lib/denyset/feeds/example.netset");
    fs::copy(shipped("../config/example-feed.netset"), &feed).expect("feeds-dir is there");
    assert!(place("var/lib/denyset/state").is_dir());
    let words = ["check".as_ref(), "--config".as_ref(), config.as_os_str()];
    program::run(words).exits(0);
}

#[test]
fn the_readme_installs_the_gateway_and_what_web_servers_need() {
    if !has_other_users() {
        return;
    }
    let root = tempfile::tempdir().expect("a directory");
    let place = |path: &str| root.path().join(path);
    fs::create_dir_all(place("etc/sysusers.d")).expect("a directory");
    // The user that Debian has for web servers.
    fs::write(place("etc/sysusers.d/www.conf"), "u www-data 33\n").expect("written");
    let blocks = blocks("Let web servers ask");
    let [install, ask, nginx, include, export, units, ..] = blocks.as_slice() else {
        panic!("{blocks:?}")
    };
    follow(root.path(), install);
    follow(root.path(), nginx);
    follow(root.path(), units);
    assert!(ask.contains("/run/denyset-gateway/http.sock"), "{ask}");
    assert!(export.contains("/var/lib/denyset/export/"), "{export}");
    for unit in [GATEWAY, "denyset-export-nginx.path"] {
        let link = format!("etc/systemd/system/multi-user.target.wants/{unit}");
        assert!(fs::symlink_metadata(place(&link)).is_ok(), "{unit} is not enabled");
    }
    // What the unit of the reload starts is there too.
    assert!(place("etc/systemd/system/denyset-export-nginx.service").exists());
    let groups = fs::read_to_string(place("etc/group")).expect("sysusers has made it");
    let members = |group: &str| {
        let line = groups.lines().find(|line| line.starts_with(&format!("{group}:")));
        line.and_then(|line| line.rsplit(':').next()).expect("there is such a group").to_owned()
    };
    assert_eq!(members("denyset-gateway"), "www-data");
    assert_eq!(members("denyset"), "denyset-gateway");
    for file in include.split_whitespace().filter_map(|word| word.strip_prefix("/etc/nginx/")) {
        let file = file.trim_end_matches(';');
        assert!(place("etc/nginx").join(file).exists(), "{file} is included and not installed");
    }
    let settings = text_of(&place("etc/denyset/denyset-gateway.toml"));
    succeed(&text_of(gateway::binary()), &["--check", "--config", &settings]);
}
