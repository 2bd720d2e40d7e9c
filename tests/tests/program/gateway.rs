//! The gateway, from outside: what web servers are answered, what happens when
//! files, daemon or gateway are not well, and what no client can do to it.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::Instant;

use blocklist::{PrefixSet, pack};
use lab::daemon::{Daemon, PATIENCE};
use lab::gateway::Gateway;
use lab::host::{Config, Host};
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::witness::succeed;

use crate::{good, has_other_users};

/// A host with a daemon's list and another one.
fn host() -> Host {
    let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*.txt\"]\nallow = [\"45.9.8.7\"]\n\
                  [[list]]\nname = \"tor\"\nfeeds = [\"tor/*\"]\n\
                  [[list]]\nname = \"office\"\nfeeds = [\"office/*\"]\n\
                  [[rule]]\nlist = \"office\"\nverdict = \"allow-only\"\nhook = \"input\"\ntcp-ports = [22]\n";
    let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
    host.feed("list.txt", good().feed());
    host.feed("tor/exits", "46.1.1.1\n45.9.8.1\n");
    host.feed("office/hosts", "45.9.8.99\n45.9.8.100\n");
    host
}

fn check(gateway: &Gateway, target: &str, headers: &[(&str, &str)], want: (u16, Option<&str>)) {
    let answer = gateway.get(target, headers);
    let found = (answer.status, answer.header("x-denyset-list"));
    assert_eq!(found, want, "{target} {headers:?}: {answer:?}");
}

#[test]
fn web_servers_are_told_who_is_on_which_list() {
    isolated(|| {
        let host = host();
        let _daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "");
        gateway.until_check("46.1.1.1", 403);
        let ip = |address| [("X-Real-IP", address)];
        check(&gateway, "/check", &ip("45.9.8.1"), (403, Some("drop")));
        check(&gateway, "/check", &ip("45.9.8.99"), (204, None));
        check(&gateway, "/check", &ip("45.9.8.7"), (204, None));
        check(&gateway, "/check", &ip("91.200.255.255"), (403, Some("drop")));
        check(&gateway, "/check", &ip("91.201.0.0"), (204, None));
        check(&gateway, "/check", &ip("2a02:6b8::1"), (403, Some("drop")));
        check(&gateway, "/check", &ip("2a02:6b9::"), (204, None));
        check(&gateway, "/check", &ip("::ffff:45.9.8.1"), (403, Some("drop")));
        check(&gateway, "/check", &ip("::ffff:45.9.8.99"), (204, None));
        check(&gateway, "/check?list=tor", &ip("45.9.8.1"), (403, Some("tor")));
        check(&gateway, "/check?list=tor&ip=45.9.8.2", &[], (204, None));
        check(&gateway, "/check?ip=2a02%3A6b8::1", &[], (403, Some("drop")));
        check(&gateway, "/check?list=none", &ip("45.9.8.1"), (503, None));
        // Who is let in by a rule is refused only where that is asked for.
        check(&gateway, "/check", &ip("45.9.8.100"), (204, None));
        check(&gateway, "/check?list=office", &ip("45.9.8.100"), (403, Some("office")));
        check(&gateway, "/check", &[], (400, None));
        check(&gateway, "/check", &ip("localhost"), (400, None));
        check(&gateway, "/check?x=1", &ip("45.9.8.1"), (400, None));
        check(&gateway, "/nothing", &[], (404, None));
        gateway.stop();
        assert!(!lab::gateway::socket(&host).exists(), "nothing is left");
    });
}

/// What somebody does to a file.
type Spoil<'a> = &'a dyn Fn(&Path);

/// A user and a group that nobody else has.
const USER: u32 = 64_901;
const GROUP: u32 = 64_902;

