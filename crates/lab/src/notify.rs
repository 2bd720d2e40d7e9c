//! The service manager's end of `sd_notify(3)`: what the daemon says of
//! itself, in order. A test waits here for things to happen.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

/// The socket that the daemon's `NOTIFY_SOCKET` names.
#[derive(Debug)]
pub struct Notify {
    socket: UnixDatagram,
}

impl Notify {
    /// Listens at `path`, where nothing is yet.
    ///
    /// # Panics
    /// If the socket cannot be made.
    pub fn listen(path: &Path) -> Self {
        Self { socket: UnixDatagram::bind(path).expect("a notify socket") }
    }

    /// The next message, its assignments one to a line; `None` if none comes
    /// before `deadline`.
    ///
    /// # Panics
    /// If the socket fails.
    pub fn next(&self, deadline: Instant) -> Option<String> {
        let mut message = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let patience = left.max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(patience)).expect("a socket takes a timeout");
            match self.socket.recv(&mut message) {
                Ok(length) => {
                    return Some(String::from_utf8_lossy(&message[..length]).into_owned());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                // A process that another test has started has ended.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("cannot receive notifications: {error}"),
            }
        }
    }
}
