//! A web server of our own in the namespace of a test, and requests to it from
//! any address. Knows no format.
//!
//! All addresses are this namespace's own, by routes of the kind `local`, and a
//! request really comes from the address it is asked from. No header says whose it
//! is, and nothing has to be believed.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use lab::witness;
use rustix::net::sockopt::set_ipv6_freebind;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{Pid, Signal, kill_process};

/// Where servers listen, in both families, and from there on.
pub(crate) const PORT: u16 = 80;

/// Makes all addresses this host's own.
pub(crate) fn take_all_addresses() {
    witness::ip("route add local 0.0.0.0/0 dev lo");
    witness::ip("-6 route add local ::/0 dev lo");
}

/// A server that runs until it is dropped.
pub(crate) struct Server(Child);

impl Server {
    /// Starts a program that stays in the foreground, and waits until it has
    /// said `ready` on standard error, where it says what is wrong, too.
    pub(crate) fn start(command: &mut Command, ready: &str) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = child.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Self(child);
        let said = server.0.stderr.take().expect("standard error is a pipe");
        let mut said = BufReader::new(said);
        let (mut all, mut line) = (String::new(), String::new());
        while !line.contains(ready) {
            all.push_str(&line);
            line.clear();
            let length = said.read_line(&mut line).expect("servers write text");
            assert_ne!(length, 0, "{command:?} does not serve:\n{all}");
        }
        // A pipe that nobody reads would stop it.
        thread::spawn(move || io::copy(&mut said, &mut io::sink()));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        // It takes its own children with it.
        let asked = id.map(|id| kill_process(id, Signal::TERM));
        if asked.is_none_or(|asked| asked.is_err()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// Whether who asks from this address for this path is turned away.
pub(crate) fn turns_away(client: IpAddr, port: u16, path: &str) -> bool {
    let answer = ask(client, port, path);
    match answer.split(' ').nth(1) {
        Some("403") => true,
        Some("200") => false,
        _ => panic!("{client} asked for {path}: {answer}"),
    }
}

fn ask(client: IpAddr, port: u16, path: &str) -> String {
    let (family, server) = match client {
        IpAddr::V4(_) => (AddressFamily::INET, IpAddr::from(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(_) => (AddressFamily::INET6, IpAddr::from(Ipv6Addr::LOCALHOST)),
    };
    let socket = socket(family, SocketType::STREAM, None).expect("a socket");
    if client.is_ipv6() {
        // A route alone makes no address of this family one that can be bound.
        set_ipv6_freebind(&socket, true).expect("a socket of IPv6");
    }
    bind(&socket, &SocketAddr::new(client, 0)).expect("all addresses are ours");
    connect(&socket, &SocketAddr::new(server, port)).expect("the server listens");
    let mut stream = TcpStream::from(socket);
    write!(stream, "GET {path} HTTP/1.0\r\nHost: one.test\r\n\r\n").expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}
