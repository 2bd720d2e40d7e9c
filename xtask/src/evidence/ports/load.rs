//! Requests at a steady pace that nothing slows down. Each is due at a moment that was
//! fixed beforehand, and its latency counts from there, whenever it could be sent: who
//! has to wait because others wait is not left out.
//!
//! Beside it, for comparison, the way of most tools: a few clients that ask again when
//! they have been answered, and count from when they did.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::super::dial::dial;

/// The longest latency that is told apart, in microseconds.
const LATENCY_MAX_US: u64 = 60_000_000;

/// What is sent.
#[derive(Clone, Debug)]
pub(in super::super) struct Plan {
    /// Requests a second, of all clients.
    pub(in super::super) rate: u32,
    pub(in super::super) time: Duration,
    /// Bytes that each request posts.
    pub(in super::super) body: usize,
    /// Whether a connection is used for more than one.
    pub(in super::super) keep_alive: bool,
    /// Where clients come from, in turns.
    pub(in super::super) clients: Vec<Ipv4Addr>,
    /// Where they go, in turns.
    pub(in super::super) servers: Vec<SocketAddr>,
    /// How many requests can be under way at once.
    pub(in super::super) threads: usize,
    /// Nobody waits longer for a connection or an answer.
    pub(in super::super) patience: Duration,
}

/// What came of it. Latencies are in microseconds.
#[derive(Clone, Debug)]
pub(in super::super) struct Heard {
    /// From when a request was due.
    pub(in super::super) from_due: Histogram<u64>,
    /// From when it was sent.
    pub(in super::super) from_send: Histogram<u64>,
    pub(in super::super) errors: u64,
    pub(in super::super) timeouts: u64,
    /// Requests that were sent more than a millisecond after they were due, as all
    /// threads had to wait or the processors were busy.
    pub(in super::super) late: u64,
    /// What the threads of the clients worked, and what was received on their time.
    pub(in super::super) worked: Duration,
}

impl Heard {
    fn new() -> Self {
        let empty = || Histogram::new_with_max(LATENCY_MAX_US, 3).expect("the limits are good");
        let worked = Duration::ZERO;
        let (from_due, from_send) = (empty(), empty());
        Self { from_due, from_send, errors: 0, timeouts: 0, late: 0, worked }
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in
            [(&mut self.from_due, &other.from_due), (&mut self.from_send, &other.from_send)]
        {
            mine.add(theirs).expect("both have the same limits");
        }
        self.errors += other.errors;
        self.timeouts += other.timeouts;
        self.late += other.late;
        self.worked += other.worked;
    }

    /// Takes in one request. Times are in nanoseconds.
    fn note(&mut self, due: u64, sent: u64, answered: u64, done: &io::Result<()>) {
        self.from_due.saturating_record(answered.saturating_sub(due) / 1_000);
        self.from_send.saturating_record(answered.saturating_sub(sent) / 1_000);
        self.late += u64::from(sent.saturating_sub(due) > 1_000_000);
        if let Err(error) = done {
            let is_late =
                matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
            self.timeouts += u64::from(is_late);
            self.errors += u64::from(!is_late);
        }
    }
}

/// The moment at which a request is due, in nanoseconds after the first.
fn due(number: u64, rate: u32) -> u64 {
    number * 1_000_000_000 / u64::from(rate)
}

/// Sends at the pace of the plan, whatever happens. To be called in the namespace of
/// the clients.
pub(in super::super) fn open_loop(plan: &Plan) -> Heard {
    let count = plan.time.as_secs_f64() * f64::from(plan.rate);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let count = count as u64;
    let next = AtomicU64::new(0);
    // Until all threads are there.
    let start = now() + 50_000_000;
    all_threads(plan, |thread, client| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return false;
        }
        let due = start + due(number, plan.rate);
        wait_until(due);
        let sent = now();
        let client_number = if plan.keep_alive { thread as u64 } else { number };
        let done = client.ask(plan, client_number);
        client.heard.note(due, sent, now(), &done);
        true
    })
}

/// Clients that share the pace of the plan, each asking when it has been answered, and
/// late for good when it has to wait.
pub(in super::super) fn closed_loop(plan: &Plan) -> Heard {
    let pause = due(plan.threads as u64, plan.rate);
    let start = now() + 50_000_000;
    let end = start + due(1, 1) * plan.time.as_secs();
    all_threads(plan, |thread, client| {
        let due = client.next.max(start);
        wait_until(due);
        let sent = now();
        if sent >= end {
            return false;
        }
        let done = client.ask(plan, thread as u64);
        client.next = sent + pause;
        client.heard.note(sent, sent, now(), &done);
        true
    })
}

