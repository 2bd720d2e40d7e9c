//! What is asked, and what it costs whoever answers: many requests one after the
//! other, or at a pace that waits for nobody.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::PATIENCE;
use lab::http::HttpConnection;

use crate::Failure;

/// How many clients are told apart.
const CLIENTS: usize = 4_096;
/// Connections at the most that questions are on whose answers do not come in time.
const LINES_MAX: usize = 256;

/// Requests, every other one of who is listed.
pub(super) struct Questions {
    texts: Vec<String>,
    /// Who is not listed is answered so.
    good: u16,
}

/// How long the answers to a pace took, each from when it was due, in order of size.
pub(super) struct Paced(pub(super) Vec<Duration>);

impl Questions {
    /// For a look-up.
    pub(super) fn of_check(listed: &[u32]) -> Self {
        Self { texts: texts(listed, "/check", "X-Real-IP"), good: 204 }
    }

    /// For a web server behind a proxy, by way of its clients.
    pub(super) fn of_page(listed: &[u32]) -> Self {
        Self { texts: texts(listed, "/index.html", "X-Forwarded-For"), good: 200 }
    }

    fn want(&self, at: usize) -> u16 {
        if at.is_multiple_of(2) { 403 } else { self.good }
    }

    fn text(&self, at: usize) -> &[u8] {
        self.texts[at % self.texts.len()].as_bytes()
    }

    /// Microseconds of each of `worked` that a request takes, on so many connections.
    pub(super) fn cost<const N: usize>(
        &self,
        socket: &Path,
        connections: u32,
        requests: u32,
        worked: impl Fn() -> Result<[Duration; N], Failure>,
    ) -> Result<[f64; N], Failure> {
        let all: io::Result<Vec<_>> =
            (0..connections).map(|_| HttpConnection::unix(socket)).collect();
        let mut all = all?;
        let mut asked = 0;
        let mut turn = || -> Result<(), Failure> {
            for (at, connection) in all.iter_mut().enumerate() {
                connection.send(self.text(asked + at))?;
            }
            for (at, connection) in all.iter_mut().enumerate() {
                let (status, want) = (connection.receive()?.status, self.want(asked + at));
                if status != want {
                    return Err(format!("{status} in place of {want}").into());
                }
            }
            asked += all.len();
            Ok(())
        };
        for _ in 0..100 {
            turn()?;
        }
        let before = worked()?;
        let turns = requests / connections;
        for _ in 0..turns {
            turn()?;
        }
        let mut each = [0.0; N];
        for (each, (now, before)) in each.iter_mut().zip(worked()?.into_iter().zip(before)) {
            let took = now.saturating_sub(before).as_secs_f64();
            *each = took * 1e6 / f64::from(turns * connections);
        }
        Ok(each)
    }

    /// Asks so many a second, for so long, whether answers come or not: who is
    /// answered late holds up nobody's question, which goes on another connection then.
    pub(super) fn at_pace(
        &self,
        socket: &Path,
        pace: u32,
        during: Duration,
    ) -> Result<Paced, Failure> {
        let mut lines: Vec<Line> = Vec::new();
        let gap = Duration::from_secs(1) / pace;
        let (begun, mut sent) = (Instant::now(), 0_u32);
        let mut answers = Vec::new();
        loop {
            let due = begun + gap * sent;
            let is_over = due > begun + during;
            if !is_over && Instant::now() >= due {
                let idle = lines.iter().position(|line| line.waits_for.is_none());
                let at = idle.unwrap_or(lines.len());
                if at == lines.len() {
                    lines.push(Line::new(socket)?);
                }
                let number = sent as usize;
                lines[at].stream.write_all(self.text(number))?;
                lines[at].waits_for = Some((due, self.want(number)));
                sent += 1;
            }
            for line in &mut lines {
                answers.extend(line.receive()?.map(|due| due.elapsed()));
            }
            let left = lines.iter().any(|line| line.waits_for.is_some());
            if is_over && !left {
                break;
            }
            if lines.len() > LINES_MAX || begun.elapsed() > during + PATIENCE {
                return Err("answers do not come".into());
            }
            thread::yield_now();
        }
        answers.sort_unstable();
        Ok(Paced(answers))
    }
}

impl Paced {
    /// The answer that so many of a thousand are not slower than, in milliseconds.
    pub(super) fn ms(&self, of_thousand: usize) -> f64 {
        let at = (self.0.len() * of_thousand / 1_000).min(self.0.len() - 1);
        self.0[at].as_secs_f64() * 1e3
    }
}

/// A connection whose answer is waited for by looking.
struct Line {
    stream: UnixStream,
    bytes: Vec<u8>,
    /// When the question was due, and how it has to be answered.
    waits_for: Option<(Instant, u16)>,
}

impl Line {
    fn new(socket: &Path) -> Result<Self, Failure> {
        let stream = UnixStream::connect(socket)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, bytes: Vec::new(), waits_for: None })
    }

    /// Takes in what is there, and says when the question was due if it is answered.
    /// No answer has a body.
    fn receive(&mut self) -> Result<Option<Instant>, Failure> {
        let Some((due, want)) = self.waits_for else { return Ok(None) };
        let mut room = [0; 4_096];
        match self.stream.read(&mut room) {
            Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(length) => self.bytes.extend_from_slice(&room[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if !self.bytes.ends_with(b"\r\n\r\n") {
            return Ok(None);
        }
        if !self.bytes.starts_with(format!("HTTP/1.1 {want} ").as_bytes()) {
            let answer = String::from_utf8_lossy(&self.bytes);
            return Err(format!("{answer} in place of {want}").into());
        }
        self.bytes.clear();
        self.waits_for = None;
        Ok(Some(due))
    }
}

fn texts(listed: &[u32], target: &str, header: &str) -> Vec<String> {
    let step = (listed.len() / CLIENTS).max(1);
    let pairs = listed.windows(2).step_by(step);
    let apart = pairs.filter(|pair| pair[0] + 1 < pair[1]);
    let addresses = apart.flat_map(|pair| [pair[0], pair[0] + 1]);
    addresses
        .map(|address| {
            let address = Ipv4Addr::from(address);
            format!("GET {target} HTTP/1.1\r\nHost: denyset\r\n{header}: {address}\r\n\r\n")
        })
        .collect()
}
