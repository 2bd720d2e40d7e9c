//! A process of our own that outlives the one it comes from, and the terminal and
//! the session of that. It is the same program that goes on, no other is started.

use std::fs::{self, File};
use std::io;

use rustix::process::setsid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Which of the two processes goes on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that has asked.
    Here,
    /// The other, in a session of its own, without standard streams.
    Apart,
}

/// Goes on twice. What is open is open on both sides.
///
/// # Errors
/// If this process has other threads, or the system takes no more processes.
pub fn detach() -> io::Result<Side> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("this process has more than one thread"));
    }
    let null = File::options().read(true).write(true).open("/dev/null")?;
    #[expect(unsafe_code, reason = "there is no safe way to go on twice")]
    // SAFETY: with a single thread nothing is held that only another thread could
    // let go of, so the child may do all that its parent may (`fork(2)`).
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // A new process leads no group, which is all that can be in the way;
            // and without streams it can still do its work.
            let _ = setsid();
            let _ = dup2_stdin(&null).and(dup2_stdout(&null)).and(dup2_stderr(&null));
            Ok(Side::Apart)
        }
        _ => Ok(Side::Here),
    }
}