fn all_threads(plan: &Plan, turn: impl Fn(usize, &mut Client) -> bool + Sync) -> Heard {
    let all = Mutex::new(Heard::new());
    thread::scope(|scope| {
        for number in 0..plan.threads {
            let (turn, all) = (&turn, &all);
            let work = move || {
                let mut client = Client::new(plan);
                while turn(number, &mut client) {}
                client.heard.worked = own_time();
                all.lock().expect("nobody panics with it").add(&client.heard);
            };
            let named = thread::Builder::new().name("ev-client".into());
            named.spawn_scoped(scope, work).expect("a thread more");
        }
    });
    all.into_inner().expect("nobody panics with it")
}

struct Client {
    request: Vec<u8>,
    stream: Option<TcpStream>,
    next: u64,
    heard: Heard,
}

impl Client {
    fn new(plan: &Plan) -> Self {
        let close = if plan.keep_alive { "" } else { "Connection: close\r\n" };
        let head = format!(
            "POST /file HTTP/1.1\r\nHost: denyset\r\nContent-Length: {}\r\n{close}\r\n",
            plan.body
        );
        let request = [head.into_bytes(), vec![b'x'; plan.body]].concat();
        Self { request, stream: None, next: 0, heard: Heard::new() }
    }

    fn ask(&mut self, plan: &Plan, seat: u64) -> io::Result<()> {
        let done = self.try_to_ask(plan, seat);
        if done.is_err() || !plan.keep_alive {
            self.stream = None;
        }
        done
    }

    fn try_to_ask(&mut self, plan: &Plan, seat: u64) -> io::Result<()> {
        if self.stream.is_none() {
            let at = |length: usize| usize::try_from(seat).unwrap_or_default() % length;
            let from = plan.clients[at(plan.clients.len())].into();
            self.stream = Some(dial(from, plan.servers[at(plan.servers.len())], plan.patience)?);
        }
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.write_all(&self.request)?;
        let mut answer = [0; 256];
        let length = stream.read(&mut answer)?;
        if answer[..length].starts_with(b"HTTP/1.1 200 ") {
            Ok(())
        } else {
            Err(io::Error::other("another answer than 200"))
        }
    }
}

/// The time that only goes on, in nanoseconds.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let parts = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or_default());
    parts[0] * 1_000_000_000 + parts[1]
}

fn wait_until(moment: u64) {
    let moment = Timespec::try_from(Duration::from_nanos(moment)).expect("the uptime is one");
    // A signal ends the wait early.
    while clock_nanosleep_absolute(ClockId::Monotonic, &moment).is_err() {}
}

fn own_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::server::Server;
    use super::*;

    fn plan(server: &Server, threads: usize) -> Plan {
        Plan {
            rate: 200,
            time: Duration::from_secs(2),
            body: 4_096,
            keep_alive: true,
            clients: vec![Ipv4Addr::LOCALHOST],
            servers: server.addresses().to_vec(),
            threads,
            patience: Duration::from_secs(20),
        }
    }

    #[test]
    fn requests_are_due_at_an_even_pace() {
        assert_eq!([0, 1, 3, 750].map(|at| due(at, 750)), [0, 1_333_333, 4_000_000, 1_000_000_000]);
    }

    #[test]
    fn a_request_that_is_sent_late_is_late_from_when_it_was_due() {
        let mut heard = Heard::new();
        heard.note(1_000_000, 5_000_000, 6_000_000, &Ok(()));
        heard.note(1_000_000, 1_000_000, 3_000_000, &Err(io::ErrorKind::TimedOut.into()));
        // Told to three digits.
        let longest = [heard.from_due.max(), heard.from_send.max()].map(|us| us / 10 * 10);
        assert_eq!(longest, [5_000, 2_000]);
        assert_eq!([heard.late, heard.timeouts, heard.errors], [1, 1, 0]);
    }

    #[test]
    fn a_stall_is_seen_by_all_who_were_due_in_it_and_by_few_of_a_closed_loop() {
        let server = Server::start(IpAddr::from([127, 0, 0, 1]), &[0]).expect("a port");
        let measure = |run: fn(&Plan) -> Heard, threads| {
            server.stall(Duration::from_millis(500));
            let heard = run(&plan(&server, threads));
            assert_eq!(heard.errors + heard.timeouts, 0, "{heard:?}");
            let slow = heard.from_due.count_between(100_000, LATENCY_MAX_US);
            (heard.from_due.len(), slow)
        };
        // Of 400 requests a hundred fall into the stall, eighty wait for over 100 ms.
        let (all, slow) = measure(open_loop, 128);
        assert_eq!(all, 400);
        assert!(slow >= 60, "{slow}");
        let (_, slow) = measure(closed_loop, 2);
        assert!((1..=20).contains(&slow), "{slow}");
    }
}