#[test]
fn a_user_of_its_own_who_may_read_the_lists_is_enough() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        daemon.until("the lists are there", |_| host.path("run/lists/tor.v6").exists());
        // As the units have it: the daemon's group reads its lists and asks it.
        for place in [".", "run"] {
            fs::set_permissions(host.path(place), Permissions::from_mode(0o755)).expect("ours");
        }
        let shared = ["run/lists", "run/lists/drop.v4", "run/lists/drop.v6", "run/control.sock"];
        for place in shared {
            chown(host.path(place), None, Some(GROUP)).expect("ours");
        }
        let gateway = Gateway::start_as(&host, USER, GROUP, "check.lists = [\"drop\"]");
        assert_eq!((gateway.check("45.9.8.1"), gateway.check("45.9.8.99")), (403, 204));
        assert_eq!(gateway.get("/why?ip=45.9.8.1", &[]).status, 200);
        let socket = fs::metadata(gateway.socket()).expect("it is there");
        assert_eq!((socket.mode() & 0o777, socket.uid()), (0o666, USER));
        gateway.stop();
    });
}

#[test]
fn answers_go_on_without_the_daemon_and_with_damaged_files() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "");
        gateway.until_check("45.9.8.1", 403);
        daemon.kill();
        let ipv4 = host.path("run/lists/drop.v4");
        let good = fs::read(&ipv4).expect("it is there");
        let well = |gateway: &Gateway| {
            assert_eq!((gateway.check("45.9.8.1"), gateway.check("45.9.8.99")), (403, 204));
        };
        well(&gateway);
        let spoil: [(&str, Spoil<'_>); 4] = [
            ("it does not begin", &|path| fs::write(path, "").expect("written")),
            ("and by its header", &|path| {
                fs::write(path, &good[..good.len() - 7]).expect("written");
            }),
            ("is gone", &|path| fs::remove_file(path).expect("removed")),
            ("no regular file", &|path| fs::create_dir(path).expect("made")),
        ];
        for (want, spoil) in spoil {
            let lines = gateway.log().len();
            spoil(&ipv4);
            let deadline = Instant::now() + PATIENCE;
            let said = gateway.log().wait(lines, &["stays in force", "drop.v4", want], deadline);
            assert!(said.is_some(), "{want}: {}", gateway.log().text());
            well(&gateway);
        }
        fs::remove_dir_all(host.path("run/lists")).expect("removed");
        well(&gateway);
        let _daemon = Daemon::start(&host);
        host.feed("more.txt", "45.9.8.99\n");
        gateway.until_check("45.9.8.99", 403);
    });
}

#[test]
fn nobody_is_told_anything_before_a_list_was_there_or_when_it_is_too_old() {
    isolated(|| {
        let host = host();
        let gateway = Gateway::start(&host, "check.max-age-seconds = 3600");
        check(&gateway, "/check?ip=45.9.8.1", &[], (503, None));
        let daemon = Daemon::start(&host);
        gateway.until_check("45.9.8.1", 403);
        assert_eq!(gateway.check("45.9.8.99"), 204);
        daemon.stop();
        gateway.kill();
        // A restart answers from what there is, at once.
        let gateway =
            Gateway::start(&host, "check.max-age-seconds = 3600\ncheck.lists = [\"tor\"]");
        assert_eq!((gateway.check("46.1.1.1"), gateway.check("45.9.8.2")), (403, 204));
        gateway.kill();
        // A list of 1970, and nobody who says that it is still so.
        let mut bytes = Vec::new();
        let Ok(_) = pack(&PrefixSet::<u32>::new(), 1, 1_000, |piece| {
            bytes.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        });
        fs::remove_dir_all(host.path("run/lists")).expect("removed");
        fs::create_dir(host.path("run/lists")).expect("made");
        fs::write(host.path("run/lists/old.v4"), bytes).expect("written");
        let gateway = Gateway::start(&host, "check.max-age-seconds = 3600");
        check(&gateway, "/check?list=old&ip=45.9.8.1", &[], (503, None));
        gateway.kill();
        let gateway = Gateway::start(&host, "");
        check(&gateway, "/check?list=old&ip=45.9.8.1", &[], (204, None));
        // Nobody says that it is one to refuse by.
        check(&gateway, "/check?ip=45.9.8.1", &[], (503, None));
    });
}

