//! Real web servers with the recipes that are shipped for them: each asks the
//! gateway, or the program of the gateway, for whom to refuse.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, PATIENCE};
use lab::gateway::{self, Gateway};
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::witness::{attempt, fed, succeed};
use rustix::process::{Pid, Signal, kill_process};

use crate::servers::{self, Server, put, shipped};
use crate::{V4, V6, has_other_users};

/// The port that all of them listen on, of both families, so that a client of
/// IPv4 is a mapped one to them.
pub(crate) const PORT: u16 = 8082;

pub(crate) const LISTED: &str = "45.9.8.1";
pub(crate) const UNLISTED: &str = "45.9.8.99";
/// Listed too, but for `allow`.
pub(crate) const ALLOWED: &str = "45.9.8.7";
pub(crate) const LISTED_V6: &str = "2a01:4f8::1";
pub(crate) const UNLISTED_V6: &str = "2a01:4f8::ffff";
/// The proxy that servers believe.
pub(crate) const PROXY: &str = "127.0.0.1";

/// The text of a recipe, with the paths of this host.
fn recipe(host: &Host, name: &str) -> String {
    let socket = gateway::socket(host);
    let program = format!(
        "prg:{} --config {} --lines",
        gateway::binary().display(),
        host.path("gateway.toml").display()
    );
    shipped(name)
        .replace("/run/denyset-gateway/http.sock", &socket.to_string_lossy())
        .replace("prg:/usr/bin/denyset-gateway --lines", &program)
        .replace(" denyset-gateway:denyset", " root:root")
}

fn nginx(host: &Host, check: &str) -> Server {
    let http = ["nginx/denyset-upstream.conf", "nginx/denyset-behind-proxy.conf"];
    servers::nginx(host, PORT, &http.map(|name| recipe(host, name)), &recipe(host, check))
}

fn haproxy(host: &Host) -> Server {
    let lua = put(host, "denyset.lua", &recipe(host, "haproxy/denyset.lua"));
    let global = format!("    lua-load {}", lua.display());
    servers::haproxy(host, PORT, &global, &recipe(host, "haproxy/denyset-check.cfg"))
}

fn apache(host: &Host) -> Server {
    let lines = ["apache/denyset-behind-proxy.conf", "apache/denyset-check.conf"];
    servers::apache(host, PORT, &lines.map(|name| recipe(host, name)))
}

/// The status that a client of this address is answered with.
pub(crate) fn ask(source: &str, headers: &[(&str, &str)]) -> io::Result<u16> {
    ask_at(PORT, source, headers)
}

/// The same of whoever listens on that port.
pub(crate) fn ask_at(port: u16, source: &str, headers: &[(&str, &str)]) -> io::Result<u16> {
    let source: IpAddr = source.parse().expect("an address");
    let mut connection = HttpConnection::tcp_from(source, SocketAddr::new(source, port))?;
    Ok(connection.get("/?ip=45.9.8.99", headers)?.status)
}

pub(crate) fn check(source: &str, headers: &[(&str, &str)], want: u16) {
    let status = ask(source, headers);
    assert!(matches!(status, Ok(status) if status == want), "{source} {headers:?}: {status:?}");
}

/// Who is to be told apart from whom.
const CLIENTS: [(&str, u16); 5] =
    [(LISTED, 403), (UNLISTED, 200), (ALLOWED, 200), (LISTED_V6, 403), (UNLISTED_V6, 200)];

/// All that a server has to tell apart.
fn check_all() {
    check_direct();
    for (source, want) in CLIENTS {
        check(PROXY, &[("X-Forwarded-For", source)], want);
    }
}

/// The same with no proxy between.
fn check_direct() {
    for (source, want) in CLIENTS {
        check(source, &[], want);
        // What a client says of himself does not count.
        let others = if want == 403 { UNLISTED } else { LISTED };
        check(source, &[("X-Forwarded-For", others), ("X-Real-IP", others)], want);
    }
}

