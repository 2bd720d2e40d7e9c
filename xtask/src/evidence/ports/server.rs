//! A small web server: it takes what is posted, says that it has, and does nothing else.
//! One thread, so that what it works is known. It can be told to stall, for those who
//! measure that.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::thread::{NanosleepRelativeResult, gettid, nanosleep};
use rustix::time::Timespec;

use super::super::tool::worked;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How often it looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// A server at work. It ends when it is dropped.
pub(in super::super) struct Server {
    addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    stall_ms: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    account: String,
}

impl Server {
    /// Listens at these ports, in the network namespace of the calling thread.
    pub(in super::super) fn start(address: IpAddr, ports: &[u16]) -> io::Result<Self> {
        let listeners: io::Result<Vec<_>> =
            ports.iter().map(|&port| listen_at(SocketAddr::new(address, port))).collect();
        let listeners = listeners?;
        let addresses: io::Result<Vec<_>> = listeners.iter().map(TcpListener::local_addr).collect();
        let (stop, stall_ms) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, stalled) = (stop.clone(), stall_ms.clone());
        let (tell, told) = mpsc::channel();
        let serve = move || {
            // Whoever waits for it is there as long as it is.
            let _ = tell.send(gettid().as_raw_nonzero());
            let served = Desk { listeners, clients: HashMap::new() }.serve(&stopped, &stalled);
            if let Err(error) = served {
                eprintln!("the server of the measurement: {error}");
            }
        };
        let thread = thread::Builder::new().name("ev-server".into()).spawn(serve)?;
        let number = told.recv().map_err(io::Error::other)?;
        let account = format!("/proc/self/task/{number}/schedstat");
        Ok(Self { addresses: addresses?, stop, stall_ms, thread: Some(thread), account })
    }

    /// Where it listens.
    pub(in super::super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it has worked so far.
    pub(in super::super) fn worked(&self) -> Duration {
        worked(&self.account)
    }

    /// Does nothing for so long, from now on, or when it is next asked something.
    pub(in super::super) fn stall(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stall_ms.store(ms, Ordering::Relaxed);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // One that has panicked has said so.
            let _ = thread.join();
        }
    }
}

struct Desk {
    listeners: Vec<TcpListener>,
    clients: HashMap<u64, Client>,
}

struct Client {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Desk {
    fn serve(&mut self, stop: &AtomicBool, stall_ms: &AtomicU64) -> io::Result<()> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        for listener in &self.listeners {
            listener.set_nonblocking(true)?;
            epoll::add(&poll, listener, name(listener), EventFlags::IN)?;
        }
        let glance = Timespec::try_from(GLANCE).map_err(io::Error::other)?;
        let mut events: Vec<Event> = Vec::with_capacity(256);
        while !stop.load(Ordering::Relaxed) {
            events.clear();
            match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), Some(&glance)) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            pause(stall_ms.swap(0, Ordering::Relaxed));
            for event in &events {
                let number = event.data.u64();
                let listens = |listener: &&TcpListener| name(*listener).u64() == number;
                if let Some(listener) = self.listeners.iter().find(listens) {
                    while let Ok((stream, _)) = listener.accept() {
                        stream.set_nonblocking(true)?;
                        stream.set_nodelay(true)?;
                        epoll::add(&poll, &stream, name(&stream), EventFlags::IN)?;
                        let client = Client { heard: Vec::new(), stream };
                        self.clients.insert(name(&client.stream).u64(), client);
                    }
                } else if self.clients.get_mut(&number).is_some_and(|client| !client.hear()) {
                    // What is closed is no longer waited for.
                    self.clients.remove(&number);
                }
            }
        }
        Ok(())
    }
}

/// With room for all who come at once: else they come again a second later, and what is
/// measured is that.
fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, 4_096)?;
    Ok(socket.into())
}

fn name(socket: &impl AsRawFd) -> EventData {
    EventData::new_u64(u64::try_from(socket.as_raw_fd()).unwrap_or_default())
}

fn pause(ms: u64) {
    let mut left = Duration::from_millis(ms);
    while !left.is_zero() {
        let Ok(time) = Timespec::try_from(left) else { return };
        match nanosleep(&time) {
            NanosleepRelativeResult::Interrupted(rest) => {
                left = Duration::try_from(rest).unwrap_or_default();
            }
            _ => return,
        }
    }
}

impl Client {
    /// Takes in what has come, and answers what is whole. Whether it goes on.
    fn hear(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(length) => self.heard.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        while let Some((length, closes)) = request(&self.heard) {
            self.heard.drain(..length);
            // An answer so short always has room.
            if self.stream.write_all(ANSWER).is_err() || closes {
                return false;
            }
        }
        true
    }
}

/// The length of the first whole request, and whether it is the last of its
/// connection.
fn request(heard: &[u8]) -> Option<(usize, bool)> {
    let end = heard.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let lines = String::from_utf8_lossy(&heard[..end]).to_ascii_lowercase();
    let body = lines.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body = body.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or_default();
    let length = end + body;
    (heard.len() >= length).then(|| (length, lines.contains("connection: close")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_when_its_body_is() {
        let check = |text: &str, want: Option<(usize, bool)>| {
            assert_eq!(request(text.as_bytes()), want, "{text:?}");
        };
        check("GET / HTTP/1.1\r\n", None);
        check("GET / HTTP/1.1\r\n\r\n", Some((18, false)));
        check("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", None);
        check("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST", Some((41, false)));
        check("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", Some((37, true)));
    }
}
