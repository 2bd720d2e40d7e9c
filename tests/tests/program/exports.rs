//! Lists as files that real web servers load by themselves, by the recipes that
//! are shipped, and what becomes of a directory that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, PATIENCE};
use lab::host::{Config, Host};
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::trace::Trace;
use lab::witness::succeed;
use rustix::process::Signal;

use crate::has_other_users;
use crate::servers::{self, Server, shipped};
use crate::web::{
    ALLOWED, LISTED, LISTED_V6, PORT, PROXY, UNLISTED, UNLISTED_V6, around_boundaries, ask, ask_at,
    check, in_kernel,
};

/// It is listed after a change.
const LATER: &str = "45.9.8.3";

/// Where the recipes say that exports are.
const EXPORTS: &str = "/var/lib/denyset/export";

/// Formats, and what the names of their files end with.
const EXPORT_KINDS: [(&str, &str); 5] = [
    ("nginx-geo", "geo"),
    ("haproxy-acl", "acl"),
    ("apache-txt", "txt"),
    ("apache-sdbm", "sdbm"),
    ("plain", "plain"),
];

/// Where an export is.
fn export_of(host: &Host, ending: &str) -> PathBuf {
    host.path("export").join(format!("drop.{ending}"))
}

/// What is in an export.
fn exported(host: &Host, ending: &str) -> Vec<u8> {
    let path = export_of(host, ending);
    let file = if ending == "sdbm" { path.join("map.pag") } else { path };
    fs::read(file).expect("there is always one")
}

/// Has all kinds of exports written.
fn configure(host: &Host) {
    fs::create_dir_all(host.path("export")).expect("a directory");
    let exports = EXPORT_KINDS.map(|(format, ending)| {
        format!(
            "[[export]]\nlist = \"drop\"\nformat = \"{format}\"\npath = \"{}\"\nmode = \"0644\"\n\
             min-interval-seconds = 1\n",
            export_of(host, ending).display()
        )
    });
    let list = format!("[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"{ALLOWED}\"]\n");
    let tables = list + &exports.concat();
    host.configure(&Config { tables, guard: "protect = []".into(), ..Config::default() });
}

/// A host whose clients are its own addresses, with a daemon that exports a list.
fn with_exports(body: impl FnOnce(&Host, &Daemon<'_>) + Send) {
    isolated(|| {
        for address in [LISTED, UNLISTED, ALLOWED, LATER] {
            succeed("ip", &["address", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        for address in [LISTED_V6, UNLISTED_V6] {
            succeed("ip", &["address", "add", &format!("{address}/128"), "dev", "lo", "nodad"]);
        }
        let host = Host::new();
        configure(&host);
        host.feed("list.txt", format!("{LISTED}\n{ALLOWED}\n{LISTED_V6}\n45.9.9.0/24\n"));
        let daemon = Daemon::start(&host);
        daemon.until("the exports are there", |_| {
            EXPORT_KINDS.iter().all(|(_, ending)| export_of(&host, ending).exists())
        });
        body(&host, &daemon);
    });
}

/// The text of a recipe, with the paths of this host.
fn recipe(host: &Host, name: &str) -> String {
    shipped(name).replace(EXPORTS, &host.path("export").to_string_lossy())
}

/// All that a server has to tell apart, and IPv6 where the file has it.
fn check_all(has_ipv6: bool) {
    let listed_v6 = if has_ipv6 { 403 } else { 200 };
    for (source, want) in [
        (LISTED, 403),
        (UNLISTED, 200),
        (ALLOWED, 200),
        (LATER, 200),
        (LISTED_V6, listed_v6),
        (UNLISTED_V6, 200),
    ] {
        check(source, &[], want);
        check(PROXY, &[("X-Forwarded-For", source)], want);
    }
    check(PROXY, &[("X-Forwarded-For", "45.9.9.77")], 403);
}

/// The list gets one more and loses it again, and the server is told each time.
fn change(host: &Host, daemon: &Daemon<'_>, ending: &str, mut tell: impl FnMut()) {
    for (feed, want) in [(format!("{LATER}\n"), 403), ("45.9.9.9\n".to_owned(), 200)] {
        let before = exported(host, ending);
        host.feed("more.txt", feed);
        daemon.until("the export is another", |_| exported(host, ending) != before);
        tell();
        let deadline = Instant::now() + PATIENCE;
        while ask(LATER, &[]).ok() != Some(want) {
            assert!(Instant::now() < deadline, "{LATER} is not answered with {want}");
            std::thread::yield_now();
        }
        check(LISTED, &[], 403);
        check(UNLISTED, &[], 200);
    }
}

fn nginx(host: &Host, port: u16) -> Server {
    let http = ["nginx/denyset-export-geo.conf", "nginx/denyset-behind-proxy.conf"];
    let http = http.map(|name| recipe(host, name));
    servers::nginx(host, port, &http, &recipe(host, "nginx/denyset-export.conf"))
}

fn haproxy(host: &Host, port: u16) -> Server {
    servers::haproxy(host, port, "", &recipe(host, "haproxy/denyset-export.cfg"))
}

/// Apache with a database that it finds, or one that is made for it.
fn apache(host: &Host, port: u16, export: &str) -> Server {
    make_database(&export_of(host, "txt"));
    let lines = ["denyset-behind-proxy.conf", export];
    servers::apache(host, port, &lines.map(|name| recipe(host, &format!("apache/{name}"))))
}

/// As denyset-export-apache.service does.
fn make_database(text: &Path) {
    let (new, file) = (text.with_extension("new"), text.with_extension("db"));
    let (text, new) = (text.to_string_lossy(), new.to_string_lossy());
    succeed("httxt2dbm", &["-f", "DB", "-i", &text, "-o", &new]);
    succeed("chmod", &["0644", &new]);
    fs::rename(&*new, file).expect("it is ours");
}

#[test]
fn nginx_loads_an_export() {
    // As root it sets groups, which a namespace of one user does not let it.
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let nginx = nginx(host, PORT);
        check_all(false);
        daemon.wait_logged(&["without 1 of IPv6"]);
        change(host, daemon, "geo", || nginx.signal(Signal::HUP));
    });
}

#[test]
fn haproxy_loads_an_export_of_both_families() {
    with_exports(|host, daemon| {
        let haproxy = haproxy(host, PORT);
        check_all(true);
        change(host, daemon, "acl", || haproxy.signal(Signal::USR2));
    });
}

#[test]
fn apache_finds_an_export_without_a_reload() {
    // It gives root up for somebody else.
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let _apache = apache(host, PORT, "denyset-export.conf");
        check_all(false);
        change(host, daemon, "txt", || make_database(&export_of(host, "txt")));
    });
}

