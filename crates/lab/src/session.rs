//! Somebody at work on the host over a connection that is held open, as SSH does
//! it: here is the listening socket, and the other end is beyond a wire.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use crate::wire::{HERE_V4, HERE_V6, Wire};

/// Longer than an answer over the wire takes.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Shorter than the second after which TCP knocks again: one segment is sent to
/// a port that is expected not to answer.
const KNOCK: Duration = Duration::from_millis(400);

/// Longer than TCP waits between two attempts after a few seconds of silence.
const RETRANSMITS: Duration = Duration::from_secs(10);

/// A server that both families reach by one socket, as most do.
#[derive(Debug)]
pub struct SessionServer {
    listener: TcpListener,
    port: u16,
}

/// A connection to it.
#[derive(Debug)]
pub struct Session {
    here: TcpStream,
    beyond: TcpStream,
}

impl SessionServer {
    /// Listens at a port of the namespace of this thread.
    ///
    /// # Panics
    /// If it is taken.
    pub fn at(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).expect("a free port");
        Self { listener, port }
    }

    /// Somebody comes from an address beyond the wire, and stays.
    ///
    /// # Panics
    /// If the connection is not established.
    pub fn let_in(&self, wire: &Wire, from: IpAddr) -> Session {
        let beyond = self.knock(wire, from, None).expect("somebody listens");
        let (here, _) = self.listener.accept().expect("it is established");
        here.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Session { here, beyond }
    }

    /// Whether somebody who comes from there is let in, and not kept. Where it is
    /// `expected` a lost segment is sent again, else there is one.
    ///
    /// # Panics
    /// If the address is none of the side beyond.
    pub fn lets_in(&self, wire: &Wire, from: IpAddr, expected: bool) -> bool {
        let patience = if expected { RETRANSMITS } else { KNOCK };
        let knocked = self.knock(wire, from, Some(patience));
        if knocked.is_ok() {
            self.listener.accept().expect("it is established");
        }
        knocked.is_ok()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn knock(
        &self,
        wire: &Wire,
        from: IpAddr,
        patience: Option<Duration>,
    ) -> io::Result<TcpStream> {
        let to: IpAddr = if from.is_ipv4() { HERE_V4.into() } else { HERE_V6.into() };
        let family = if from.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        wire.beyond(|| {
            let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .expect("a socket");
            set_socket_timeout(&socket, Timeout::Send, patience).expect("a limit");
            bind(&socket, &SocketAddr::new(from, 0)).expect("an address of that side");
            connect(&socket, &SocketAddr::new(to, self.port))?;
            Ok(TcpStream::from(socket))
        })
    }
}

impl Session {
    /// Whether what is typed beyond arrives here.
    ///
    /// # Panics
    /// If the connection has ended.
    pub fn is_alive(&mut self) -> bool {
        self.beyond.write_all(b"x").expect("there is room for a letter");
        self.here.read(&mut [0; 64]).is_ok_and(|count| count > 0)
    }

    /// Whether what was typed while nothing arrived arrives now: it is sent again
    /// and again, with longer and longer pauses.
    ///
    /// # Panics
    /// If the connection has ended.
    pub fn recovers(&mut self) -> bool {
        self.here.set_read_timeout(Some(RETRANSMITS)).expect("a limit");
        let recovers = self.is_alive();
        self.here.set_read_timeout(Some(PATIENCE)).expect("a limit");
        recovers
    }
}