#[test]
fn updates_come_through_while_requests_go_on() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "");
        gateway.until_check("45.9.8.1", 403);
        let mut connection = gateway.connect();
        let mut asked = 0;
        for round in 1..=10 {
            let newcomer = format!("47.0.0.{round}");
            host.feed("more.txt", format!("{newcomer}\n"));
            let mut arrived = false;
            while !arrived {
                for (address, want) in [("45.9.8.1", 403), ("45.9.8.99", 204), ("::1", 204)] {
                    let answer = connection.get("/check", &[("X-Real-IP", address)]);
                    assert_eq!(answer.expect("no request fails").status, want, "{address}");
                    asked += 1;
                }
                let answer = connection.get("/check", &[("X-Real-IP", &newcomer)]);
                arrived = answer.expect("no request fails").status == 403;
            }
        }
        assert!(asked > 100, "{asked}");
        drop(daemon);
    });
}

#[test]
fn no_client_keeps_others_out_or_makes_it_grow() {
    isolated(|| {
        succeed("ip", &["link", "set", "lo", "up"]);
        let host = host();
        let _daemon = Daemon::start(&host);
        let more = "listen.tcp = [\"127.0.0.1:8089\", \"[::1]:8089\"]\n\
                    listen.connections-max = 8\nlisten.idle-seconds = 1";
        let gateway = Gateway::start(&host, more);
        gateway.until_check("45.9.8.1", 403);
        let memory = memory_kib(gateway.pid());
        let mut held: Vec<_> = (0..20).map(|_| gateway.connect()).collect();
        // Some say nothing, some begin and never end.
        for connection in &mut held[..10] {
            let _ = connection.send(b"GET /check HTTP/1.1\r\nX-Real-IP: ");
        }
        for address in ["127.0.0.1:8089", "[::1]:8089"] {
            let address: SocketAddr = address.parse().expect("an address");
            let mut connection = HttpConnection::tcp(address).expect("it listens");
            let answer = connection.get("/check", &[("X-Real-IP", "45.9.8.1")]).expect("an answer");
            assert_eq!(answer.status, 403);
        }
        let long = "a".repeat(20_000);
        for (bytes, want) in [
            (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 431),
            (format!("GET /check HTTP/1.1\r\nHost: a\r\nA: {long}\r\n\r\n"), 431),
            (format!("GET /check HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(65)), 431),
            ("GARBAGE\r\n\r\n".to_owned(), 400),
            ("GET /check HTTP/1.0\r\nX-Real-IP: 45.9.8.1\r\n\r\n".to_owned(), 403),
            ("POST /check/a?ip=1.1.1.1 HTTP/1.1\r\nX-Real-IP: 45.9.8.1\r\nContent-Length: 3\r\n\r\nabc"
                .to_owned(), 403),
            (
                "GET /check HTTP/1.1\r\nX-Real-IP: 45.9.8.1\r\nX-Real-IP: 1.1.1.1\r\n\r\n".into(),
                400,
            ),
        ] {
            let mut connection = gateway.connect();
            connection.send(bytes.as_bytes()).expect("sent");
            let answer = connection.receive();
            let status = answer.as_ref().map(|answer| answer.status);
            assert!(matches!(status, Ok(status) if status == want), "{want}: {answer:?}");
        }
        let mut connection = gateway.connect();
        let request = "GET /check HTTP/1.1\r\nX-Real-IP: 45.9.8.1\r\n\r\n";
        let together = request.repeat(100);
        for _ in 0..1_000 {
            connection.send(together.as_bytes()).expect("it goes on");
            for _ in 0..100 {
                assert_eq!(connection.receive().expect("it goes on").status, 403);
            }
        }
        // Who asks nothing for a while is not waited for.
        let ended = connection.receive();
        assert_eq!(ended.expect_err("it ends").kind(), io::ErrorKind::UnexpectedEof);
        let grown = memory_kib(gateway.pid()).saturating_sub(memory);
        assert!(grown < 2_048, "it has grown by {grown} KiB");
        gateway.stop();
    });
}

/// Resident memory of a process, in KiB.
pub(crate) fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("a process has it")
}
