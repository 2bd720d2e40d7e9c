//! What the service manager is told, by the protocol of `sd_notify(3)`, and
//! how often it wants a sign of life.
//!
//! Outside of systemd, which is without `NOTIFY_SOCKET`, all of it does
//! nothing. Nothing here can fail the daemon: a lost notification is one
//! line in the log.

use std::collections::VecDeque;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The longest status text that is sent, in bytes. It is one line of
/// `systemctl status`.
const STATUS_BYTES_MAX: usize = 512;

/// The service manager. It may not read for a while, and the kernel holds ten
/// messages and no more: so a thread tells it, and the daemon waits for nobody.
/// What is told waits in order, and of each kind the newest only.
pub struct Manager {
    /// `None` if there is no manager to be told.
    outbox: Option<Arc<Outbox>>,
    watchdog: Option<Watchdog>,
}

/// How often a sign of life is wanted, and when the next one is due.
struct Watchdog {
    period: Duration,
    due: Instant,
}

/// Messages on their way.
#[derive(Default)]
struct Outbox {
    messages: Mutex<Messages>,
    changed: Condvar,
}

#[derive(Default)]
struct Messages {
    waiting: VecDeque<(Turn, String)>,
    /// One more is being sent.
    sending: bool,
}

/// What a message is about. A newer one of the same takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Ready,
    Reloading,
    Status,
    Alive,
    Stopping,
}