#[test]
fn apache_finds_a_database_of_ours_without_any_other_program() {
    // It gives root up for somebody else.
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let _apache = apache(host, PORT, "denyset-export-sdbm.conf");
        check_all(false);
        change(host, daemon, "sdbm", || {});
    });
}

/// Asks a server again and again who is listed and who is not, until it is told to
/// end: how often it did.
fn keep_asking(port: u16, end: &AtomicBool) -> u32 {
    let mut asked = 0;
    while !end.load(Ordering::Relaxed) {
        for (source, want) in [(LISTED, 403), (UNLISTED, 200), (ALLOWED, 200)] {
            let status = ask_at(port, source, &[]);
            assert!(matches!(status, Ok(status) if status == want), "{port} {source}: {status:?}");
            asked += 1;
        }
    }
    asked
}

#[test]
fn no_request_fails_and_no_answer_is_wrong_while_exports_change() {
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let ports = [PORT, PORT + 1, PORT + 2];
        let nginx = nginx(host, ports[0]);
        let haproxy = haproxy(host, ports[1]);
        let _apache = apache(host, ports[2], "denyset-export-sdbm.conf");
        let end = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let askers = ports.map(|port| {
                scope.spawn({
                    let end = &end;
                    move || keep_asking(port, end)
                })
            });
            for round in 0..10 {
                let (feed, want) = if round % 2 == 0 { (LATER, 403) } else { ("45.9.9.9", 200) };
                let before = ["geo", "acl", "sdbm"].map(|ending| exported(host, ending));
                host.feed("more.txt", format!("{feed}\n"));
                daemon.until("all exports are others", |_| {
                    let now = ["geo", "acl", "sdbm"].map(|ending| exported(host, ending));
                    now.iter().zip(&before).all(|(now, before)| now != before)
                });
                nginx.signal(Signal::HUP);
                haproxy.signal(Signal::USR2);
                let deadline = Instant::now() + PATIENCE;
                while !ports
                    .iter()
                    .all(|port| ask_at(*port, LATER, &[]).expect("it is asked") == want)
                {
                    assert!(Instant::now() < deadline, "{LATER} is not answered with {want}");
                }
            }
            end.store(true, Ordering::Relaxed);
            for asker in askers {
                let asked = asker.join().expect("no answer was wrong");
                assert!(asked > 100, "{asked}");
            }
        });
    });
}

