//! What the service manager is told, by the protocol of `sd_notify(3)`, and
//! how often it wants a sign of life.
//!
//! Outside of systemd, which is without `NOTIFY_SOCKET`, all of it does
//! nothing. Nothing here can fail the daemon: a lost notification is one
//! line in the log.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;

/// The longest status text that is sent, in bytes. It is one line of
/// `systemctl status`.
const STATUS_BYTES_MAX: usize = 512;

/// Start-up is complete: what is ordered after the service may go on.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// A reload begins; [`ready`] ends it. The time stamp is what newer systemd
/// (`Type=notify-reload`, from 253 on) tells this reload from an older one by.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
    }
}

/// One line for `systemctl status`. False if the service manager has not taken
/// up what it was told before: the daemon does not wait for it.
pub fn status(text: &str) -> bool {
    match send_at_once(&format!("STATUS={}\n", one_line(text))) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => {
            tracing::warn!(%error, "cannot notify the service manager");
            true
        }
        Ok(()) => true,
    }
}

/// Sends a message if that can be done without waiting.
fn send_at_once(message: &str) -> io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(&name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message.as_bytes(), &address).map(drop)
}

/// The service is about to end.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// A sign of life, due once in every [`watchdog_interval`].
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often [`alive`] has to be called: half of `WatchdogSec=`, as
/// `sd_watchdog_enabled(3)` advises. `None` if nobody waits for it.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}

/// The protocol separates assignments by newlines, so that a newline within
/// a text would begin another assignment.
fn one_line(text: &str) -> String {
    text.char_indices()
        .take_while(|(start, c)| start + c.len_utf8() <= STATUS_BYTES_MAX)
        .map(|(_, c)| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set in the process that plays the daemon. The environment of a running
    /// process cannot be changed safely, so a second one is started.
    const PLAYS_THE_DAEMON: &str = "DENYSET_TEST_NOTIFIES";

    #[test]
    fn the_service_manager_hears_every_turn_in_the_life_of_the_daemon() {
        if std::env::var_os(PLAYS_THE_DAEMON).is_some() {
            return live();
        }
        let home = tempfile::tempdir().expect("a directory");
        let socket = home.path().join("notify");
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        let path = module_path!().split_once("::").expect("a crate and a path").1;
        let test = "the_service_manager_hears_every_turn_in_the_life_of_the_daemon";
        let status = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", &format!("{path}::{test}")])
            .env(PLAYS_THE_DAEMON, "1")
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "60000000")
            .env_remove("WATCHDOG_PID")
            .output()
            .expect("a second process")
            .status;
        assert!(status.success());

        let hear = || {
            let mut buffer = [0; 1024];
            manager.set_nonblocking(true).expect("a socket option");
            let length = manager.recv(&mut buffer).expect("a notification");
            String::from_utf8(buffer[..length].to_vec()).expect("text")
        };
        assert_eq!(hear(), "READY=1\nSTATUS=2 sets, a million members\n");
        let reloading = hear();
        let stamp = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload");
        assert!(stamp.trim_end().parse::<u64>().expect("a number") > 0);
        assert_eq!(hear(), "STATUS=degraded READY=0\n");
        assert_eq!(hear(), "WATCHDOG=1\n");
        assert_eq!(hear(), "STOPPING=1\n");
    }

    fn live() {
        ready("2 sets, a million members");
        reloading();
        status("degraded\nREADY=0");
        assert_eq!(watchdog_interval(), Some(Duration::from_secs(30)));
        alive();
        stopping();
    }

    #[test]
    fn a_long_status_is_cut_between_characters() {
        let long = "ü".repeat(400);
        assert_eq!(one_line(&long).chars().count(), 256);
    }
}