/// A host whose clients are its own addresses, one of them listed, with daemon
/// and gateway.
fn with_host(body: impl FnOnce(&Host, Daemon<'_>, Gateway) + Send) {
    isolated(|| {
        for address in [LISTED, UNLISTED, ALLOWED, "45.9.8.3"] {
            succeed("ip", &["address", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        for address in [LISTED_V6, UNLISTED_V6] {
            succeed("ip", &["address", "add", &format!("{address}/128"), "dev", "lo", "nodad"]);
        }
        let tables = format!("[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"{ALLOWED}\"]");
        let guard = "protect = []".into();
        let host = Host::with(&Config { tables, guard, ..Config::default() });
        host.feed("list.txt", format!("{LISTED}\n{ALLOWED}\n{LISTED_V6}\n45.9.9.0/24\n"));
        let daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "");
        gateway.until_check(LISTED, 403);
        body(&host, daemon, gateway);
    });
}

/// The list changes under requests, and the daemon dies.
fn change_under_load(host: &Host, daemon: Daemon<'_>) {
    for round in 1..=11 {
        let (more, want) = if round % 2 == 1 { ("45.9.8.3\n", 403) } else { ("45.9.9.9\n", 200) };
        host.feed("more.txt", more);
        let deadline = Instant::now() + PATIENCE;
        while ask("45.9.8.3", &[]).expect("no request fails") != want {
            check(LISTED, &[], 403);
            check(UNLISTED, &[], 200);
            assert!(Instant::now() < deadline, "the change of round {round} has not come");
        }
    }
    daemon.kill();
    check_all();
}

/// Addresses just before, in and just after random prefixes, and the feed of
/// these prefixes.
pub(crate) fn around_boundaries(prefixes: usize) -> (Vec<IpAddr>, String) {
    let mut random = RandomNumbers::seeded(11);
    let (mut addresses, mut feed) = (BTreeSet::new(), Vec::new());
    for at in 0..prefixes {
        let (first, last) = if at % 3 == 0 {
            let host_bits = random.below(81);
            let first = u128::from(random.ipv6()) >> host_bits << host_bits;
            let last = first | ((1 << host_bits) - 1);
            feed.push(format!("{}/{}\n", Ipv6Addr::from(first), 128 - host_bits));
            let v6 = |number: u128| IpAddr::from(Ipv6Addr::from(number));
            addresses
                .extend([first.saturating_sub(1), first, last, last.saturating_add(1)].map(v6));
            continue;
        } else {
            let host_bits = random.below(17);
            let first = u32::from(random.ipv4()) >> host_bits << host_bits;
            feed.push(format!("{}/{}\n", Ipv4Addr::from(first), 32 - host_bits));
            (first, first | ((1 << host_bits) - 1))
        };
        let v4 = |number: u32| IpAddr::from(Ipv4Addr::from(number));
        addresses.extend([first.saturating_sub(1), first, last, last.saturating_add(1)].map(v4));
    }
    // Who is the proxy is no client, and nobody asks for nobody.
    let is_client = |address: &IpAddr| !address.is_loopback() && !address.is_unspecified();
    (addresses.into_iter().filter(is_client).collect(), feed.concat())
}

/// Who of these the kernel has in the sets of the list.
pub(crate) fn in_kernel(addresses: &[IpAddr]) -> BTreeSet<IpAddr> {
    let lines = addresses.iter().map(|address| {
        let set = if address.is_ipv4() { V4 } else { V6 };
        format!("test {set} {address}\n")
    });
    let said = fed("ipset", &["-"], lines.collect::<String>().as_bytes());
    let said = [said.stdout, said.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let listed = said.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let (before, _) = line.split_once(" is in set ")?;
        before.rsplit(' ').next()?.parse().ok()
    });
    listed.collect()
}

#[test]
fn the_kernel_and_every_web_server_say_the_same() {
    if !has_other_users() {
        return;
    }
    with_host(|host, daemon, gateway| {
        let (addresses, feed) = around_boundaries(2_600);
        assert!(addresses.len() > 10_000, "{}", addresses.len());
        host.feed("list.txt", feed);
        daemon.until("all of it is in force", |status| status["feeds"][0]["entries"] == 2_600);
        let listed = in_kernel(&addresses);
        assert!(listed.len() > 4_000 && listed.len() < addresses.len(), "{}", listed.len());
        let last = listed.last().expect("some are").to_string();
        gateway.until_check(&last, 403);
        let check = |who: &str, connection: &mut HttpConnection, header: &str, good: u16| {
            for address in &addresses {
                let text = address.to_string();
                let answer = connection.get("/check", &[(header, &text)]);
                let status = answer.unwrap_or_else(|error| panic!("{who}, {text}: {error}")).status;
                let want = if listed.contains(address) { 403 } else { good };
                assert_eq!(status, want, "{who} of {text}");
            }
        };
        check("the gateway", &mut gateway.connect(), "X-Real-IP", 204);
        let through = |who: &str, server: Server| {
            // There is no such page, and only who is let in is told so.
            let mut connection = HttpConnection::tcp(server.address()).expect("it listens");
            check(
                who,
                &mut connection,
                "X-Forwarded-For",
                if who == "haproxy" { 200 } else { 404 },
            );
            drop(server);
        };
        through("nginx", nginx(host, "nginx/denyset-check.conf"));
        through("haproxy", haproxy(host));
        through("apache", apache(host));
    });
}

/// What a client gets whose gateway hangs and then is gone; another heals it.
fn in_doubt(host: &Host, gateway: Gateway, client: &str, want: u16) {
    gateway.signal(Signal::STOP);
    check(client, &[], want);
    gateway.signal(Signal::CONT);
    gateway.kill();
    check(client, &[], want);
    let _gateway = Gateway::start(host, "");
    check_all();
}

#[test]
fn nginx_refuses_who_is_listed_and_lets_all_in_when_in_doubt() {
    // As root it sets groups, which a namespace of one user does not let it.
    if !has_other_users() {
        return;
    }
    with_host(|host, daemon, gateway| {
        let _nginx = nginx(host, "nginx/denyset-check.conf");
        check_all();
        change_under_load(host, daemon);
        gateway.signal(Signal::STOP);
        let begun = Instant::now();
        check(LISTED, &[], 200);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        gateway.signal(Signal::CONT);
        gateway.kill();
        check(LISTED, &[], 200);
        let _gateway = Gateway::start(host, "");
        check_all();
    });
}

#[test]
fn nginx_lets_nobody_in_when_in_doubt_if_it_is_told_so() {
    // As root it sets groups, which a namespace of one user does not let it.
    if !has_other_users() {
        return;
    }
    with_host(|host, _daemon, gateway| {
        let _nginx = nginx(host, "nginx/denyset-check-closed.conf");
        check_all();
        in_doubt(host, gateway, UNLISTED, 403);
    });
}

#[test]
fn haproxy_refuses_who_is_listed_and_lets_all_in_when_in_doubt() {
    with_host(|host, daemon, gateway| {
        let _haproxy = haproxy(host);
        check_all();
        change_under_load(host, daemon);
        in_doubt(host, gateway, LISTED, 200);
    });
}

#[test]
fn apache_refuses_who_is_listed_without_a_gateway() {
    // It gives root up for somebody else.
    if !has_other_users() {
        return;
    }
    with_host(|host, daemon, gateway| {
        // Its own program needs the settings alone.
        gateway.stop();
        let apache = apache(host);
        check_all();
        change_under_load(host, daemon);
        drop(apache);
        let left = attempt("pgrep", &["-f", &host.path("gateway.toml").to_string_lossy()]);
        assert!(left.is_err(), "the program ends with Apache: {left:?}");
    });
}

/// A recipe that lets nobody in when in doubt, as its comment says.
fn closed(recipe: &str) -> String {
    let (open, shut) = recipe.split_once("# To let nobody in then:\n").expect("it says how");
    let shut = shut.replacen("# ", "", 1);
    // Of two conditions both would have to hold.
    let open: Vec<_> = open.lines().filter(|line| !line.ends_with("\"^listed\"")).collect();
    format!("{}\n{shut}", open.join("\n"))
}

#[test]
fn haproxy_lets_nobody_in_when_in_doubt_if_it_is_told_so() {
    with_host(|host, _daemon, gateway| {
        let lua = put(host, "denyset.lua", &recipe(host, "haproxy/denyset.lua"));
        let global = format!("    lua-load {}", lua.display());
        let check_recipe = closed(&recipe(host, "haproxy/denyset-check.cfg"));
        let _haproxy = servers::haproxy(host, PORT, &global, &check_recipe);
        check_all();
        in_doubt(host, gateway, UNLISTED, 403);
    });
}

#[test]
fn apache_whose_program_has_ended_does_as_its_recipe_says() {
    // It gives root up for somebody else.
    if !has_other_users() {
        return;
    }
    with_host(|host, _daemon, gateway| {
        gateway.stop();
        let open = recipe(host, "apache/denyset-check.conf");
        let shut = closed(&open);
        for (check_recipe, want) in [(open, 200), (shut, 403)] {
            let proxied = recipe(host, "apache/denyset-behind-proxy.conf");
            let _apache = servers::apache(host, PORT, &[proxied, check_recipe]);
            check_all();
            // Its settings are this host's alone.
            let found = succeed("pgrep", &["-f", &host.path("gateway.toml").to_string_lossy()]);
            for number in found.lines() {
                let pid = number.parse().ok().and_then(Pid::from_raw).expect("a number");
                kill_process(pid, Signal::KILL).expect("it lives");
            }
            for client in [LISTED, UNLISTED] {
                check(client, &[], want);
            }
        }
    });
}

#[test]
fn caddy_refuses_who_is_listed_and_lets_nobody_in_when_in_doubt() {
    with_host(|host, _daemon, gateway| {
        let _caddy = servers::caddy(host, PORT, &recipe(host, "caddy/denyset-check.caddyfile"));
        check_direct();
        host.feed("more.txt", format!("{UNLISTED}\n"));
        gateway.until_check(UNLISTED, 403);
        check(UNLISTED, &[], 403);
        gateway.kill();
        check(ALLOWED, &[], 502);
        let _gateway = Gateway::start(host, "");
        check(ALLOWED, &[], 200);
    });
}
