//! The sockets that are listened on, and emptied of whoever comes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use unixsocket::{SocketFile, UnixSocketError, listen};

use super::Desk;
use super::answer::Way;
use super::client::{attend, over};
use super::seats::ConnectionSeat;
use crate::limits::{ACCEPT_PAUSE, QUEUE};
use crate::settings::Listening;

/// Why nobody can ask.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}: {source}")]
pub(crate) struct DoorError {
    place: String,
    source: UnixSocketError,
}

/// All that is listened on.
#[derive(Debug)]
pub(crate) struct Listeners {
    unix: UnixListener,
    tcp: Vec<TcpListener>,
    /// Removed when it goes.
    _file: SocketFile,
}

/// Makes the sockets and listens. Has to be called inside a tokio runtime.
///
/// # Errors
/// [`DoorError`], of the first that cannot be made.
pub(crate) async fn bind(listening: &Listening) -> Result<Listeners, DoorError> {
    let path = &listening.socket;
    let failed = |source| DoorError { place: path.display().to_string(), source };
    let (unix, file) = listen(path, listening.socket_mode, QUEUE).map_err(failed)?;
    let unix = UnixListener::from_std(unix).map_err(|error| failed(error.into()))?;
    let mut tcp = Vec::new();
    for address in &listening.tcp {
        let failed =
            |source: io::Error| DoorError { place: address.to_string(), source: source.into() };
        tcp.push(TcpListener::bind(address).await.map_err(failed)?);
    }
    Ok(Listeners { unix, tcp, _file: file })
}

/// Answers all who come, until `end` says that it is over; those who are being
/// answered then are answered first.
pub(crate) async fn serve(
    listeners: Listeners,
    desk: Arc<Desk>,
    idle: Duration,
    end: watch::Receiver<bool>,
) {
    let Listeners { unix, tcp, _file: file } = listeners;
    let mut doors = JoinSet::new();
    let door = Door { desk, idle, end };
    doors.spawn(door.clone().open(unix));
    for listener in tcp {
        doors.spawn(door.clone().open(listener));
    }
    drop(door);
    doors.join_all().await;
    drop(file);
}

/// A socket that connections come from.
trait Entrance: Send + Sync + 'static {
    const WAY: Way;
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Entrance for UnixListener {
    const WAY: Way = Way::Unix;
    type Stream = tokio::net::UnixStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

impl Entrance for TcpListener {
    const WAY: Way = Way::Tcp;
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<Self::Stream> {
        let (stream, _) = self.accept().await?;
        // An answer is one write and waits for no other.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Where they come in.
#[derive(Clone)]
struct Door {
    desk: Arc<Desk>,
    idle: Duration,
    end: watch::Receiver<bool>,
}

impl Door {
    async fn open<E: Entrance>(mut self, entrance: E) {
        let way = E::WAY;
        let mut guests = JoinSet::new();
        loop {
            let came = tokio::select! {
                () = over(&mut self.end) => break,
                Some(_) = guests.join_next(), if !guests.is_empty() => continue,
                came = entrance.next() => came,
            };
            match came {
                Ok(stream) => self.let_in(stream, way, &mut guests),
                Err(error) => {
                    tracing::warn!(%error, "nobody can be let in for a moment: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        guests.join_all().await;
    }

    /// Without a place the connection ends here.
    fn let_in<S>(&self, stream: S, way: Way, guests: &mut JoinSet<()>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(seat) = self.desk.seats.take(way) else { return };
        let number = seat.number();
        let guest = attend(stream, way, self.desk.clone(), seat, self.idle, self.end.clone());
        ConnectionSeat::began(&self.desk.seats, number, guests.spawn(guest));
    }
}
