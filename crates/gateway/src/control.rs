//! The daemon's control socket, as one who only asks uses it: a line of JSON
//! goes there, a line of JSON comes back, and there are limits on both. What is
//! asked changes nothing.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::limits::{CONTROL_TIME_MAX, STATUS_BYTES_MAX};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlQuestion {
    /// What the daemon holds.
    Status,
    /// What was hit.
    Hits,
    /// Why an address is blocked, or is not.
    Why(IpAddr),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// The socket does not lead to a daemon.
    #[error("the daemon cannot be asked: {0}")]
    Unreachable(#[from] io::Error),
    /// It is there and slow.
    #[error("the daemon has not answered in time")]
    Late,
    /// It says no.
    #[error("the daemon says: {0}")]
    Refused(String),
    /// It says something that is not understood.
    #[error("the daemon's answer is not understood, is it another version? {0}")]
    Garbled(#[from] serde_json::Error),
}

/// The outermost object of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Envelope {
    Ok(Box<RawValue>),
    Error(Refusal),
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl ControlQuestion {
    fn line(self) -> String {
        match self {
            Self::Status => "{\"verb\":\"status\"}\n".to_owned(),
            // One address is named at the least.
            Self::Hits => "{\"verb\":\"hits\",\"top\":1}\n".to_owned(),
            Self::Why(address) => format!("{{\"verb\":\"why\",\"address\":\"{address}\"}}\n"),
        }
    }
}

/// Asks the daemon, and returns its document as it wrote it.
///
/// # Errors
/// [`ControlError`].
pub(crate) async fn ask(socket: &Path, question: ControlQuestion) -> Result<String, ControlError> {
    let line = timeout(CONTROL_TIME_MAX, converse(socket, question)).await;
    let line = line.map_err(|_| ControlError::Late)??;
    // There may be thousands of feeds in it, and web servers wait for nobody.
    spawn_blocking(move || decode(&line)).await.map_err(io::Error::other)?
}

fn decode(line: &[u8]) -> Result<String, ControlError> {
    match serde_json::from_slice(line)? {
        Envelope::Ok(document) => Ok(document.get().to_owned()),
        Envelope::Error(Refusal { message }) => Err(ControlError::Refused(message)),
    }
}

async fn converse(socket: &Path, question: ControlQuestion) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    // Who is turned away is told why without being listened to.
    let sent = stream.write_all(question.line().as_bytes()).await;
    let mut line = Vec::new();
    BufReader::new(stream.take(STATUS_BYTES_MAX)).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        sent?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}
