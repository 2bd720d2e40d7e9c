//! Lists as files that real web servers load by themselves, by the recipes that
//! are shipped, and what becomes of a directory that cannot be written.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, PATIENCE};
use lab::host::{Config, Host};
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::witness::succeed;
use rustix::process::{Pid, Signal, kill_process};

use crate::has_other_users;
use crate::web::{
    ALLOWED, LISTED, LISTED_V6, PORT, PROXY, Server, UNLISTED, UNLISTED_V6, around_boundaries, ask,
    check, in_kernel, put,
};

/// It is listed after a change.
const LATER: &str = "45.9.8.3";

/// Where the recipes say that exports are.
const EXPORTS: &str = "/var/lib/denyset/export";

/// Formats, and what the names of their files end with.
const EXPORT_KINDS: [(&str, &str); 4] =
    [("nginx-geo", "geo"), ("haproxy-acl", "acl"), ("apache-txt", "txt"), ("plain", "plain")];

/// Where an export is.
fn export_of(host: &Host, ending: &str) -> PathBuf {
    host.path("export").join(format!("drop.{ending}"))
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
    let text = fs::read_to_string(path).expect("the recipe is shipped");
    text.replace(EXPORTS, &host.path("export").to_string_lossy())
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
    let path = export_of(host, ending);
    for (feed, want) in [(format!("{LATER}\n"), 403), ("45.9.9.9\n".to_owned(), 200)] {
        let before = fs::read(&path).expect("it is there");
        host.feed("more.txt", feed);
        daemon.until("the export is another", |_| {
            fs::read(&path).expect("there is always one") != before
        });
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

fn signal(server: &Server, signal: Signal) {
    let pid = i32::try_from(server.0.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process has a number"), signal).expect("the server lives");
}

fn htdocs(host: &Host) -> String {
    fs::create_dir_all(host.path("htdocs")).expect("a directory");
    put(host, "htdocs/index.html", "ok");
    host.path(".").display().to_string()
}

fn nginx(host: &Host) -> Server {
    let place = htdocs(host);
    let temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temps = temps.map(|kind| format!("{kind}_temp_path {place}/{kind};\n")).concat();
    let [geo, refuse, behind] =
        ["denyset-export-geo.conf", "denyset-export.conf", "denyset-behind-proxy.conf"]
            .map(|name| recipe(host, &format!("nginx/{name}")));
    let text = format!(
        "daemon off; worker_processes 1; user root; pid {place}/nginx.pid;\n\
         error_log {place}/nginx.log; events {{}}\n\
         http {{ access_log off; keepalive_requests 1000000; {temps} {geo} {behind}\n\
         server {{ listen [::]:{PORT} ipv6only=off; root {place}/htdocs;\n{refuse} }} }}\n"
    );
    let file = put(host, "nginx.conf", &text);
    Server::start("nginx", &["-e", "stderr", "-c", &file.to_string_lossy()])
}

fn haproxy(host: &Host) -> Server {
    let refuse = recipe(host, "haproxy/denyset-export.cfg");
    let text = format!(
        "defaults\n    mode http\n    timeout client 10s\n    timeout connect 10s\n    \
         timeout server 10s\nfrontend web\n    bind :::{PORT} v4v6\n{refuse}    \
         http-request return status 200 content-type text/plain string ok\n"
    );
    let file = put(host, "haproxy.cfg", &text);
    Server::start("haproxy", &["-W", "-f", &file.to_string_lossy()])
}

fn apache(host: &Host) -> Server {
    let place = htdocs(host);
    let modules = ["mpm_event", "authz_core", "dir", "rewrite", "remoteip"];
    let modules = modules
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    let [behind, refuse] = ["apache/denyset-behind-proxy.conf", "apache/denyset-export.conf"]
        .map(|name| recipe(host, name));
    let text = format!(
        "ServerRoot {place}\nDefaultRuntimeDir {place}\nPidFile {place}/apache.pid\n\
         ServerName localhost\nErrorLog {place}/apache.log\n{modules}\
         Listen [::]:{PORT}\nUser www-data\nGroup www-data\nDocumentRoot {place}/htdocs\n\
         DirectoryIndex index.html\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\n{behind}\n{refuse}"
    );
    let file = put(host, "apache.conf", &text);
    // `User` has to reach what it serves.
    succeed("chmod", &["a+x".as_ref(), host.path(".").as_os_str()]);
    make_database(&export_of(host, "txt"));
    Server::start("apache2", &["-D", "FOREGROUND", "-f", &file.to_string_lossy()])
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
        let nginx = nginx(host);
        check_all(false);
        daemon.wait_logged(&["without 1 of IPv6"]);
        change(host, daemon, "geo", || signal(&nginx, Signal::HUP));
    });
}

#[test]
fn haproxy_loads_an_export_of_both_families() {
    with_exports(|host, daemon| {
        let haproxy = haproxy(host);
        check_all(true);
        change(host, daemon, "acl", || signal(&haproxy, Signal::USR2));
    });
}

#[test]
fn apache_finds_an_export_without_a_reload() {
    // It gives root up for somebody else.
    if !has_other_users() {
        return;
    }
    with_exports(|host, daemon| {
        let _apache = apache(host);
        check_all(false);
        change(host, daemon, "txt", || make_database(&export_of(host, "txt")));
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
                // Of three prefixes two are of IPv4.
                let text = fs::read_to_string(export_of(host, ending)).unwrap_or_default();
                text.lines().count() > 1_500
            })
        });
        let check = |who: &str, server: Server, good: u16, has_ipv6: bool| {
            let address = SocketAddr::new(PROXY.parse().expect("an address"), PORT);
            let mut connection = HttpConnection::tcp(address).expect("it listens");
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
        check("nginx", nginx(host), 404, false);
        check("haproxy", haproxy(host), 200, true);
        check("apache", apache(host), 404, false);
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
        let line = |host| {
            format!(
                "45.10.{}.{}
",
                host / 200,
                host % 200
            )
        };
        let many = (0..20_000).map(line).collect::<Vec<_>>().concat();
        let said = |status: &serde_json::Value, why: &str| {
            let degraded = status["degraded"].to_string();
            degraded.contains("an export stays as it was") && degraded.contains(why)
        };
        host.feed("more.txt", &many);
        daemon.until("a full directory is said", |status| said(status, "No space left"));
        assert_eq!(read(), format!("{LISTED}\n"), "it is never a half");
        succeed("umount", &[directory.as_os_str()]);
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
