//! A Unix socket that is listened on, as a file: its permissions, that there is
//! always one or the other, and that it goes with whoever made it. Who comes in, by
//! which runtime, and what is said there, it does not know.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// What is behind the name of a socket while it is being made.
const DRAFT: &str = ".new";

/// A path that fits `sun_path` with its closing NUL (`unix(7)`), and leaves
/// room for the name it has while it is being made.
pub const PATH_BYTES_MAX: usize = 107 - DRAFT.len();

/// Why nobody can be listened to.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// Somebody answers there.
    #[error("somebody listens there already")]
    InUse,
    /// Something stands there that is not ours to remove.
    #[error("something else is there, remove it")]
    Occupied,
    /// The kernel's limit.
    #[error("the path is longer than {PATH_BYTES_MAX} bytes")]
    TooLong,
    /// The system said no.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The file of a socket. Removed when the value goes, unless another took its place.
/// To go before the listener does: later another may have been given its number.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Makes a socket with these permissions and listens; so many clients wait at the
/// most to be let in. It does not block. A file that a dead process has left is
/// replaced, in one step, so that there is always one or the other, and nothing
/// else is.
///
/// # Errors
/// [`UnixSocketError`].
pub fn listen(
    path: &Path,
    mode: u32,
    queue: i32,
) -> Result<(UnixListener, SocketFile), UnixSocketError> {
    if path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(UnixSocketError::TooLong);
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(UnixSocketError::Occupied),
        Ok(_) if is_listened_on(path)? => return Err(UnixSocketError::InUse),
        Ok(_) => {}
    }
    // Under a second name, so that it is never seen with other permissions than
    // its own.
    let mut draft = path.as_os_str().to_owned();
    draft.push(DRAFT);
    let draft = PathBuf::from(draft);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(&draft)?;
    let mut file = SocketFile::at(draft)?;
    listener.set_nonblocking(true)?;
    // It listens already; this sets the length of the queue.
    rustix::net::listen(&listener, queue).map_err(io::Error::from)?;
    fs::set_permissions(&file.path, Permissions::from_mode(mode))?;
    fs::rename(&file.path, path)?;
    path.clone_into(&mut file.path);
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

impl SocketFile {
    fn at(path: PathBuf) -> io::Result<Self> {
        let found = fs::symlink_metadata(&path)?;
        Ok(Self { path, device: found.dev(), inode: found.ino() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if ours {
            // Left behind, it is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
