//! The sockets that are listened on: made so that there is always one or the
//! other, and emptied of whoever comes.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

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
    source: io::Error,
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
    let (unix, file) = listen(path, listening.socket_mode).map_err(failed)?;
    let mut tcp = Vec::new();
    for address in &listening.tcp {
        let failed = |source| DoorError { place: address.to_string(), source };
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
        let Some(seat) = self.desk.seats.take() else { return };
        let number = seat.number();
        let guest = attend(stream, way, self.desk.clone(), seat, self.idle, self.end.clone());
        ConnectionSeat::began(&self.desk.seats, number, guests.spawn(guest));
    }
}

/// Makes the socket under a second name, so that it is never seen with other
/// permissions than its own, and gives it the name then. In place of one that
/// nobody listens to any more, and of nothing else.
fn listen(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::other("something else is there, remove it"));
        }
        Ok(_) if is_listened_on(path)? => {
            return Err(io::Error::other("another gateway listens there"));
        }
        Ok(_) => {}
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&new)?;
    // It listens already; this sets the length of the queue.
    rustix::net::listen(&listener, QUEUE)?;
    let found = std::fs::symlink_metadata(&new)?;
    let file = SocketFile { path: path.to_owned(), device: found.dev(), inode: found.ino() };
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(&new, path)?;
    Ok((listener, file))
}

/// Whether anybody listens on a socket. One whose queue is full is listened on, if
/// not well, and nobody waits for him here.
fn is_listened_on(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        // Whose it is cannot be said, and so it is not replaced.
        Err(error) => Err(error.into()),
    }
}

/// A file that is removed when the value goes, unless another took its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if ours {
            // Left behind, it is replaced at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_replaced_only_if_nobody_listens_on_it() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        assert!(is_listened_on(&path).expect("it can be asked"));
        // A queue of one is full with these, and nobody is let in.
        rustix::net::listen(&listener, 0).expect("it listens");
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let kind = SocketType::STREAM;
            let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None);
            let socket = socket.expect("a socket");
            let address = SocketAddrUnix::new(&path).expect("a path");
            let full = rustix::net::connect(&socket, &address) == Err(Errno::AGAIN);
            waiting.push(socket);
            if full {
                assert!(is_listened_on(&path).expect("it can be asked"));
                drop(listener);
                assert!(!is_listened_on(&path).expect("it can be asked"));
                return;
            }
        }
        panic!("the queue is never full");
    }
}
