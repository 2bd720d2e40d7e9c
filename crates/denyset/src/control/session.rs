//! One client of the control socket, from its request line to its reply.
//! It decides whether the client may ask; the answer comes from the daemon.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use super::limits::{REPLY_TIME_MAX, REQUEST_BYTES_MAX};
use super::protocol::{Access, Failure, Reply, Request, decode_request, encode_reply};
use crate::exit::Exit;

/// Who is at the other end, as the kernel says (`SO_PEERCRED`, `unix(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user it was when it connected.
    pub uid: u32,
    /// The process, unless it lives in a process namespace that cannot be
    /// seen from here.
    pub pid: Option<i32>,
}

/// A request that may be done, for the daemon to do.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub request: Request,
    /// By whom; for the log, permission is given already.
    pub peer: Peer,
    /// Where the answer goes. Dropping it tells the client that there is
    /// none; the client may be gone when it comes.
    pub reply: oneshot::Sender<Reply>,
    /// Resolves when the client has the answer, or has gone. For a daemon
    /// that ends after it.
    pub delivered: oneshot::Receiver<()>,
}

impl Peer {
    fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let pid = credentials.pid().filter(|&pid| pid > 0);
        Ok(Self { uid: credentials.uid(), pid })
    }

    /// Root and the user that the daemon runs as may change something,
    /// everybody may read who is let in by the permissions of the socket.
    fn may(self, access: Access) -> bool {
        let own = rustix::process::geteuid().as_raw();
        access == Access::Read || self.uid == 0 || self.uid == own
    }
}

/// Reads one request, has it answered, and sends the reply. Ends by itself
/// when the client is slow to ask or slow to listen.
pub(super) async fn attend(mut stream: UnixStream, calls: mpsc::Sender<Call>, patience: Duration) {
    let Ok(peer) = Peer::of(&stream) else { return };
    let codec = LinesCodec::new_with_max_length(REQUEST_BYTES_MAX);
    let (reader, writer) = stream.split();
    let mut lines = FramedRead::new(reader, codec);
    // Dropped at the end, which is what the daemon waits for.
    let (_done, delivered) = oneshot::channel();
    let reply = match timeout(patience, lines.next()).await {
        // It hung up, or broke off: there is nobody to tell.
        Ok(None | Some(Err(LinesCodecError::Io(_)))) => return,
        Ok(Some(Ok(line))) => answer(&line, peer, &calls, delivered).await,
        Ok(Some(Err(LinesCodecError::MaxLineLengthExceeded))) => {
            let message = format!("the request is longer than {REQUEST_BYTES_MAX} bytes");
            Err(Failure::new(Exit::Usage, message))
        }
        Err(_) => Err(Failure::new(Exit::Failure, format!("no request within {patience:?}"))),
    };
    send(writer, reply).await;
}

/// Tells a client that it has to come back later.
pub(super) async fn turn_away(stream: UnixStream) {
    let message = "the daemon has too many clients at once, try again";
    send(stream, Err(Failure::new(Exit::Failure, message))).await;
}

async fn answer(
    line: &str,
    peer: Peer,
    calls: &mpsc::Sender<Call>,
    delivered: oneshot::Receiver<()>,
) -> Reply {
    let request = decode_request(line)?;
    if !peer.may(request.access()) {
        let verb = request.verb();
        let message =
            format!("{verb} is for root and for the user of the daemon, not for user {}", peer.uid);
        return Err(Failure::new(Exit::Denied, message));
    }
    let stopping = || Failure::new(Exit::Failure, "the daemon is stopping");
    let (reply, answer) = oneshot::channel();
    calls.send(Call { request, peer, reply, delivered }).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())?
}

async fn send(mut to: impl AsyncWrite + Unpin, reply: Reply) {
    let mut line = encode_reply(reply);
    line.push('\n');
    // A client that is gone, or takes too long to listen, has no reply.
    let _ = timeout(REPLY_TIME_MAX, to.write_all(line.as_bytes())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_and_the_daemons_own_user_change_anything() {
        let own = rustix::process::geteuid().as_raw();
        let check = |uid, access, want| {
            assert_eq!(Peer { uid, pid: None }.may(access), want, "user {uid}, {access:?}");
        };
        check(0, Access::Change, true);
        check(own, Access::Change, true);
        check(own + 1, Access::Change, false);
        check(own + 1, Access::Read, true);
    }
}
