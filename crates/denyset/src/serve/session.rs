//! One client of the control socket, from its request line to its reply. It
//! decides whether the client may ask, and lets it go when it is slow to ask,
//! slow to listen, or has to make room. What the reply says is not known here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::SendFlags;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::answers::{Answers, ReplyText};
use super::limits::{GLANCE, REPLY_TIME_MAX, REQUEST_BYTES_MAX, STALL_TIME_MAX};
use super::places::Rank;
use super::protocol::{Change, Failure, VerbReply, Wish, decode_request, encode_reply};
use super::server::Seat;
use crate::exit::Exit;

/// Who is at the other end, as the kernel says (`SO_PEERCRED`, `unix(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The user it was when it connected.
    pub uid: u32,
    /// The process, unless it lives in a process namespace that cannot be
    /// seen from here.
    pub pid: Option<i32>,
}

/// A change that may be made, for the daemon to make.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub change: Change,
    /// By whom; for the log, permission is given already.
    pub peer: ClientCredentials,
    /// Where the answer goes. Dropping it tells the client that there is
    /// none; the client may be gone when it comes.
    pub reply: oneshot::Sender<VerbReply>,
    /// Resolves when the client has the answer, or has gone. For a daemon
    /// that ends after it.
    pub delivered: oneshot::Receiver<()>,
}

/// A client that was let in.
#[derive(Debug)]
pub(super) struct ClientVisit {
    pub(super) stream: UnixStream,
    pub(super) peer: ClientCredentials,
    pub(super) seat: Seat,
    /// Resolves when the session has to go.
    pub(super) called_off: oneshot::Receiver<()>,
    pub(super) answers: Arc<Answers>,
    /// How long the request may take to come.
    pub(super) patience: Duration,
}

/// What came of waiting for a request.
enum Waited {
    /// The bytes of its line.
    Line(Vec<u8>),
    /// Something that is no request, and what is to be said of it.
    Noise(Failure),
    /// Nobody is there any more.
    Nobody,
}

impl ClientCredentials {
    pub(super) fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let pid = credentials.pid().filter(|&pid| pid > 0);
        Ok(Self { uid: credentials.uid(), pid })
    }

    /// What it may do: root and the user that the daemon runs as may change
    /// something, everybody may read who is let in by the permissions of the
    /// socket.
    pub(super) fn rank(self) -> Rank {
        let own = rustix::process::geteuid().as_raw();
        if self.uid == 0 || self.uid == own { Rank::Owner } else { Rank::Other }
    }
}

impl ClientVisit {
    /// Reads one request, has it answered, and sends the reply.
    pub(super) async fn attend(self) {
        let Self { mut stream, peer, seat, mut called_off, answers, patience } = self;
        // Dropped at the end, which is what the daemon waits for.
        let (_done, delivered) = oneshot::channel();
        let answering = async {
            let text = match hear(&mut stream, patience).await {
                Waited::Nobody => return None,
                Waited::Noise(failure) => Err(failure),
                Waited::Line(line) => {
                    seat.has_asked();
                    tokio::select! {
                        text = answer(&line, &stream, peer, &answers, delivered) => text,
                        () = gone(&stream) => return None,
                    }
                }
            };
            Some(text.unwrap_or_else(|failure| ReplyText::from(encode_reply(Err(failure)))))
        };
        let text = tokio::select! {
            text = answering => text,
            _ = &mut called_off => {
                turn_away(&stream, "the daemon has too many clients at once, and others came");
                return;
            }
        };
        let Some(text) = text else { return };
        tokio::select! {
            () = send(&mut stream, &text) => {}
            _ = &mut called_off => {}
        }
    }
}

/// Tells a client that it has to come back later: in one piece that fits an
/// empty socket, or not at all.
pub(super) fn turn_away(stream: &UnixStream, why: &str) {
    let mut line = encode_reply(Err(Failure::busy(format!("{why}, try again"))));
    line.push('\n');
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    // A client that is gone needs no answer.
    let _ = rustix::net::send(stream, line.as_bytes(), flags);
}

