//! Where servers of SSH listen. Nobody says it in one place: a process may be
//! hidden, a unit may hold the socket for it, a file may not be for us to read.
//! So port 22 always counts, and whatever any of these places says besides.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::TcpSocket;
use crate::limits::{PROCESSES_MAX, RECORDS_MAX};

/// RFC 4253, section 4.1.
const PORT: u16 = 22;

/// Names of the process, as in `/proc/PID/comm`.
const PROCESSES: [&str; 2] = ["sshd", "dropbear"];

/// Bytes of a name with the end of its line (`TASK_COMM_LEN`, `proc_pid_comm(5)`).
const NAME_BYTES: usize = 16;

/// Names of the unit that the process is, which is the control group that its
/// socket is made in.
const UNITS: [&str; 4] =
    ["ssh.service", "sshd.service", "dropbear.service", "sshd-unix-local.service"];

/// Where control groups are, unified or beside those of version 1.
const GROUPS: [&str; 2] = ["sys/fs/cgroup/system.slice", "sys/fs/cgroup/unified/system.slice"];

/// Files that name ports: `sshd_config(5)`, and the unit of a socket that systemd
/// holds for the server (`systemd.socket(5)`), as far as the port is not 22.
const FILES: [&str; 3] =
    ["etc/ssh/sshd_config", "etc/systemd/system/ssh.socket", "etc/systemd/system/sshd.socket"];

/// Folders of such files. The last is written by what makes a socket of
/// `sshd_config` at boot.
const FOLDERS: [&str; 4] = [
    "etc/ssh/sshd_config.d",
    "etc/systemd/system/ssh.socket.d",
    "etc/systemd/system/sshd.socket.d",
    "run/systemd/generator/ssh.socket.d",
];

/// The ports of servers of SSH among sockets that listen, and 22.
pub(super) fn ports(listening: &[TcpSocket]) -> BTreeSet<u16> {
    ports_under(Path::new("/"), listening)
}

fn ports_under(root: &Path, listening: &[TcpSocket]) -> BTreeSet<u16> {
    let mut ports = BTreeSet::from([PORT]);
    let groups: BTreeSet<u64> = groups(root).collect();
    let inodes = inodes(root);
    let of_ssh = listening.iter().filter(|socket| {
        socket.cgroup.is_some_and(|group| groups.contains(&group)) || inodes.contains(&socket.inode)
    });
    ports.extend(of_ssh.map(|socket| socket.local_port));
    ports.extend(files(root).iter().filter_map(|file| fs::read_to_string(file).ok()).flat_map(
        |text| {
            let named: Vec<u16> = text.lines().filter_map(port).collect();
            named
        },
    ));
    ports
}

/// The numbers of the control groups of servers: those of their folders
/// (`kernfs_id_ino`, `include/linux/kernfs.h`).
fn groups(root: &Path) -> impl Iterator<Item = u64> + '_ {
    let folders = GROUPS.iter().flat_map(|group| UNITS.iter().map(move |unit| (group, unit)));
    folders.filter_map(|(group, unit)| {
        let folder = fs::metadata(root.join(group).join(unit)).ok()?;
        Some(folder.ino())
    })
}

/// The sockets that processes of that name have open, as far as we may look.
fn inodes(root: &Path) -> BTreeSet<u32> {
    let Ok(processes) = fs::read_dir(root.join("proc")) else { return BTreeSet::new() };
    let processes = processes.take(PROCESSES_MAX).flatten().filter(|process| {
        let number = process.file_name();
        number.as_encoded_bytes().iter().all(u8::is_ascii_digit)
            && name(&process.path()).is_ok_and(|name| is_of_ssh(&name))
    });
    let opened = processes.filter_map(|process| fs::read_dir(process.path().join("fd")).ok());
    let links = opened.flat_map(|files| files.take(RECORDS_MAX).flatten());
    links.filter_map(|link| socket(&fs::read_link(link.path()).ok()?)).collect()
}

/// What a process is called, filled up with zeros. There may be a thousand of them:
/// it is one call to read it, where a file of unknown length takes three.
fn name(process: &Path) -> io::Result<[u8; NAME_BYTES]> {
    let mut name = [0; NAME_BYTES];
    let _ = File::open(process.join("comm"))?.read(&mut name)?;
    Ok(name)
}

