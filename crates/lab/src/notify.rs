//! The service manager's end of `sd_notify(3)`: what the daemon says of
//! itself, in order. A test waits here for things to happen.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::spawn;
use std::time::{Duration, Instant};

/// How often the reader looks whether somebody still listens.
const GLANCE: Duration = Duration::from_millis(200);

/// The socket that the daemon's `NOTIFY_SOCKET` names. It is read all the time,
/// as a service manager does: the kernel holds ten messages and no more.
#[derive(Debug)]
pub struct Notify {
    messages: Mutex<Receiver<String>>,
    _listens: Arc<()>,
}

impl Notify {
    /// Listens at `path`, where nothing is yet.
    ///
    /// # Panics
    /// If the socket cannot be made.
    pub fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a notify socket");
        socket.set_read_timeout(Some(GLANCE)).expect("a socket takes a timeout");
        let (sender, messages) = channel();
        let listens = Arc::new(());
        let somebody = Arc::downgrade(&listens);
        spawn(move || read(&socket, &sender, &somebody));
        Self { messages: Mutex::new(messages), _listens: listens }
    }

    /// The next message, its assignments one to a line; `None` if none comes
    /// before `deadline`.
    ///
    /// # Panics
    /// If another thread has panicked while it waited here.
    pub fn next(&self, deadline: Instant) -> Option<String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let messages = self.messages.lock().expect("nobody panics in here");
        messages.recv_timeout(left.max(Duration::from_millis(1))).ok()
    }
}

fn read(socket: &UnixDatagram, sender: &Sender<String>, somebody: &Weak<()>) {
    let mut message = [0; 4096];
    while somebody.strong_count() > 0 {
        match socket.recv(&mut message) {
            Ok(length) => {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                // Whoever listened may just have gone.
                let _ = sender.send(text);
            }
            // A process that another test has started may have ended, too.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => panic!("cannot receive notifications: {error}"),
        }
    }
}