#[test]
fn the_kernel_and_who_loads_an_export_say_the_same() {
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let (addresses, feed) = around_boundaries(2_600);
        host.feed("list.txt", feed);
        daemon.until("all of it is in force", |status| status["feeds"][0]["entries"] == 2_600);
        let listed = in_kernel(&addresses);
        daemon.until("all of it is exported", |_| {
            EXPORT_KINDS.iter().all(|(_, ending)| {
                // Of three prefixes two are of IPv4, and all are random.
                exported(host, ending).len() > 20_000
            })
        });
        let check = |who: &str, server: Server, good: u16, has_ipv6: bool| {
            let mut connection = HttpConnection::tcp(server.address()).expect("it listens");
            for address in &addresses {
                let text = address.to_string();
                let answer = connection.get("/check", &[("X-Forwarded-For", &text)]);
                let status = answer.unwrap_or_else(|error| panic!("{who}, {text}: {error}")).status;
                let refused = listed.contains(address) && (has_ipv6 || address.is_ipv4());
                assert_eq!(status, if refused { 403 } else { good }, "{who} of {text}");
            }
            drop(server);
        };
        // There is no such page, and only who is let in is told so.
        check("nginx", nginx(host, PORT), 404, false);
        check("haproxy", haproxy(host, PORT), 200, true);
        for export in ["denyset-export.conf", "denyset-export-sdbm.conf"] {
            check(export, apache(host, PORT, export), 404, false);
        }
    });
}

#[test]
fn an_export_that_cannot_be_written_is_said_and_heals() {
    isolated(|| {
        let host = Host::new();
        configure(&host);
        let path = export_of(&host, "plain");
        let directory = path.parent().expect("it is in one");
        host.feed("list.txt", format!("{LISTED}\n"));
        // No room for a whole list.
        let options = ["-t", "tmpfs", "-o", "size=64k", "none"].map(AsRef::as_ref);
        succeed("mount", &[&options[..], &[directory.as_os_str()]].concat());
        let daemon = Daemon::start(&host);
        let read = || fs::read_to_string(&path).unwrap_or_default();
        daemon.until("it is there", |_| read() == format!("{LISTED}\n"));
        let plain = |status: &serde_json::Value| {
            let mut all = status["exports"].as_array().expect("they are told").iter();
            all.find(|export| export["format"] == "plain").expect("one").clone()
        };
        let status = daemon.until("status tells of it", |status| plain(status)["entries"] == 1);
        let told = plain(&status);
        assert_eq!(told["path"], path.to_string_lossy().as_ref(), "{told:#}");
        assert_eq!((&told["generation"], &told["failed"]), (&status["generation"], &().into()));
        assert!(told["last-written"].is_string(), "{told:#}");
        let line = |host| format!("45.10.{}.{}\n", host / 200, host % 200);
        let many = (0..20_000).map(line).collect::<Vec<_>>().concat();
        let said = |status: &serde_json::Value, why: &str| {
            let degraded = status["degraded"].to_string();
            degraded.contains("an export stays as it was") && degraded.contains(why)
        };
        host.feed("more.txt", &many);
        daemon.until("a full directory is said", |status| {
            let failed = plain(status)["failed"].to_string();
            said(status, "No space left") && failed.contains("No space left")
        });
        assert_eq!(read(), format!("{LISTED}\n"), "it is never a half");
        // Lazily: the daemon may be trying once more, with a file open in it.
        succeed("umount", &["--lazy".as_ref(), directory.as_os_str()]);
        fs::remove_dir(directory).expect("it is empty");
        host.feed("other.txt", "45.9.9.1\n");
        daemon.until("a missing directory is said", |status| said(status, "No such file"));
        fs::create_dir(directory).expect("a directory");
        host.feed("other.txt", "45.9.9.2\n");
        daemon.until("all of it is there", |_| read().lines().count() == 20_002);
        daemon.until("nothing is said any more", |status| !said(status, ""));
        // A bad feed empties nothing, and the daemon's end neither.
        host.feed("more.txt", "<html>\n");
        daemon.until_feed("more.txt", "refused");
        daemon.pause(Duration::from_millis(100));
        daemon.kill();
        assert_eq!(read().lines().count(), 20_002);
    });
}

/// What would not survive a loss of power does not take the place of what would.
#[test]
fn an_export_that_cannot_be_synced_is_not_put_in_place() {
    isolated(|| {
        let host = Host::new();
        configure(&host);
        let path = export_of(&host, "plain");
        let read = || fs::read_to_string(&path).unwrap_or_default();
        host.feed("list.txt", format!("{LISTED}\n"));
        let daemon = Daemon::start(&host);
        daemon.until("it is there", |_| read() == format!("{LISTED}\n"));
        let no_sync = Trace::attach_to_all(daemon.pid(), "fsync", "error=EIO");
        host.feed("more.txt", "45.9.9.1\n");
        daemon.until_members(crate::V4, 2);
        daemon.until("it is said", |status| {
            status["degraded"].to_string().contains("an export stays as it was")
        });
        assert_eq!(read(), format!("{LISTED}\n"));
        drop(no_sync);
        daemon.until("it heals", |_| read().lines().count() == 2);
    });
}
