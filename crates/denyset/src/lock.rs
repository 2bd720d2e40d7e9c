//! One writer for each network namespace and set prefix.
//!
//! The lock is a listening abstract Unix socket. Abstract names live in the
//! network namespace (`unix(7)`), which is exactly what ipset names do, and
//! the kernel frees them when the holder dies, however it dies: no lock file
//! can be left behind, and two namespaces never share one by accident.
//!
//! The price: abstract names have no permissions, so any local user of the
//! namespace can take the name and keep the program from starting. It cannot
//! happen in silence: the error names the process and the user.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use reconcile::SetPrefix;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

/// How many that want the lock can ask who holds it before the later ones get
/// no answer: they wait in the queue of the socket, which nobody empties. The
/// kernel allows no more (`net.core.somaxconn`, 4,096 from Linux 5.4 on).
const ASKERS_MAX: i32 = 4_096;

/// The right to write the sets of one prefix, as long as the value lives.
#[derive(Debug)]
pub struct Lock {
    /// Only held: closing it frees the name.
    _socket: OwnedFd,
}

impl Lock {
    /// Takes the lock for `prefix` in this network namespace. Never waits.
    ///
    /// # Errors
    /// [`LockError::Held`] with what can be found out about the holder, or
    /// [`LockError::Socket`] if this system does not give us a socket.
    pub fn take(prefix: &SetPrefix) -> Result<Self, LockError> {
        let address = address(prefix)?;
        let socket = socket()?;
        match rustix::net::bind(&socket, &address) {
            Ok(()) => {}
            Err(Errno::ADDRINUSE) => {
                return Err(LockError::Held(LockHolder::ask(prefix, &address)));
            }
            Err(error) => return Err(LockError::Socket(error.into())),
        }
        rustix::net::listen(&socket, ASKERS_MAX).map_err(io::Error::from)?;
        Ok(Self { _socket: socket })
    }
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{0}")]
    Held(LockHolder),
    /// The system gave us no socket to hold it with.
    #[error("cannot take the lock: {0}")]
    Socket(#[from] io::Error),
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// The set prefix that is being written.
    pub prefix: SetPrefix,
    /// The process. `None` if it went away just now, if it lives in a process
    /// namespace that cannot be seen from here, or if too many have asked.
    pub pid: Option<u32>,
    /// The user it was when it took the lock.
    pub uid: Option<u32>,
    /// The name of the program, at most 15 bytes (`proc(5)`, `comm`). `None`
    /// if `/proc` does not show it to us.
    pub comm: Option<String>,
}

impl LockHolder {
    /// Connects to the holder, whose credentials the kernel has kept since it
    /// began to listen (`SO_PEERCRED`, `unix(7)`).
    fn ask(prefix: &SetPrefix, address: &SocketAddrUnix) -> Self {
        let credentials = connect(address).and_then(credentials).ok();
        let pid = credentials.and_then(|(pid, _)| pid);
        let comm = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
        Self {
            prefix: prefix.clone(),
            pid,
            uid: credentials.map(|(_, uid)| uid),
            comm: comm.map(|comm| comm.trim_end().escape_debug().to_string()),
        }
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.prefix.as_str();
        write!(out, "the sets `{prefix}*` of this network namespace are being written by ")?;
        match self.pid {
            Some(pid) => write!(out, "process {pid}")?,
            None => write!(out, "a process that cannot be seen from here")?,
        }
        if let Some(comm) = &self.comm {
            write!(out, " ({comm})")?;
        }
        if let Some(uid) = self.uid {
            write!(out, " of user {uid}")?;
        }
        write!(out, "; stop it first, or give this one another kernel.set-prefix")
    }
}

/// The name is not in the file system: it begins with a NUL byte.
fn address(prefix: &SetPrefix) -> io::Result<SocketAddrUnix> {
    let name = format!("denyset/{}", prefix.as_str());
    Ok(SocketAddrUnix::new_abstract_name(name.as_bytes())?)
}

fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

fn connect(address: &SocketAddrUnix) -> io::Result<UnixStream> {
    let socket = socket()?;
    rustix::net::connect(&socket, address)?;
    Ok(socket.into())
}

/// The process and user at the other end. Of the ways to ask without unsafe
/// code, tokio's is the one that stands a process number of zero, which the
/// kernel gives for a process outside of our process namespace.
fn credentials(stream: UnixStream) -> io::Result<(Option<u32>, u32)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let peer = {
        let _inside = runtime.enter();
        tokio::net::UnixStream::from_std(stream)?.peer_cred()?
    };
    runtime.shutdown_background();
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).filter(|&pid| pid != 0);
    Ok((pid, peer.uid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A prefix that no other test and no other run of this test uses.
    fn prefix(letter: char) -> SetPrefix {
        SetPrefix::new(&format!("t{letter}{}-", std::process::id())).expect("a good prefix")
    }

    #[test]
    fn a_second_writer_learns_who_the_first_one_is() {
        let prefix = prefix('a');
        let _first = Lock::take(&prefix).expect("nobody has it");
        let LockError::Held(held) = Lock::take(&prefix).expect_err("it is taken") else {
            panic!("taken, not broken");
        };
        assert_eq!(held.pid, Some(std::process::id()));
        assert_eq!(held.uid, Some(rustix::process::geteuid().as_raw()));
        let comm = std::fs::read_to_string("/proc/self/comm").expect("our own name");
        assert_eq!(held.comm.as_deref(), Some(comm.trim_end()));
        let text = held.to_string();
        let want = format!("are being written by process {} ({})", std::process::id(), comm.trim());
        assert!(text.contains(&want), "{text}");
    }

    #[test]
    fn the_lock_is_free_again_when_its_holder_is_gone() {
        let prefix = prefix('b');
        drop(Lock::take(&prefix).expect("nobody has it"));
        drop(Lock::take(&prefix).expect("free again"));
    }

    #[test]
    fn writers_of_other_prefixes_do_not_meet() {
        let _one = Lock::take(&prefix('c')).expect("nobody has it");
        let _other = Lock::take(&prefix('d')).expect("another name");
    }

    #[test]
    fn asking_again_and_again_never_blocks() {
        let prefix = prefix('e');
        let _first = Lock::take(&prefix).expect("nobody has it");
        for _ in 0..200 {
            assert!(matches!(Lock::take(&prefix), Err(LockError::Held(_))));
        }
    }

    #[test]
    fn a_holder_that_cannot_be_seen_is_said_to_be_so() {
        let held = LockHolder { prefix: prefix('f'), pid: None, uid: Some(7), comm: None };
        assert!(held.to_string().contains("a process that cannot be seen from here of user 7"));
    }
}