/// Waits for the request line. A line that has no end is one when the client
/// says nothing more.
async fn hear(stream: &mut UnixStream, patience: Duration) -> Waited {
    let mut line = Vec::new();
    let limit = REQUEST_BYTES_MAX as u64 + 1;
    let mut reader = BufReader::with_capacity(REQUEST_BYTES_MAX, stream).take(limit);
    match timeout(patience, reader.read_until(b'\n', &mut line)).await {
        Ok(Err(_)) => Waited::Nobody,
        Ok(Ok(0)) => Waited::Nobody,
        Ok(Ok(_)) if line.len() > REQUEST_BYTES_MAX => {
            let message = format!("the request is longer than {REQUEST_BYTES_MAX} bytes");
            Waited::Noise(Failure::new(Exit::Usage, message))
        }
        Ok(Ok(_)) => {
            line.truncate(line.trim_ascii_end().len());
            Waited::Line(line)
        }
        Err(_) => {
            let message = format!("no request within {patience:?}");
            Waited::Noise(Failure::new(Exit::Failure, message))
        }
    }
}

async fn answer(
    line: &[u8],
    stream: &UnixStream,
    peer: ClientCredentials,
    answers: &Answers,
    delivered: oneshot::Receiver<()>,
) -> Result<ReplyText, Failure> {
    let request = decode_request(line)?;
    tracing::debug!(verb = request.verb(), uid = peer.uid, pid = peer.pid, "answering");
    let verb = request.verb();
    match request.wish() {
        Wish::Status => answers.status().await,
        Wish::Why(question) => {
            answers.why(question, peer, || has_gone(stream)).await.map(ReplyText::from)
        }
        Wish::Hits(rule, feed, top) => {
            answers.hits(rule, feed, top, peer, || has_gone(stream)).await.map(ReplyText::from)
        }
        Wish::Overlap => answers.overlap(peer, || has_gone(stream)).await.map(ReplyText::from),
        Wish::Change(_) if peer.rank() != Rank::Owner => {
            let uid = peer.uid;
            let message =
                format!("{verb} is for root and for the user of the daemon, not for user {uid}");
            Err(Failure::new(Exit::Denied, message))
        }
        Wish::Change(change) => {
            let reply = order(change, peer, &answers.changes, delivered).await?;
            Ok(ReplyText::from(encode_reply(Ok(reply))))
        }
    }
}

/// Has the loop make a change.
async fn order(
    change: Change,
    peer: ClientCredentials,
    changes: &mpsc::Sender<Call>,
    delivered: oneshot::Receiver<()>,
) -> VerbReply {
    let stopping = || Failure::new(Exit::Failure, "the daemon is stopping");
    let (reply, answer) = oneshot::channel();
    changes.send(Call { change, peer, reply, delivered }).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())?
}

/// Whether nobody is at the other end any more. To send nothing fails only
/// then (`EPIPE`, `unix(7)`); that no more comes from there does not tell.
fn has_gone(stream: &UnixStream) -> bool {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    rustix::net::send(stream, &[], flags) == Err(rustix::io::Errno::PIPE)
}

/// Resolves when nobody is there any more. It is looked for now and then: what
/// the system tells of by itself is only that no more comes from there.
async fn gone(stream: &UnixStream) {
    let mut glances = tokio::time::interval(GLANCE);
    loop {
        glances.tick().await;
        if has_gone(stream) {
            return;
        }
    }
}

/// Sends the reply. A client that is gone, takes nothing for a while, or takes
/// too long over it, does not get it all.
async fn send(stream: &mut UnixStream, text: &ReplyText) {
    let parts = async {
        for part in text.parts() {
            let mut left = part.as_bytes();
            while !left.is_empty() {
                match timeout(STALL_TIME_MAX, stream.write(left)).await {
                    Ok(Ok(sent @ 1..)) => left = &left[sent..],
                    _ => return,
                }
            }
        }
    };
    let _ = timeout(REPLY_TIME_MAX, parts).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_the_daemons_own_user_change_anything() {
        let own = rustix::process::geteuid().as_raw();
        let check = |uid, want| {
            assert_eq!(ClientCredentials { uid, pid: None }.rank(), want, "user {uid}");
        };
        check(0, Rank::Owner);
        check(own, Rank::Owner);
        check(own + 1, Rank::Other);
    }

    #[tokio::test]
    async fn that_nobody_is_there_is_seen_without_waiting() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        assert!(!has_gone(&ours));
        let theirs = theirs.into_std().expect("a stream");
        theirs.shutdown(std::net::Shutdown::Write).expect("it ends");
        assert!(!has_gone(&ours), "it still listens");
        drop(theirs);
        assert!(has_gone(&ours));
    }
}
