//! The control socket as a file: its permissions, and that there is always one
//! or the other. Who comes in is not known here.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::limits::{ACCEPT_PAUSE, PATH_BYTES_MAX, QUEUE};

/// Owner and group may connect, which takes the right to write (`unix(7)`).
const SOCKET_MODE: u32 = 0o660;

/// The socket, listening. Dropping it removes the file.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    file: File,
}

/// Why nobody can ask the daemon.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another daemon answers there.
    #[error("the control socket {} is in use by another daemon", path.display())]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// Something stands there that is not ours to remove.
    #[error("cannot make the control socket {}: something else is there, remove it", path.display())]
    Occupied {
        /// Where.
        path: PathBuf,
    },
    /// The kernel's limit.
    #[error("cannot make the control socket {}: the path is longer than {PATH_BYTES_MAX} bytes", path.display())]
    TooLong {
        /// Where.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot make the control socket {}: {source}", path.display())]
    System {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Socket {
    /// Makes the socket and listens. A file that a dead daemon has left is
    /// replaced; in one step, so that there is always one or the other. The
    /// directory is made if only that is missing. Has to be called inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let path = path.to_owned();
        if path.as_os_str().len() > PATH_BYTES_MAX {
            return Err(BindError::TooLong { path });
        }
        match standing(&path) {
            Ok(PathState::Free) => {}
            Ok(PathState::Answers) => return Err(BindError::InUse { path }),
            Ok(PathState::Foreign) => return Err(BindError::Occupied { path }),
            Err(source) => return Err(BindError::System { path, source }),
        }
        match listen(&path) {
            Ok((listener, file)) => Ok(Self { listener, file }),
            Err(source) => Err(BindError::System { path, source }),
        }
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

/// What is at the path now.
enum PathState {
    /// Nothing, or a socket that nobody listens to.
    Free,
    /// A socket that somebody listens to.
    Answers,
    /// No socket.
    Foreign,
}

fn standing(path: &Path) -> io::Result<PathState> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(PathState::Free),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => return Ok(PathState::Foreign),
        Ok(_) => {}
    }
    match super::client::connect(path, ACCEPT_PAUSE) {
        Ok(_) => Ok(PathState::Answers),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(PathState::Free),
            // Its queue of clients is full: alive, if not well.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Ok(PathState::Answers),
            _ => Err(error),
        },
    }
}

/// Makes the socket under a second name, so that it is never seen with other
/// permissions than its own, and gives it the name then.
fn listen(path: &Path) -> io::Result<(UnixListener, File)> {
    make_parent(path)?;
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
    let mut file = File::at(new)?;
    std::fs::set_permissions(&file.path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    std::fs::rename(&file.path, path)?;
    path.clone_into(&mut file.path);
    Ok((listener, file))
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

/// A file that is removed when the value goes, unless another took its place.
#[derive(Debug)]
struct File {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl File {
    fn at(path: PathBuf) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(&path)?;
        Ok(Self { path, device: found.dev(), inode: found.ino() })
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if ours {
            // Left behind, it is replaced at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
