//! The programs that the tests use as witnesses. Who is root on a Debian
//! machine without them gets them installed; everybody else is told the one
//! line to run.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, apart, workspace};

/// Which program is in which package, relative to the workspace.
const LIST: &str = ".ci/packages";

/// Where programs for root are, which is not on everybody's path.
const FOR_ROOT: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Makes sure that all of them are there.
pub(crate) fn ensure() -> Result<(), Failure> {
    let list = fs::read_to_string(workspace::root().join(LIST))?;
    let places = places();
    let missing = missing(&list, |program| places.iter().any(|place| place.join(program).exists()));
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !apart::is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("programs are missing; as root on Debian: {line}").into());
    }
    println!("==> {line}");
    let _no_services = NoServices::begin()?;
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(missing)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

/// What Debian's packages ask before they start a service: invoke-rc.d(8).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While it is there no package starts a service: the tests want the programs, and
/// start them themselves. A policy that somebody else has made is left as it is.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        match made {
            Ok(mut file) => {
                // From here on it goes again, whatever happens.
                let ours = Self { is_ours: true };
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Ok(ours)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { is_ours: false }),
            Err(error) => Err(format!("cannot make {POLICY}: {error}").into()),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("{POLICY} stays and keeps services from starting: {error}");
        }
    }
}

fn places() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(FOR_ROOT.map(PathBuf::from)).collect()
}

/// The packages of the programs that are not there, each once.
fn missing(list: &str, is_there: impl Fn(&str) -> bool) -> Vec<&str> {
    let pairs = list.lines().filter(|line| !line.starts_with('#'));
    let pairs = pairs.filter_map(|line| line.split_once(' '));
    let mut packages: Vec<_> =
        pairs.filter(|(program, _)| !is_there(program)).map(|(_, package)| package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn run(command: &mut Command) -> Result<(), Failure> {
    match command.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("{command:?} ended with {status}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_that_is_missing_is_named_once() {
        let list = "# a program, and its package\nipset ipset\niptables iptables\n\
                    ip6tables iptables\nip iproute2\n";
        let check = |there: &[&str], want: &[&str]| {
            assert_eq!(missing(list, |program| there.contains(&program)), want);
        };
        check(&["ipset", "iptables", "ip6tables", "ip"], &[]);
        check(&["ip"], &["ipset", "iptables"]);
        check(&["ipset", "iptables"], &["iproute2", "iptables"]);
    }
}
