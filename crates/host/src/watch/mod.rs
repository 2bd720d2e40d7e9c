//! Says that this host's facts may have changed, never what: the answer to
//! every notice is a look, which sees for itself.
//!
//! Nothing is trusted to tell everything. Lost announcements, places that
//! cannot be watched and what no kernel tells are caught by looking now and
//! then all the same, which is for the caller ([`crate::Follow`]).

mod files;
mod routes;

use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::limits::{SETTLE, SETTLE_MAX};
use crate::resolvers::Sources;
use files::Files;
use routes::Routes;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Something may have changed, and nothing further for a moment.
    Changed,
    /// Nothing was told for as long as there was patience.
    TimedOut,
}

/// Something is not watched. Changes there are seen at the next look that
/// happens for another reason. Watching is tried anew at every wait.
#[derive(Debug, thiserror::Error)]
pub enum Unwatched {
    /// The kernel's announcements cannot be heard.
    #[error("changes of addresses and routes are not told, they are noticed late: {0}")]
    Routes(#[source] io::Error),
    /// The files cannot be watched, or not all of them.
    #[error(
        "changes of resolv.conf are not told, they are noticed late: {0} \
         (see fs.inotify.max_user_instances and max_user_watches)"
    )]
    Files(#[source] io::Error),
}

/// Watches everything that [`crate::look`] looks at, in the network namespace
/// of the thread that made it. Needs no privilege.
#[derive(Debug)]
pub struct Watch {
    sources: Sources,
    routes: Result<Routes, Errno>,
    files: Result<Files, Errno>,
    /// Why some places have no watch.
    refused: Option<Errno>,
}

impl Watch {
    /// Watches from now on; a look that comes after this misses nothing.
    pub fn open(sources: Sources) -> Self {
        let (routes, files) = (Err(Errno::NOTCONN), Err(Errno::NOTCONN));
        let mut watch = Self { sources, routes, files, refused: None };
        watch.rewatch();
        watch
    }

    /// What is not watched.
    pub fn gaps(&self) -> Vec<Unwatched> {
        let routes = self.routes.as_ref().err().map(|&error| Unwatched::Routes(error.into()));
        let files = self.files.as_ref().err().or(self.refused.as_ref());
        let files = files.map(|&error| Unwatched::Files(error.into()));
        routes.into_iter().chain(files).collect()
    }

    /// Waits until something may have changed and then for a moment of quiet,
    /// so that a burst is one notice: 50 ms, and no more than 250 ms in all.
    /// The look at this host comes after it.
    pub fn wait(&mut self, patience: Duration) -> Woken {
        let changed = self.told_before(Instant::now() + patience);
        if changed {
            let latest = Instant::now() + SETTLE_MAX;
            while Instant::now() < latest && self.told_before(latest.min(Instant::now() + SETTLE)) {
            }
        }
        self.rewatch();
        if changed { Woken::Changed } else { Woken::TimedOut }
    }

    /// Mends what is not watched, and watches what has come to be there.
    fn rewatch(&mut self) {
        if self.routes.is_err() {
            self.routes = Routes::open();
        }
        if self.files.is_err() {
            self.files = Files::open(self.sources.clone());
        }
        self.refused = self.files.as_mut().ok().and_then(|files| files.rewatch().err());
    }

    /// Whether anything is told before `deadline`.
    fn told_before(&mut self, deadline: Instant) -> bool {
        loop {
            if self.told() {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.sleep(left);
        }
    }

    /// What is there to be heard. What cannot be heard any more is a gap from
    /// then on, and a reason to look.
    fn told(&mut self) -> bool {
        let routes = self.routes.as_ref().map_or(Ok(false), Routes::told);
        let files = self.files.as_mut().map_or(Ok(false), Files::told);
        let mut told = false;
        match routes {
            Ok(routes) => told |= routes,
            Err(error) => self.routes = Err(error),
        }
        match files {
            Ok(files) => told |= files,
            Err(error) => self.files = Err(error),
        }
        told
    }

    /// Waits until there is something to be heard.
    fn sleep(&self, time: Duration) {
        let routes = self.routes.as_ref().ok().map(|routes| routes.as_fd());
        let files = self.files.as_ref().ok().map(|files| files.as_fd());
        let mut sources: Vec<_> = routes
            .into_iter()
            .chain(files)
            .map(|source| PollFd::from_borrowed_fd(source, PollFlags::IN))
            .collect();
        let time = Timespec::try_from(time).ok();
        match poll(&mut sources, time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            // Only for want of memory; the next look is not far.
            Err(_) => std::thread::sleep(SETTLE),
        }
    }
}
