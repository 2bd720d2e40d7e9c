//! The witness: the programs that administrators use, run for real. What they
//! print is the truth that the project is measured against, so nothing of the
//! project's own reads it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::members::{SortedPrefixes, prefix};

/// Where iptables locks: `/run` is not writable in every user namespace, and
/// the lock of the machine is none of our business.
const XTABLES_LOCK: &str = "/tmp/denyset-tests-xtables.lock";

/// Whether there is such a program here.
pub fn is_there(program: &str) -> bool {
    let quiet = || Stdio::null();
    let mut command = Command::new(program);
    command.arg("--version").stdin(quiet()).stdout(quiet()).stderr(quiet()).status().is_ok()
}

/// Runs a program and returns what it printed.
///
/// # Panics
/// If it cannot be started or fails, with what it said.
pub fn succeed<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    match attempt(program, arguments) {
        Ok(text) => text,
        Err(complaint) => panic!("{complaint}"),
    }
}

/// Runs a program and returns what it printed, or what it complained of.
///
/// # Errors
/// The command line, exit status and standard error of a program that failed.
///
/// # Panics
/// If it cannot be started.
pub fn attempt<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env("XTABLES_LOCKFILE", XTABLES_LOCK).stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| cannot_start(program, &error));
    let Output { status, stdout, stderr } = output;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        Err(format!("{command:?} failed, {status}: {}", String::from_utf8_lossy(&stderr).trim()))
    }
}

/// Runs a program with `input` as its standard input, to its end. What it
/// thinks of it is for whoever asked.
///
/// # Panics
/// If it cannot be started, or ends before it has read everything.
pub fn fed<S: AsRef<OsStr>>(program: &str, arguments: &[S], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| cannot_start(program, &error));
    let mut pipe = child.stdin.take().expect("standard input is a pipe");
    thread::scope(|scope| {
        // While the program waits for somebody to read what it has printed.
        scope.spawn(move || pipe.write_all(input).expect("the program reads its input"));
        child.wait_with_output().expect("a child can be waited for")
    })
}

fn cannot_start(program: &str, error: &io::Error) -> ! {
    panic!("cannot start `{program}`: {error}; `.ci/run` installs what the tests need")
}

/// `ipset` with the words of `line`.
///
/// # Panics
/// If it fails.
pub fn ipset(line: &str) -> String {
    succeed("ipset", &words(line))
}

/// `iptables` with the words of `line`; it waits for its lock.
///
/// # Panics
/// If it fails.
pub fn iptables(line: &str) -> String {
    succeed("iptables", &words(line))
}

/// `ip6tables` with the words of `line`.
///
/// # Panics
/// If it fails.
pub fn ip6tables(line: &str) -> String {
    succeed("ip6tables", &words(line))
}

/// `ip` with the words of `line`.
///
/// # Panics
/// If it fails.
pub fn ip(line: &str) -> String {
    succeed("ip", &words(line))
}

/// `iprange` with options and files. It prints IPv4 prefixes only.
///
/// # Panics
/// If it fails.
pub fn iprange<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    succeed("iprange", arguments)
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Fills sets from a file in the format of `ipset save`.
///
/// # Panics
/// If `ipset restore` fails.
pub fn ipset_restore(file: &Path) {
    succeed("ipset", &["restore".as_ref(), "-file".as_ref(), file.as_os_str()]);
}

/// Puts a rule into INPUT that drops what comes from a member of `set`; the
/// set's name says which family it is of.
///
/// # Panics
/// If the rule cannot be put there, for example because the set is missing.
pub fn drop_from(set: &str) {
    let rule = format!("-A INPUT -m set --match-set {set} src -j DROP");
    if set.ends_with("-v6") {
        ip6tables(&rule)
    } else {
        iptables(&rule)
    };
}

/// A set as `ipset save` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSet {
    /// Its name.
    pub name: String,
    /// The rest of its `create` line: type, family, sizes, initval.
    pub create: String,
    /// Its members.
    pub members: SortedPrefixes,
}

/// All sets of this namespace, in the kernel's order.
///
/// # Panics
/// If `ipset save` fails or prints what it is not known to print.
pub fn saved() -> Vec<SavedSet> {
    save(&["save"]).unwrap_or_else(|said| panic!("{said}"))
}

/// The set called `name`, if there is one. No other is walked for it.
///
/// # Panics
/// As [`saved`].
pub fn saved_set(name: &str) -> Option<SavedSet> {
    match save(&["save", name]) {
        Ok(sets) => sets.into_iter().next(),
        Err(said) if said.contains("The set with the given name does not exist") => None,
        Err(said) => panic!("{said}"),
    }
}

/// What `ipset` prints, or what it complains of.
fn save(arguments: &[&str]) -> Result<Vec<SavedSet>, String> {
    let mut command = Command::new("ipset");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| cannot_start("ipset", &error));
    // A million members are read while the next are printed.
    let sets = read_save(BufReader::new(child.stdout.take().expect("standard output is a pipe")));
    let Output { status, stderr, .. } = child.wait_with_output().expect("it can be waited for");
    if status.success() {
        Ok(sets)
    } else {
        Err(format!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr)))
    }
}

/// The members of the set called `name`.
///
/// # Panics
/// If there is none, and as [`saved`].
pub fn members(name: &str) -> SortedPrefixes {
    let missing = || panic!("there is no set {name}, only {:?}", names());
    saved_set(name).unwrap_or_else(missing).members
}

/// The names of all sets, sorted.
///
/// # Panics
/// If `ipset list` fails.
pub fn names() -> Vec<String> {
    let mut names: Vec<_> = ipset("list -name").lines().map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Reads what `ipset save` prints.
fn read_save(mut printed: impl BufRead) -> Vec<SavedSet> {
    let mut sets: Vec<SavedSet> = Vec::new();
    let mut entries = Vec::new();
    let finish = |sets: &mut Vec<SavedSet>, entries: &mut Vec<(IpAddr, u8)>| {
        if let Some(set) = sets.last_mut() {
            set.members = entries.drain(..).collect();
        }
    };
    let mut line = String::new();
    while printed.read_line(&mut line).expect("`ipset save` prints text") > 0 {
        let said = line.trim_end();
        if let Some(rest) = said.strip_prefix("create ") {
            finish(&mut sets, &mut entries);
            let (name, create) = rest.split_once(' ').expect("a name, then a type");
            let [name, create] = [name, create].map(str::to_owned);
            sets.push(SavedSet { name, create, members: SortedPrefixes::default() });
        } else if let Some(rest) = said.strip_prefix("add ") {
            let entry = rest.split(' ').nth(1).expect("a set, then a member");
            // Sets of other types than ours have members that are no prefixes.
            entries.extend(prefix(entry));
        } else {
            panic!("`ipset save` printed a line of an unknown kind: {line:?}");
        }
        line.clear();
    }
    finish(&mut sets, &mut entries);
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ipset_saves_is_read_set_by_set() {
        let text = "create a hash:net family inet hashsize 64\nadd a 10.0.0.0/8\nadd a 1.2.3.4\n\
                    create b list:set size 8\nadd b a\ncreate c hash:net family inet6\nadd c 2a00::/16\n";
        let sets = read_save(text.as_bytes());
        let got: Vec<_> = sets.iter().map(|set| (&*set.name, set.members.to_string())).collect();
        assert_eq!(
            got,
            [
                ("a", "1.2.3.4 10.0.0.0/8".to_owned()),
                ("b", String::new()),
                ("c", "2a00::/16".to_owned()),
            ]
        );
        assert_eq!(sets[1].create, "list:set size 8");
    }
}
