//! The gateway's program: built, started beside a [`Host`], asked, and judged at
//! its end by its log. It runs with no capability at all.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::PATIENCE;
use crate::host::Host;
use crate::http::{HttpAnswer, HttpConnection};
use crate::journal::Journal;
use crate::notify::Notify;
use crate::program;
use crate::wall::{self, Wall};

static GATEWAY: OnceLock<PathBuf> = OnceLock::new();

/// What changes without a notification is looked for this often.
const GLANCE: Duration = Duration::from_millis(5);

/// The gateway's binary, built on first use.
pub fn binary() -> &'static Path {
    GATEWAY.get_or_init(|| program::build_beside("denyset-gateway"))
}

/// `denyset-gateway` on a [`Host`]. Dropped, it is killed, and every ERROR in its
/// log fails the test.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    log: Journal,
    socket: PathBuf,
}

impl Gateway {
    /// Starts it with these settings beyond those of its places, as lines of
    /// TOML, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start(host: &Host, more: &str) -> Self {
        Self::start_program(binary(), host, more)
    }

    /// The same by the clock of `wall`.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start_by(host: &Host, wall: &Wall, more: &str) -> Self {
        let environment =
            wall.environment().map(|(name, value)| format!("{name}={}", value.display()));
        Self::spawn(&[], &environment, binary(), host, more)
    }

    /// The same as this user, of a group of the same number and of this one
    /// besides. He has to be let through the host's directory.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start_as(host: &Host, user: u32, group: u32, more: &str) -> Self {
        let ids =
            [format!("--reuid={user}"), format!("--regid={user}"), format!("--groups={group}")];
        // Where it was built he may not come.
        let program = host.path("denyset-gateway");
        std::fs::copy(binary(), &program).expect("a program can be copied");
        let place = make_place(host);
        chown(place, Some(user), Some(user)).expect("it is ours");
        Self::spawn(&ids, &[], &program, host, more)
    }

    /// The same with a program that was built elsewhere.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start_program(program: &Path, host: &Host, more: &str) -> Self {
        Self::spawn(&[], &[], program, host, more)
    }

    fn spawn(
        ids: &[String],
        environment: &[String],
        program: &Path,
        host: &Host,
        more: &str,
    ) -> Self {
        make_place(host);
        let file = host.path("gateway.toml");
        std::fs::write(&file, settings(host, more)).expect("a file can be written");
        let ready = host.path("gateway-notify");
        // It is left by the one before, if there was one.
        let _ = std::fs::remove_file(&ready);
        let notify = Notify::listen(&ready);
        // Whoever it runs as may tell us.
        let everybody = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&ready, everybody).expect("it is ours");
        let mut child = Command::new("setpriv")
            .args(ids)
            .args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"])
            .args(["--pdeathsig", "KILL", "--", "env"])
            .args(environment)
            .arg(program)
            .arg("--config")
            .arg(file)
            .env("NOTIFY_SOCKET", ready)
            .env_remove("DENYSET_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`setpriv` can be started");
        let log = Journal::collect(child.stderr.take().expect("standard error is a pipe"));
        let gateway = Self { child, log, socket: socket(host) };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && !gateway.log.wait_closed(Instant::now()) {
            let message = notify.next(Instant::now() + Duration::from_millis(100));
            if message.is_some_and(|message| message.contains("READY=1")) {
                return gateway;
            }
        }
        panic!("the gateway is not ready; the log:\n{}", gateway.log.text())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its log.
    pub fn log(&self) -> &Journal {
        &self.log
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A connection.
    ///
    /// # Panics
    /// If nobody lets it in.
    pub fn connect(&self) -> HttpConnection {
        HttpConnection::unix(&self.socket).expect("the gateway listens")
    }

    /// What it answers to this, on a connection of its own.
    ///
    /// # Panics
    /// If it does not answer.
    #[track_caller]
    pub fn get(&self, target: &str, headers: &[(&str, &str)]) -> HttpAnswer {
        let answer = self.connect().get(target, headers);
        answer.unwrap_or_else(|error| panic!("{target}: {error}\n{}", self.log.text()))
    }

    /// The status that `/check` answers with for an address.
    #[track_caller]
    pub fn check(&self, address: &str) -> u16 {
        self.get("/check", &[("X-Real-IP", address)]).status
    }

    /// Waits until `/check` answers so.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn until_check(&self, address: &str, status: u16) {
        self.until(&format!("{address} is answered with {status}"), || {
            self.check(address) == status
        });
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// If it does not become so.
    #[track_caller]
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "not so: {what}\n{}", self.log.text());
            self.log.wait_closed(Instant::now() + GLANCE);
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has a number"), signal).expect("the gateway lives");
    }

    /// Ends it with SIGTERM.
    ///
    /// # Panics
    /// If it does not end, or not with exit code 0.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        assert!(self.log.wait_closed(Instant::now() + PATIENCE), "it does not end");
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.code(), Some(0), "{status}; the log:\n{}", self.log.text());
    }

    /// Kills it with SIGKILL, and waits until it is dead.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Both fail only if it is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        wall::tidy_up(self.child.id());
        self.log.wait_closed(Instant::now() + PATIENCE);
        if thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log.text());
            return;
        }
        let errors = self.log.errors(&[]);
        assert!(errors.is_empty(), "errors in the log: {errors:#?}\n{}", self.log.text());
    }
}

/// The socket of the gateway of a host.
pub fn socket(host: &Host) -> PathBuf {
    host.path("gateway/http.sock")
}

/// The directory of that socket.
fn make_place(host: &Host) -> PathBuf {
    let place = host.path("gateway");
    std::fs::create_dir_all(&place).expect("a directory can be made");
    place
}

/// The settings of the gateway of a host, before these lines.
fn settings(host: &Host, more: &str) -> String {
    let places = [host.path("run/lists"), host.path("run/control.sock"), socket(host)];
    let [lists, control, socket] = places.map(|path| path.to_string_lossy().into_owned());
    format!(
        "daemon.lists-dir = {lists:?}\ndaemon.control-socket = {control:?}\n\
         listen.socket = {socket:?}\nlisten.socket-mode = \"0666\"\n{more}\n"
    )
}
