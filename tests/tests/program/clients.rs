//! Clients that mean harm to the gateway, or are slow, broken or many: the others
//! are answered all the while, and it does not grow.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, PATIENCE};
use lab::gateway::Gateway;
use lab::host::Host;
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::witness::succeed;

use crate::gateway::memory_kib;

const LISTED: &str = "45.9.8.1";
const UNLISTED: &str = "45.9.8.99";
const REQUEST: &str = "GET /check HTTP/1.1\r\nHost: a\r\nX-Real-IP: 45.9.8.1\r\n\r\n";

fn with_gateway(more: &str, body: impl FnOnce(&Host, &Gateway) + Send) {
    isolated(|| {
        succeed("ip", &["link", "set", "lo", "up"]);
        let host = Host::new();
        host.feed("list.txt", format!("{LISTED}\n"));
        let _daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, more);
        gateway.until_check(LISTED, 403);
        body(&host, &gateway);
        well(&gateway);
        gateway.stop();
    });
}

fn well(gateway: &Gateway) {
    assert_eq!((gateway.check(LISTED), gateway.check(UNLISTED)), (403, 204));
}

/// A connection that says what it likes.
fn raw(gateway: &Gateway) -> UnixStream {
    let stream = UnixStream::connect(gateway.socket()).expect("the gateway listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    stream.set_write_timeout(Some(PATIENCE)).expect("a socket option");
    stream
}

/// Everything that comes until the gateway hangs up.
fn all_of(mut stream: &UnixStream) -> String {
    let mut said = Vec::new();
    let end = stream.read_to_end(&mut said);
    // What it did not read of ours breaks the connection off.
    let is_over = |error: &io::Error| error.kind() == ErrorKind::ConnectionReset;
    assert!(end.is_ok() || end.as_ref().is_err_and(is_over), "it does not hang up: {end:?}");
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn who_takes_too_long_to_ask_is_ended_however_busy_he_looks() {
    with_gateway("listen.idle-seconds = 1", |_, gateway| {
        let mut stream = raw(gateway);
        // A byte now and then, without end.
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket option");
        stream.write_all(b"GET /check HTTP/1.1\r\nX-Slow: ").expect("it listens");
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "he is listened to without end");
            match stream.read(&mut [0; 256]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => break,
                Ok(_) => continue,
            }
            if stream.write_all(b"a").is_err() {
                break;
            }
        }
    });
}

#[test]
fn who_says_no_more_is_answered_what_he_has_asked() {
    with_gateway("", |_, gateway| {
        // Often, for it may be before, between or after any of the answers.
        for count in [1, 3, 10].repeat(50) {
            let stream = raw(gateway);
            (&stream).write_all(REQUEST.repeat(count).as_bytes()).expect("it listens");
            stream.shutdown(std::net::Shutdown::Write).expect("a socket can be half closed");
            let said = all_of(&stream);
            assert_eq!(said.matches("HTTP/1.1 403 ").count(), count, "{said}");
        }
    });
}

#[test]
fn a_body_without_end_is_not_read() {
    with_gateway("", |_, gateway| {
        let before = memory_kib(gateway.pid());
        for how in ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"] {
            let stream = raw(gateway);
            let head = format!("POST /check HTTP/1.1\r\nX-Real-IP: {LISTED}\r\n{how}\r\n\r\n");
            (&stream).write_all(head.as_bytes()).expect("it listens");
            let piece = format!("8000\r\n{}\r\n", "a".repeat(0x8000));
            let deadline = Instant::now() + PATIENCE;
            // Until it does not listen any more.
            while (&stream).write_all(piece.as_bytes()).is_ok() {
                assert!(Instant::now() < deadline, "it reads on and on");
            }
            let said = all_of(&stream);
            assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
            well(gateway);
        }
        let grown = memory_kib(gateway.pid()).saturating_sub(before);
        assert!(grown < 2_048, "it has grown by {grown} KiB");
    });
}

