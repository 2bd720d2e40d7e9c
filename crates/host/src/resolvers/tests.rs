//! Files as the programs write them, below a root directory of their own.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn host(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        fs::write(path, text).expect("a file can be written");
    }
    root
}

fn found(root: &TempDir) -> Result<Vec<String>, LookError> {
    let own = ["192.0.2.1".parse().expect("an address")];
    let found = read(&Sources::under(root.path()), &own)?;
    let mut found: Vec<_> = found.iter().map(ToString::to_string).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

#[track_caller]
fn check(files: &[(&str, &str)], want: &[&str]) {
    assert_eq!(found(&host(files)).expect("readable"), want, "{files:?}");
}

const RESOLV_CONF: &str = "etc/resolv.conf";
const STUB: (&str, &str) = (RESOLV_CONF, "nameserver 127.0.0.53\noptions edns0 trust-ad\n");

#[test]
fn servers_are_read_in_every_form_in_which_they_are_written() {
    for (line, want) in [
        ("nameserver 192.0.2.53", "192.0.2.53"),
        ("nameserver\t192.0.2.53 # ours", "192.0.2.53"),
        ("  nameserver 2001:db8::53\r", "2001:db8::53"),
        ("nameserver fe80::1%eth0", "fe80::1"),
        ("nameserver 192.0.2.53:53#dns.example", "192.0.2.53"),
        ("nameserver 192.0.2.53:853%eth0#dns.example", "192.0.2.53"),
        ("nameserver 192.0.2.53#5353", "192.0.2.53"),
        ("nameserver [2001:db8::53]:853#dns.example", "2001:db8::53"),
        ("nameserver 2001:db8::53#dns.example", "2001:db8::53"),
    ] {
        check(&[(RESOLV_CONF, line)], &[want]);
    }
    for line in [
        "# nameserver 192.0.2.9",
        "; nameserver 192.0.2.9",
        "nameserver",
        "nameserver dns.example",
        "nameserver dns.example:53",
        "nameserver 192.0.2",
        "nameservers 192.0.2.9",
        "search 192.0.2.9",
    ] {
        check(&[(RESOLV_CONF, line)], &[]);
    }
}

#[test]
fn behind_a_stub_are_the_servers_that_it_asks() {
    let server = "nameserver 192.0.2.53\nnameserver 2001:db8::53\n";
    for place in [
        "run/systemd/resolve/resolv.conf",
        "run/NetworkManager/resolv.conf",
        "run/NetworkManager/no-stub-resolv.conf",
        "run/dnsmasq/resolv.conf",
        "run/resolvconf/resolv.conf",
        "run/resolvconf/interface/eth0.dhclient",
        "run/resolvconf/interfaces/eth0.ra",
        "run/connman/resolv.conf",
        "run/netconfig/resolv.conf",
        "run/dhcpcd/resolv.conf/eth0.dhcp",
        "run/dhcpcd/hook-state/resolv.conf/eth0.dhcp6",
        "var/run/dnsmasq/resolv.conf",
        "etc/resolvconf/run/interface/eth0.inet",
    ] {
        check(&[STUB, (place, server)], &["127.0.0.53", "192.0.2.53", "2001:db8::53"]);
    }
}

#[test]
fn a_stub_is_any_server_on_this_host() {
    let upstream = ("run/dnsmasq/resolv.conf", "nameserver 192.0.2.53\n");
    for stub in ["127.0.0.1", "127.0.0.53", "::1", "0.0.0.0", "192.0.2.1"] {
        let text = format!("nameserver {stub}\n");
        let mut want = [stub, "192.0.2.53"];
        want.sort_unstable();
        check(&[(RESOLV_CONF, &text), upstream], &want);
    }
    // Without a server, and without the file, it is one on this host.
    check(&[(RESOLV_CONF, "search example.org\n"), upstream], &["192.0.2.53"]);
    check(&[upstream], &["192.0.2.53"]);
    check(&[], &[]);
}

#[test]
fn without_a_stub_the_files_of_others_are_no_matter() {
    let upstream = ("run/dnsmasq/resolv.conf", "nameserver 192.0.2.99\n");
    check(&[(RESOLV_CONF, "nameserver 192.0.2.53\n"), upstream], &["192.0.2.53"]);
}

#[test]
fn a_link_is_followed_and_one_that_leads_nowhere_is_no_file() {
    let root = host(&[("run/systemd/resolve/stub-resolv.conf", STUB.1)]);
    fs::create_dir(root.path().join("etc")).expect("a directory");
    let link = root.path().join(RESOLV_CONF);
    symlink("../run/systemd/resolve/stub-resolv.conf", &link).expect("a link");
    assert_eq!(found(&root).expect("readable"), ["127.0.0.53"]);
    fs::remove_file(&link).expect("removed");
    symlink("../run/nowhere/resolv.conf", &link).expect("a link");
    assert!(found(&root).expect("readable").is_empty());
}

#[test]
fn what_is_no_file_or_too_large_is_a_failure_and_not_an_empty_one() {
    let root = host(&[("etc/resolv.conf/file", "")]);
    let failure = found(&root).expect_err("a folder is no file");
    assert_eq!(failure.part, FactsPart::Resolvers);
    assert!(failure.detail.contains("etc/resolv.conf"), "{failure}");
    let large = "#".repeat(70_000);
    found(&host(&[(RESOLV_CONF, &large)])).expect_err("it is too large");
    found(&host(&[STUB, ("run/dnsmasq/resolv.conf", &large)])).expect_err("it is too large");
}

#[test]
fn what_is_behind_a_stub_need_not_be_there_for_us() {
    let upstream = ("run/dnsmasq/resolv.conf", "nameserver 192.0.2.53\n");
    let root = host(&[STUB, upstream, ("run/NetworkManager", "a file in place of a folder")]);
    assert_eq!(found(&root).expect("readable"), ["127.0.0.53", "192.0.2.53"]);
}
