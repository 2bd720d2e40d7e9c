//! A network namespace for one test: no test sees the sets and rules of
//! another, nor those of the machine it runs on.
//!
//! The namespace belongs to one fresh thread and to the threads and programs
//! it starts; it goes when they go.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, JoinHandle};

use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

use crate::link;
use crate::witness::{attempt, succeed};

/// A namespace that is entered now and then. It goes when this is dropped and
/// the sockets and programs in it are gone.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// Makes one where only `lo` is there, and up.
    ///
    /// # Panics
    /// As [`isolated`].
    pub fn new() -> Self {
        let open = || File::open("/proc/thread-self/ns/net");
        Self(isolated(|| open().expect("a thread has a namespace")))
    }

    /// Runs `body` in it, on a thread of its own.
    ///
    /// # Panics
    /// If `body` does, or the namespace cannot be entered.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        run_in(&self.0, body)
    }

    /// The same without waiting for its end: what it starts can end with its thread.
    ///
    /// # Panics
    /// If this process has no more files or threads.
    pub fn start<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let namespace = self.0.try_clone().expect("a process may have a file more");
        thread::spawn(move || {
            enter(&namespace);
            body()
        })
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs `body` in a network namespace of its own, where only `lo` is there,
/// and up. A panic of `body` is passed on.
///
/// # Panics
/// If this process may not make a namespace. The message says what to do.
pub fn isolated<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    apart(UnshareFlags::NEWNET, body)
}

/// As [`isolated`], and what `body` mounts is seen by nobody else and goes
/// with the thread.
///
/// # Panics
/// As [`isolated`].
pub fn isolated_with_mounts<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    apart(UnshareFlags::NEWNET | UnshareFlags::NEWNS, || {
        succeed("mount", &["--make-rprivate", "/"]);
        body()
    })
}

/// As [`isolated_with_mounts`], and no name has an address: no server is there
/// to be asked, no other process is asked in its place, and no file has any. A
/// program that looks names up is told at once that there is no such name.
///
/// # Panics
/// As [`isolated`], and if names can be looked up all the same.
pub fn isolated_without_names<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    isolated_with_mounts(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, content) in [("nsswitch.conf", "hosts: files\n"), ("hosts", "")] {
            let ours = directory.path().join(name);
            fs::write(&ours, content).expect("a file can be written");
            let theirs = Path::new("/etc").join(name);
            succeed("mount", &["--bind".as_ref(), ours.as_os_str(), theirs.as_os_str()]);
        }
        // The C library asks this daemon first, if there is one.
        if Path::new(NAME_CACHE).is_dir() {
            succeed("mount", &["-t", "tmpfs", "none", NAME_CACHE]);
        }
        let localhost = attempt("getent", &["ahosts", "localhost"]);
        assert!(localhost.is_err(), "names can be looked up: {localhost:?}");
        body()
    })
}

/// Where nscd(8) has its socket.
const NAME_CACHE: &str = "/run/nscd";

/// Runs `body` on a thread of its own in this namespace.
pub(crate) fn run_in<T: Send>(namespace: &File, body: impl FnOnce() -> T + Send) -> T {
    let run = || {
        enter(namespace);
        body()
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

fn enter(namespace: &File) {
    let network = Some(LinkNameSpaceType::Network);
    move_into_link_name_space(namespace.as_fd(), network)
        .expect("whoever made a namespace may enter it");
}

fn apart<T: Send>(flags: UnshareFlags, body: impl FnOnce() -> T + Send) -> T {
    let run = || {
        leave(flags);
        link::up("lo");
        body()
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

#[expect(unsafe_code, reason = "the safe wrapper is deprecated for a flag not used here")]
fn leave(flags: UnshareFlags) {
    // SAFETY: only `CLONE_FILES` can harm memory safety, by descriptors that
    // other threads do not have; it is never among the flags.
    let left = unsafe { unshare_unsafe(flags) };
    assert!(
        left.is_ok(),
        "cannot make a network namespace: {left:?}\n\
         These tests need root, or a user namespace in which they are root.\n\
         Run them through `cargo xtask ci`, which sets that up, or put\n\
         `unshare --user --map-root-user --net --mount` before the command."
    );
}
