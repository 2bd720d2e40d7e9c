//! The name servers of this host: those of `/etc/resolv.conf` and, where that
//! names a program on this host, those that this program asks in turn, from
//! the files that such programs are given or write.
//!
//! What is in configuration files of theirs that people write (`server=` of
//! dnsmasq, `forward-addr:` of unbound) is not read.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::limits::{FILE_BYTES_MAX, RECORDS_MAX};
use crate::part::{FactsPart, LookError};

/// Files in the runtime directory that name the servers behind a stub, all in
/// the form of `resolv.conf(5)`.
const UPSTREAM_FILES: [&str; 7] = [
    // systemd-resolved.service(8): all known uplink servers. Those of another
    // port than 53, and those of links that are no default route for names,
    // are not in it.
    "systemd/resolve/resolv.conf",
    // NetworkManager.conf(5), `rc-manager`: the servers that were given to a
    // plugin such as dnsmasq or systemd-resolved, and what it would write.
    "NetworkManager/no-stub-resolv.conf",
    "NetworkManager/resolv.conf",
    // Debian's `/etc/resolvconf/update.d/dnsmasq`, and openresolv as Debian
    // sets it up: the file that dnsmasq is started with.
    "dnsmasq/resolv.conf",
    // resolvconf(8), the file behind `/etc/resolv.conf`.
    "resolvconf/resolv.conf",
    // connman(8), which is a stub itself.
    "connman/resolv.conf",
    // netconfig(8) of SUSE, the file behind `/etc/resolv.conf`.
    "netconfig/resolv.conf",
];

/// Folders there whose every file is such a record, one for each interface
/// and the program that configured it.
const UPSTREAM_FOLDERS: [&str; 4] = [
    // resolvconf(8) of Debian; its `/etc/resolv.conf` names nobody after a
    // loopback address.
    "resolvconf/interface",
    // resolvconf(8) of openresolv.
    "resolvconf/interfaces",
    // dhcpcd(8), `20-resolv.conf`: up to version 9, and since.
    "dhcpcd/resolv.conf",
    "dhcpcd/hook-state/resolv.conf",
];

/// Where runtime directories are; the older name is still a directory of its
/// own on some hosts.
const RUNTIME: [&str; 2] = ["run", "var/run"];

/// Where this host says who resolves names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Files of the same form that name the servers behind a stub. None of
    /// them has to be there.
    pub upstream_files: Vec<PathBuf>,
    /// Folders of such files.
    pub upstream_folders: Vec<PathBuf>,
}

impl Default for Sources {
    fn default() -> Self {
        Self::under(Path::new("/"))
    }
}

impl Sources {
    /// The places of a host whose root directory is `root`.
    pub fn under(root: &Path) -> Self {
        let below = |paths: &[&str]| -> Vec<PathBuf> {
            let pairs = RUNTIME.iter().flat_map(|run| paths.iter().map(move |path| (run, path)));
            pairs.map(|(run, path)| root.join(run).join(path)).collect()
        };
        let mut upstream_folders = below(&UPSTREAM_FOLDERS);
        // Where that is no link to the first of them.
        upstream_folders.push(root.join("etc/resolvconf/run/interface"));
        Self {
            resolv_conf: root.join("etc/resolv.conf"),
            upstream_files: below(&UPSTREAM_FILES),
            upstream_folders,
        }
    }
}

/// The name servers. `own` are the addresses of this host, which may be those
/// of a stub as well as any loopback address.
///
/// No `resolv.conf`, or one without a server, means a server on this host
/// (`resolv.conf(5)`). Of the files behind a stub, those that are missing or
/// not for us to read are left out.
pub(crate) fn read(sources: &Sources, own: &[IpAddr]) -> Result<Vec<IpAddr>, LookError> {
    let mut found = Vec::new();
    let named = match read_file(&sources.resolv_conf) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => name_servers(&read.map_err(|error| failed(&sources.resolv_conf, &error))?),
    };
    let local =
        |server: &IpAddr| server.is_loopback() || server.is_unspecified() || own.contains(server);
    if named.is_empty() || named.iter().any(local) {
        for file in &sources.upstream_files {
            found.extend(read_optional(file)?);
        }
        for folder in &sources.upstream_folders {
            for file in records(folder)? {
                found.extend(read_optional(&file)?);
            }
        }
    }
    found.extend(named);
    Ok(found)
}

fn failed(path: &Path, error: &io::Error) -> LookError {
    LookError { part: FactsPart::Resolvers, detail: format!("{}: {error}", path.display()) }
}

/// Whether a file is not there for us. Anything else that goes wrong may be
/// over at the next look and must not look like a server that went away.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

fn read_optional(path: &Path) -> Result<Vec<IpAddr>, LookError> {
    match read_file(path) {
        Ok(text) => Ok(name_servers(&text)),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(failed(path, &error)),
    }
}

/// The files of a folder of records.
fn records(folder: &Path) -> Result<Vec<PathBuf>, LookError> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        if files.len() == RECORDS_MAX {
            let error = io::Error::other(format!("has more than {RECORDS_MAX} files"));
            return Err(failed(folder, &error));
        }
        // A link may lead to a record; a folder is none.
        if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The text of a file. Waits for nobody, as a named pipe would have us do.
fn read_file(path: &Path) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is no plain file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The addresses after `nameserver` (`resolv.conf(5)`).
fn name_servers(text: &str) -> Vec<IpAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let server = words.next().filter(|&word| word == "nameserver").and(words.next())?;
        address(server)
    });
    servers.collect()
}

/// An address as it is written there: `192.0.2.1`, `2001:db8::1`, with a scope
/// as in `fe80::1%eth0`; and in the form of resolved.conf(5), with a port, an
/// interface and a name: `192.0.2.1:53%eth0#name`, `[2001:db8::1]:53#name`.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.split('#').next()?.split('%').next()?;
    if let Some(bracketed) = word.strip_prefix('[') {
        return bracketed.split(']').next()?.parse().ok();
    }
    let with_port = || word.split_once(':')?.0.parse::<Ipv4Addr>().ok().map(IpAddr::from);
    word.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests;
