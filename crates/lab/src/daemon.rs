//! A running daemon: started, waited for, asked, signalled, and judged at its
//! end by its log.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::host::Host;
use crate::journal::Journal;
use crate::notify::Notify;
use crate::program;
use crate::wall::{self, Wall};

/// How long anything that is to happen may take. Only failures wait so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `WatchdogSec=` of the service that the daemon takes itself for.
pub const WATCHDOG: Duration = Duration::from_secs(2);

/// The unit of times in `/proc/PID/stat`: `USER_HZ` is 100 for every program.
const TICK: Duration = Duration::from_millis(10);

/// What changes without a notification is looked for this often.
const GLANCE: Duration = Duration::from_millis(100);

/// `denyset run` on a [`Host`]. Dropped, it is killed, and every ERROR in its
/// log that the test did not announce fails the test.
#[derive(Debug)]
pub struct Daemon<'a> {
    host: &'a Host,
    child: Child,
    notify: Notify,
    log: Journal,
    expected_errors: Vec<String>,
}

impl<'a> Daemon<'a> {
    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start(host: &'a Host) -> Self {
        let daemon = Self::spawn(host);
        daemon.wait_ready();
        daemon
    }

    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(host: &'a Host) -> Self {
        Self::spawn_as(host, program::command())
    }

    /// Starts it by the clock of `wall`, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start_by(host: &'a Host, wall: &Wall) -> Self {
        let mut command = program::command();
        command.envs(wall.environment());
        let daemon = Self::spawn_as(host, command);
        daemon.wait_ready();
        daemon
    }

    /// Starts it where its system calls `call` fail with `error`, and waits
    /// until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn start_failing(host: &'a Host, call: &str, error: &str) -> Self {
        let daemon = Self::spawn_as(host, program::failing(call, error));
        daemon.wait_ready();
        daemon
    }

    fn spawn_as(host: &'a Host, mut command: Command) -> Self {
        let socket = tempfile::Builder::new()
            .prefix("notify-")
            .tempfile_in(host.path("."))
            .expect("a name that nobody has")
            .into_temp_path();
        let path = socket.to_path_buf();
        socket.close().expect("a file can be removed");
        let notify = Notify::listen(&path);
        let mut child = command
            .args(["run", "--config"])
            .arg(host.config())
            .env("NOTIFY_SOCKET", path)
            .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`setpriv` can be started");
        let log = Journal::collect(child.stderr.take().expect("standard error is a pipe"));
        Self { host, child, notify, log, expected_errors: Vec::new() }
    }

    /// Waits until it says that it is ready, also after a reload.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait_ready(&self) {
        self.wait_notified("READY=1");
    }

    /// Waits for a notification with `text` in it, and returns it. Those
    /// before it are used up.
    ///
    /// # Panics
    /// If none comes.
    pub fn wait_notified(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.notify.next(Instant::now() + GLANCE) {
                Some(message) if message.contains(text) => return message,
                Some(_) => {}
                None if self.log.wait_closed(Instant::now()) => break,
                None => {}
            }
        }
        panic!("no notification {text}; the log:\n{}", self.log.text())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its log.
    pub fn log(&self) -> &Journal {
        &self.log
    }

    /// Announces that lines of level ERROR with `text` in them are meant to be.
    pub fn expect_error(&mut self, text: &str) {
        self.expected_errors.push(text.to_owned());
    }

    /// Waits for a line of the log that has all of `words`.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn wait_logged(&self, words: &[&str]) -> String {
        self.wait_logged_since(0, words)
    }

    /// As [`Self::wait_logged`], from line number `start` on.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn wait_logged_since(&self, start: usize, words: &[&str]) -> String {
        let line = self.log.wait(start, words, Instant::now() + PATIENCE);
        line.unwrap_or_else(|| panic!("no line with {words:?} in the log:\n{}", self.log.text()))
    }

    /// `denyset status --format json`.
    ///
    /// # Panics
    /// If it prints no JSON.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.host.denyset_json("status").json()
    }

    /// Waits until the status satisfies `condition`, and returns it. It is
    /// asked for anew with each notification, and now and then without.
    ///
    /// # Panics
    /// If it never does; with the last status and the log.
    #[track_caller]
    pub fn until(&self, what: &str, mut condition: impl FnMut(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if condition(&status) {
                return status;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "never {what}: {status:#}\nthe log:\n{}", self.log.text());
            self.pause(GLANCE);
        }
    }

    /// Waits until every set is as desired, and `set` has `members` members.
    ///
    /// # Panics
    /// If that never happens.
    #[track_caller]
    pub fn until_members(&self, set: &str, members: usize) -> Value {
        self.until(&format!("{members} members in {set}"), |status| {
            let sets = status["sets"].as_array().into_iter().flatten();
            let found = sets.filter(|found| found["set"] == set);
            status["in-sync"] == true && found.into_iter().any(|set| set["members"] == members)
        })
    }

    /// Waits until `feed` is in `state`, and returns what the status says of it.
    ///
    /// # Panics
    /// If that never happens.
    #[track_caller]
    pub fn until_feed(&self, feed: &str, state: &str) -> Value {
        let is = |found: &&Value| found["feed"] == feed && found["state"] == state;
        let find = |status: &Value| status["feeds"].as_array()?.iter().find(is).cloned();
        let status = self.until(&format!("{feed} {state}"), |status| find(status).is_some());
        find(&status).expect("it was there")
    }

    /// Lets time pass, but not beyond the next notification.
    pub fn pause(&self, time: Duration) {
        self.notify.next(Instant::now() + time);
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("the daemon lives");
    }

    /// Asserts that the process lives and answers.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("a child can be waited for");
        assert!(ended.is_none(), "the daemon ended, {ended:?}:\n{}", self.log.text());
        self.status();
    }

    /// Resident memory, in KiB (`VmRSS` of `proc(5)`), pages of files included.
    ///
    /// # Panics
    /// If the process is gone.
    pub fn memory_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory since [`Self::forget_memory_peak`], in KiB
    /// (`VmHWM`).
    ///
    /// # Panics
    /// If the process is gone.
    pub fn memory_peak_kib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Begins to measure the most resident memory anew (`clear_refs` of
    /// `proc(5)`).
    ///
    /// # Panics
    /// If the process is gone.
    pub fn forget_memory_peak(&self) {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(path, "5").expect("the daemon lives");
    }

    fn memory(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the daemon lives");
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("a process has it")
    }

    /// How much of a core it has used so far (`utime` and `stime` of
    /// `proc(5)`).
    ///
    /// # Panics
    /// If the process is gone.
    pub fn cpu_time(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).expect("the daemon lives");
        // The name before may have blanks.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
        TICK * u32::try_from(ticks).expect("it has not run for a year")
    }

    /// Ends it with SIGTERM.
    ///
    /// # Panics
    /// If it does not end, or not with exit code 0.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{status}; the log:\n{}", self.log.text());
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let ended = self.log.wait_closed(Instant::now() + PATIENCE);
        assert!(ended, "the daemon does not end:\n{}", self.log.text());
        self.child.wait().expect("a child can be waited for")
    }

    /// Kills it with SIGKILL, and waits until it is dead.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // Both fail only if it is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        wall::tidy_up(self.child.id());
        self.log.wait_closed(Instant::now() + PATIENCE);
        if thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log.text());
            return;
        }
        let errors = self.log.errors(&self.expected_errors);
        assert!(
            errors.is_empty(),
            "unexpected errors in the log: {errors:#?}\n{}",
            self.log.text()
        );
    }
}
