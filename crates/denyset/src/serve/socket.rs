//! The control socket: who may connect, and its directory, which is made if only
//! that is missing. Who comes in is not known here.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;
use unixsocket::{SocketFile, UnixSocketError, listen};

use super::limits::QUEUE;

/// Owner and group may connect, which takes the right to write (`unix(7)`).
const SOCKET_MODE: u32 = 0o660;

/// The socket, listening. Dropping it removes the file.
#[derive(Debug)]
pub struct Socket {
    // It goes first.
    file: SocketFile,
    pub(super) listener: UnixListener,
}

/// Why nobody can ask the daemon.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the control socket {}: {source}", path.display())]
pub struct BindError {
    /// Where.
    pub path: PathBuf,
    /// Why not.
    pub source: UnixSocketError,
}

impl Socket {
    /// Makes the socket and listens, as [`listen`] does. Has to be called inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let bound = || {
            make_parent(path)?;
            let (listener, file) = listen(path, SOCKET_MODE, QUEUE)?;
            Ok(Self { file, listener: UnixListener::from_std(listener)? })
        };
        bound().map_err(|source| BindError { path: path.to_owned(), source })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

fn make_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    match std::fs::DirBuilder::new().mode(0o755).create(parent) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