fn is_of_ssh(name: &[u8; NAME_BYTES]) -> bool {
    let end = name.iter().position(|&byte| byte == b'\n').unwrap_or(NAME_BYTES);
    PROCESSES.iter().any(|of_ssh| of_ssh.as_bytes() == &name[..end])
}

/// `socket:[4711]` (`proc_pid_fd(5)`).
fn socket(link: &Path) -> Option<u32> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        let paths = entries.take(RECORDS_MAX).flatten().map(|entry| entry.path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "conf")));
    }
    files
}

/// The port in a line: `Port 2222`, `ListenAddress 192.0.2.1:2222`,
/// `ListenAddress [::]:2222`, `ListenStream=2222`, `ListenStream=[::]:2222`.
fn port(line: &str) -> Option<u16> {
    let line = line.trim_start();
    let end = line.find(|c: char| !c.is_ascii_alphabetic())?;
    let (key, value) = line.split_at(end);
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || c == '=' || c == '"');
    let alone = || value.parse().ok();
    let behind = || {
        let (address, port) = value.split_whitespace().next()?.rsplit_once(':')?;
        // Of an IPv6 address without brackets it would be the last group.
        (!address.contains(':') || address.ends_with(']')).then(|| port.parse().ok())?
    };
    let port = match key.to_ascii_lowercase().as_str() {
        "port" => alone(),
        "listenaddress" => behind(),
        "listenstream" => alone().or_else(behind),
        _ => None,
    };
    port.filter(|&port| port > 0)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::os::unix::fs::symlink;

    use super::*;

    fn listening(local_port: u16, inode: u32, cgroup: Option<u64>) -> TcpSocket {
        let remote = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        TcpSocket { local_port, remote, cookie: 1, inode, cgroup }
    }

    #[test]
    fn a_port_is_read_in_every_form() {
        let check = |line, want| assert_eq!(port(line), want, "{line}");
        check("Port 2222", Some(2222));
        check("  port\t2222 ", Some(2222));
        check("Port=2222", Some(2222));
        check("#Port 2222", None);
        check("Port", None);
        check("Port ssh", None);
        check("Port 0", None);
        check("Ports 2222", None);
        check("ListenAddress 192.0.2.1:2222", Some(2222));
        check("ListenAddress [2001:db8::1]:2222 rdomain blue", Some(2222));
        check("ListenAddress 2001:db8::2222", None);
        check("ListenAddress 192.0.2.1", None);
        check("ListenStream=2222", Some(2222));
        check("ListenStream=[::]:2222", Some(2222));
        check("ListenStream=/run/sshd.sock", None);
        check("ListenStream=", None);
    }

    #[test]
    fn every_place_that_names_a_port_is_heard() {
        let home = tempfile::tempdir().expect("a directory");
        let root = home.path();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
            fs::write(path, text).expect("it can be written");
        };
        assert_eq!(ports_under(root, &[]), BTreeSet::from([22]));
        write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPort 2201\n");
        write("etc/ssh/sshd_config.d/a.conf", "Port 2202\n");
        write("etc/ssh/sshd_config.d/a.conf.bak", "Port 2299\n");
        write(
            "run/systemd/generator/ssh.socket.d/addresses.conf",
            "ListenStream=\nListenStream=2203\n",
        );
        write("proc/17/comm", "sshd\n");
        write("proc/18/comm", "nginx\n");
        for (process, inode) in [(17, 4), (18, 5)] {
            let folder = root.join(format!("proc/{process}/fd"));
            fs::create_dir_all(&folder).expect("a directory");
            symlink(format!("socket:[{inode}]"), folder.join("3")).expect("a link");
        }
        let unit = root.join("sys/fs/cgroup/system.slice/ssh.service");
        fs::create_dir_all(&unit).expect("a directory");
        let group = fs::metadata(&unit).expect("it is there").ino();
        let sockets = [
            listening(2204, 4, None),
            listening(80, 5, None),
            listening(2205, 6, Some(group)),
            listening(443, 7, Some(group + 1)),
        ];
        let want = BTreeSet::from([22, 2201, 2202, 2203, 2204, 2205]);
        assert_eq!(ports_under(root, &sockets), want);
    }
}
