//! A verb's end of the control socket: asks the daemon and waits for the
//! answer. It blocks and knows no runtime, for the verbs have none.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;

use super::limits::{BUSY_PAUSE_MAX, BUSY_PAUSE_MIN, BUSY_TIME_MAX, REPLY_BYTES_MAX};
use super::protocol::{ClientRequest, Failure, decode_reply, encode_request};
use crate::exit::Exit;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens at the control socket.
    #[error("no daemon answers at {}: {source}", path.display())]
    NoDaemon {
        /// The control socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The permissions of the socket keep us out.
    #[error("the control socket {} is for root and for its group, and you are neither", path.display())]
    Denied {
        /// The control socket.
        path: PathBuf,
    },
    /// The daemon is there and does not answer in time.
    #[error("the daemon at {} has not answered within {} s", path.display(), waited.as_secs())]
    Late {
        /// The control socket.
        path: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// The conversation broke off.
    #[error("the conversation with the daemon at {} broke off: {source}", path.display())]
    Broken {
        /// The control socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The answer is none that we understand.
    #[error("the daemon at {} gave an answer that is not understood, is it another version? {source}", path.display())]
    Garbled {
        /// The control socket.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The daemon says no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AskError {
    /// How the process of the verb ends for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Denied { .. } => Exit::Denied,
            Self::Failed(failure) => failure.exit(),
            _ => Exit::Failure,
        }
    }
}

/// Asks the daemon at `path` and waits for its answer, `timeout` long at most
/// between two signs of it. A daemon that has too many clients is asked again,
/// after a pause that grows.
///
/// # Errors
/// [`AskError`]; `NoDaemon` is the one that means that nobody has this job.
pub fn ask(path: &Path, request: &ClientRequest, timeout: Duration) -> Result<Value, AskError> {
    let begun = Instant::now();
    let mut pause = BUSY_PAUSE_MIN;
    loop {
        let answer = ask_once(path, request, timeout);
        let is_busy = matches!(&answer, Err(AskError::Failed(failure)) if failure.busy);
        if !is_busy || begun.elapsed() + pause > timeout.min(BUSY_TIME_MAX) {
            return answer;
        }
        sleep(pause);
        pause = (pause * 2).min(BUSY_PAUSE_MAX);
    }
}

fn ask_once(path: &Path, request: &ClientRequest, timeout: Duration) -> Result<Value, AskError> {
    let stream = connect(path, timeout).map_err(|error| not_connected(path, timeout, error))?;
    let line = converse(&stream, request).map_err(|error| broken_off(path, timeout, error))?;
    let reply = decode_reply(&line)
        .map_err(|source| AskError::Garbled { path: path.to_owned(), source })?;
    Ok(reply?)
}

/// Connects, with a limit on every wait. The standard library cannot limit
/// the wait for a full queue of clients, which is one for sending.
fn connect(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(timeout))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(timeout))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket.into())
}

fn converse(mut stream: &UnixStream, request: &ClientRequest) -> io::Result<Vec<u8>> {
    let mut line = encode_request(request);
    line.push('\n');
    // A daemon that turns us away says why and does not listen first.
    let sent = stream.write_all(line.as_bytes());
    let mut answer = Vec::new();
    let received = BufReader::new(stream.take(REPLY_BYTES_MAX)).read_until(b'\n', &mut answer);
    if answer.last() == Some(&b'\n') {
        return Ok(answer);
    }
    sent?;
    received?;
    // The daemon has stopped, or the answer has no end.
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn not_connected(path: &Path, waited: Duration, source: io::Error) -> AskError {
    let path = path.to_owned();
    match Errno::from_io_error(&source) {
        Some(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR) => {
            AskError::NoDaemon { path, source }
        }
        Some(Errno::ACCESS | Errno::PERM) => AskError::Denied { path },
        Some(Errno::AGAIN) => AskError::Late { path, waited },
        _ => AskError::Broken { path, source },
    }
}

fn broken_off(path: &Path, waited: Duration, source: io::Error) -> AskError {
    let path = path.to_owned();
    match Errno::from_io_error(&source) {
        Some(Errno::AGAIN) => AskError::Late { path, waited },
        _ => AskError::Broken { path, source },
    }
}
