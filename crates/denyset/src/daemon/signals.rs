//! The signals of the daemon, as inputs of its loop.

use std::io;
use std::sync::Arc;

use futures_util::StreamExt as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::exfiltrator::origin::{Origin, WithOrigin};
use signal_hook_tokio::SignalsInfo;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP: read the configuration and the feeds again.
    Reload,
    /// SIGTERM or SIGINT: end.
    Shutdown,
}

/// Keeps SIGHUP from ending the process, which is its default, until
/// `Signals::take` hears of it. Whoever sends one before anything was read
/// has nothing to be read again.
///
/// # Errors
/// If the system does not let us.
pub fn survive_hangups() -> io::Result<()> {
    signal_hook::flag::register(SIGHUP, Arc::default()).map(drop)
}

/// The signals that the process receives from now on.
pub(super) struct Signals(SignalsInfo<WithOrigin>);

impl Signals {
    /// Takes the signals over from their default, which is to end at once.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(super) fn take() -> io::Result<Self> {
        SignalsInfo::new([SIGHUP, SIGINT, SIGTERM]).map(Self)
    }

    /// The next one. Loses none when dropped while waiting.
    pub(super) async fn next(&mut self) -> Signal {
        loop {
            let Some(origin) = self.0.next().await else { std::future::pending().await };
            if let Some(signal) = read(&origin) {
                return signal;
            }
        }
    }
}

/// Who sent a signal, as far as it is known.
fn from(pid: Option<i32>, uid: Option<u32>) -> String {
    match (pid, uid) {
        (Some(pid), Some(uid)) => format!(" from process {pid} of user {uid}"),
        _ => String::new(),
    }
}

fn read(origin: &Origin) -> Option<Signal> {
    let name = signal_hook::low_level::signal_name(origin.signal).unwrap_or("?");
    let sender = origin.process.as_ref();
    let (pid, uid) = (sender.map(|process| process.pid), sender.map(|process| process.uid));
    tracing::info!(signal = name, pid, uid, "received {name}{}", from(pid, uid));
    match origin.signal {
        SIGHUP => Some(Signal::Reload),
        SIGINT | SIGTERM => Some(Signal::Shutdown),
        _ => None,
    }
}