impl Manager {
    /// The manager that `NOTIFY_SOCKET` names, if it names one.
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub fn find() -> io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { outbox: None, watchdog: None });
        }
        let outbox = Arc::<Outbox>::default();
        let own = outbox.clone();
        // It ends with the process.
        Builder::new().name("notify".to_owned()).spawn(move || own.deliver())?;
        let watchdog = watchdog_interval().map(|period| Watchdog { period, due: Instant::now() });
        Ok(Self { outbox: Some(outbox), watchdog })
    }

    /// Start-up, or a reload, is complete: what is ordered after the service
    /// may go on.
    pub fn ready(&self, status: &str) {
        self.tell(Turn::Ready, &[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// A reload begins; [`Self::ready`] ends it. The time stamp is what newer
    /// systemd (`Type=notify-reload`, from 253 on) tells this reload from an
    /// older one by.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(Turn::Reloading, &[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "cannot read the monotonic clock"),
        }
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.tell(Turn::Status, &[NotifyState::Status(&one_line(text))]);
    }

    /// The service is about to end.
    pub fn stopping(&self) {
        self.tell(Turn::Stopping, &[NotifyState::Stopping]);
    }

    /// When the next sign of life is due, if anybody waits for one.
    pub fn due(&self) -> Option<Instant> {
        self.watchdog.as_ref().map(|watchdog| watchdog.due)
    }

    /// A sign of life. The next is due a period from now, also where this one is late.
    pub fn alive(&mut self, now: Instant) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.due = now + watchdog.period;
        }
        self.tell(Turn::Alive, &[NotifyState::Watchdog]);
    }

    /// Waits until all is told, but no longer than that.
    pub fn hear_out(&self, limit: Duration) {
        let Some(outbox) = &self.outbox else { return };
        let busy = |messages: &mut Messages| messages.sending || !messages.waiting.is_empty();
        let waited = outbox.changed.wait_timeout_while(outbox.lock(), limit, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn tell(&self, turn: Turn, states: &[NotifyState<'_>]) {
        let Some(outbox) = &self.outbox else { return };
        let lines: Vec<_> = states.iter().map(ToString::to_string).collect();
        let text = lines.join("\n") + "\n";
        let mut messages = outbox.lock();
        messages.waiting.retain(|(waiting, _)| *waiting != turn);
        messages.waiting.push_back((turn, text));
        drop(messages);
        outbox.changed.notify_all();
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits, for as long as the process lives.
    fn deliver(&self) {
        loop {
            let nothing = |messages: &mut Messages| messages.waiting.is_empty();
            let waited = self.changed.wait_while(self.lock(), nothing);
            let mut messages = waited.unwrap_or_else(PoisonError::into_inner);
            let Some((_, text)) = messages.waiting.pop_front() else { continue };
            messages.sending = true;
            drop(messages);
            if let Err(error) = send(&text) {
                tracing::warn!(%error, "cannot notify the service manager");
            }
            self.lock().sending = false;
            self.changed.notify_all();
        }
    }
}

/// Sends a message, and waits for as long as there is no room for it.
fn send(message: &str) -> io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(&name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
}

/// How often [`Manager::alive`] has to be called: half of `WatchdogSec=`, as
/// `sd_watchdog_enabled(3)` advises. `None` if nobody waits for it.
fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| !interval.is_zero())
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
    use std::io::{BufRead as _, BufReader};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// Set in the process that plays the daemon. The environment of a running
    /// process cannot be changed safely, so a second one is started.
    const PLAYS_THE_DAEMON: &str = "DENYSET_TEST_NOTIFIES";
    /// Longer than any test waits.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Starts a process that plays the daemon in this test.
    fn play(test: &str, socket: &Path) -> Child {
        let path = module_path!().split_once("::").expect("a crate and a path").1;
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", &format!("{path}::{test}")])
            .env(PLAYS_THE_DAEMON, "1")
            .env("NOTIFY_SOCKET", socket)
            .env("WATCHDOG_USEC", "60000000")
            .env_remove("WATCHDOG_PID")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process")
    }

    fn hear(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        manager.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        let length = manager.recv(&mut buffer).expect("a notification");
        String::from_utf8(buffer[..length].to_vec()).expect("text")
    }

    #[test]
    fn the_service_manager_hears_every_turn_in_the_life_of_the_daemon() {
        if std::env::var_os(PLAYS_THE_DAEMON).is_some() {
            return live();
        }
        let home = tempfile::tempdir().expect("a directory");
        let socket = home.path().join("notify");
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        let test = "the_service_manager_hears_every_turn_in_the_life_of_the_daemon";
        let mut daemon = play(test, &socket);
        assert!(daemon.wait().expect("it ends").success());
        assert_eq!(hear(&manager), "READY=1\nSTATUS=2 sets, a million members\n");
        let reloading = hear(&manager);
        let stamp = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a reload");
        assert!(stamp.trim_end().parse::<u64>().expect("a number") > 0);
        assert_eq!(hear(&manager), "STATUS=degraded READY=0\n");
        assert_eq!(hear(&manager), "WATCHDOG=1\n");
        assert_eq!(hear(&manager), "STOPPING=1\n");
    }

    fn live() {
        let mut manager = Manager::find().expect("a thread");
        manager.ready("2 sets, a million members");
        manager.reloading();
        manager.status("degraded\nREADY=0");
        let now = Instant::now();
        assert!(manager.due().is_some_and(|due| due <= now), "the first is due at once");
        manager.alive(now);
        assert_eq!(manager.due(), Some(now + Duration::from_secs(30)));
        manager.stopping();
        manager.hear_out(PATIENCE);
    }

    #[test]
    fn nobody_waits_for_a_service_manager_that_does_not_read_and_nothing_is_lost_to_it() {
        if std::env::var_os(PLAYS_THE_DAEMON).is_some() {
            return live_unheard();
        }
        let home = tempfile::tempdir().expect("a directory");
        let socket = home.path().join("notify");
        let manager = UnixDatagram::bind(&socket).expect("a socket");
        let test =
            "nobody_waits_for_a_service_manager_that_does_not_read_and_nothing_is_lost_to_it";
        let mut daemon = play(test, &socket);
        let output = BufReader::new(daemon.stdout.take().expect("a pipe"));
        let mut lines = output.lines().map(|line| line.expect("text"));
        assert!(lines.any(|line| line.ends_with("told all")), "it has waited for nobody");
        let mut heard: Vec<_> = Vec::new();
        while heard.last().is_none_or(|last| last != "STOPPING=1\n") {
            heard.push(hear(&manager));
        }
        assert!(daemon.wait().expect("it ends").success());
        let place = |text: &str| heard.iter().rposition(|message| message.starts_with(text));
        assert_eq!(place("READY=1\nSTATUS=999\n"), Some(heard.len() - 4), "{heard:?}");
        assert_eq!(place("RELOADING=1\n"), Some(heard.len() - 5), "{heard:?}");
        assert_eq!(place("STATUS=1000\n"), Some(heard.len() - 3), "{heard:?}");
    }

    /// Every turn a thousand times, far more than the kernel holds.
    fn live_unheard() {
        let mut manager = Manager::find().expect("a thread");
        for turn in 0..1_000 {
            manager.reloading();
            manager.ready(&turn.to_string());
            manager.status(&(turn + 1).to_string());
            manager.alive(Instant::now());
        }
        manager.stopping();
        println!("told all");
        manager.hear_out(PATIENCE);
    }

    #[test]
    fn whoever_ends_waits_only_so_long_for_the_service_manager() {
        let outbox = Arc::new(Outbox::default());
        let manager = Manager { outbox: Some(outbox), watchdog: None };
        manager.stopping();
        // Nobody delivers it.
        manager.hear_out(Duration::from_millis(1));
    }

    #[test]
    fn a_long_status_is_cut_between_characters() {
        let long = "ü".repeat(400);
        assert_eq!(one_line(&long).chars().count(), 256);
    }
}
