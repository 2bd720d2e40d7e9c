//! Clients of the control socket that mean no good: many at once, of a user of
//! their own, each doing the same over and over.
//!
//! They are threads: on Linux each thread has a user of its own, and the
//! kernel says of a connection whose thread made it (`SO_PEERCRED`).

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use rustix::time::Timespec;

/// How long a client waits for anything before it looks whether it is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malice {
    /// It connects, asks this, and hangs up before there is an answer.
    HangsUp(&'static str),
    /// It asks this, hears the answer, and asks again at once.
    AsksWithoutEnd(&'static str),
    /// It asks this, and never listens.
    NeverReads(&'static str),
    /// It connects, and says nothing.
    NeverWrites,
    /// It connects, and says one byte a moment.
    WritesSlowly,
}

/// Clients at work. They end when it is dropped.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    attempts: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    /// Starts `count` clients of the user and group `uid`.
    pub fn start(socket: &Path, malice: Malice, count: usize, uid: u32) -> Self {
        let (stop, attempts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = (0..count).map(|_| {
            let client =
                Client { socket: socket.into(), stop: stop.clone(), attempts: attempts.clone() };
            thread::spawn(move || {
                become_user(uid);
                client.run(malice);
            })
        });
        Self { threads: threads.collect(), stop, attempts }
    }

    /// How many times they have tried to connect.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.threads.drain(..) {
            // One that has panicked has said so.
            let _ = client.join();
        }
    }
}

/// Makes this thread one of another user, with one group and no rights.
///
/// # Panics
/// If it may not.
pub fn become_user(uid: u32) {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    set_thread_groups(&[group]).expect("root may leave its groups");
    set_thread_res_gid(group, group, group).expect("root may change its group");
    set_thread_res_uid(user, user, user).expect("root may become another user");
}

/// Asks `request` once, and returns the answer; empty if the connection ended
/// without one.
///
/// # Errors
/// Those of the socket, also if nothing comes within `patience`.
pub fn ask(socket: &Path, request: &str, patience: Duration) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    // One that is turned away may not be heard.
    let _ = writeln!(stream, "{request}");
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(answer),
    }
}

struct Client {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    attempts: Arc<AtomicU64>,
}

impl Client {
    fn run(&self, malice: Malice) {
        while !self.is_over() {
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let Ok(mut stream) = UnixStream::connect(&self.socket) else { continue };
            stream.set_read_timeout(Some(GLANCE)).expect("a socket takes a timeout");
            // The daemon may have hung up at any of these steps.
            match malice {
                Malice::HangsUp(request) => {
                    let _ = writeln!(stream, "{request}");
                }
                Malice::AsksWithoutEnd(request) => {
                    let _ = writeln!(stream, "{request}");
                    self.hear(&mut stream);
                }
                Malice::NeverReads(request) => {
                    let _ = writeln!(stream, "{request}");
                    self.hold(&stream);
                }
                Malice::NeverWrites => self.hold(&stream),
                Malice::WritesSlowly => {
                    while !self.is_over() && stream.write_all(b" ").is_ok() {
                        wait(&stream, PollFlags::RDHUP);
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Listens until the daemon hangs up.
    fn hear(&self, stream: &mut UnixStream) {
        let mut answer = [0; 16 * 1024];
        while !self.is_over() {
            match stream.read(&mut answer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Does nothing until the daemon hangs up.
    fn hold(&self, stream: &UnixStream) {
        while !self.is_over() && !wait(stream, PollFlags::RDHUP) {}
    }
}

/// Waits a moment for an event; whether it has come.
fn wait(stream: &UnixStream, event: PollFlags) -> bool {
    let moment = Timespec::try_from(GLANCE).expect("a moment is short");
    let begun = Instant::now();
    let found = poll(&mut [PollFd::new(stream, event)], Some(&moment));
    // A signal ends the wait early, which is no event.
    found.is_ok_and(|found| found > 0) || begun.elapsed() > GLANCE * 100
}