#[test]
fn who_asks_and_asks_and_reads_no_answer_holds_up_nobody_and_is_ended() {
    with_gateway("", |_, gateway| {
        let before = memory_kib(gateway.pid());
        let together = REQUEST.repeat(1_000);
        let mut silent: Vec<_> = (0..8).map(|_| raw(gateway)).collect();
        for stream in &mut silent {
            stream.set_nonblocking(true).expect("a socket option");
            // Until nothing is taken any more.
            let full = loop {
                if let Err(error) = stream.write_all(together.as_bytes()) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::WouldBlock);
            well(gateway);
        }
        let grown = memory_kib(gateway.pid()).saturating_sub(before);
        assert!(grown < 4_096, "it has grown by {grown} KiB");
        for stream in &mut silent {
            stream.set_nonblocking(false).expect("a socket option");
            let ended = loop {
                if let Err(error) = stream.write_all(together.as_bytes()) {
                    break error;
                }
            };
            assert!(
                matches!(ended.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                "{ended}"
            );
        }
    });
}

#[test]
fn what_two_readers_could_take_for_different_requests_is_refused() {
    with_gateway("", |_, gateway| {
        let check = |request: String, want: &[&str]| {
            let stream = raw(gateway);
            (&stream).write_all(request.as_bytes()).expect("it listens");
            stream.shutdown(std::net::Shutdown::Write).expect("a socket can be half closed");
            let said = all_of(&stream);
            let statuses = said.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
            let statuses: Vec<_> = statuses.map(|rest| &rest[..3]).collect();
            assert_eq!(statuses, want, "{request:?}: {said}");
        };
        let hidden = REQUEST.replace("45.9.8.1", UNLISTED);
        let head =
            |lines: &str| format!("GET /check HTTP/1.1\r\nX-Real-IP: {LISTED}\r\n{lines}\r\n");
        let length = hidden.len();
        // The second request is a body, or there is none.
        check(head(&format!("Content-Length: {length}\r\n")) + &hidden, &["403"]);
        check(
            head(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n")) + &hidden,
            &["400"],
        );
        check(head("Content-Length: +0\r\n") + &hidden, &["400"]);
        check(head("Content-Length : 0\r\n"), &["400"]);
        check(head("Transfer-Encoding: identity\r\n") + &hidden, &["400"]);
        check(head(" X-Real-IP: 1.1.1.1\r\n"), &["400"]);
        check(head("X-Real-IP\r\n: 1.1.1.1\r\n"), &["400"]);
        check(head("A: b\0c\r\n"), &["400"]);
        check(format!("GET /check HTTP/1.1\nX-Real-IP: {LISTED}\n\n"), &["403"]);
        check("GET http://a/check?ip=45.9.8.1 HTTP/1.1\r\nHost: a\r\n\r\n".into(), &["403"]);
        check("CONNECT /check HTTP/1.1\r\nHost: a\r\n\r\n".into(), &["400"]);
        check("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".into(), &["405"]);
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), &[]);
        check(format!("HEAD /check HTTP/1.1\r\nX-Real-IP: {UNLISTED}\r\n\r\n"), &["204"]);
    });
}

#[test]
fn whoever_comes_by_tcp_takes_no_place_of_a_web_server() {
    let more = "listen.tcp = [\"127.0.0.1:8089\"]\nlisten.connections-max = 8";
    with_gateway(more, |_, gateway| {
        let own = SocketAddr::from(([127, 0, 0, 1], 8089));
        let ask = |connection: &mut HttpConnection| {
            connection.get("/check", &[("X-Real-IP", LISTED)]).map(|answer| answer.status)
        };
        let mut servers: Vec<_> = (0..4).map(|_| gateway.connect()).collect();
        for server in &mut servers {
            assert_eq!(ask(server).expect("an answer"), 403);
        }
        let mut crowd: Vec<_> = (0..40).map(|_| HttpConnection::tcp(own)).collect();
        for one in crowd.iter_mut().flatten() {
            let _ = ask(one);
        }
        for server in &mut servers {
            assert_eq!(ask(server).expect("its connection is still there"), 403);
        }
        // And more of them come in place of the crowd, which has a quarter.
        let mut more: Vec<_> = (0..2).map(|_| gateway.connect()).collect();
        for server in servers.iter_mut().chain(&mut more) {
            assert_eq!(ask(server).expect("there is a place"), 403);
        }
    });
}
