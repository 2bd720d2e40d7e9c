//! A running process under strace(1): its system calls are told as they begin,
//! and come late or fail as a test wants it.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::PATIENCE;

/// What strace has told so far, and whether it has ended.
type Told = Arc<(Mutex<(String, bool)>, Condvar)>;

/// strace on a process. Dropped, it lets go of the process, which goes on.
#[derive(Debug)]
pub struct Trace {
    strace: Child,
    told: Told,
}

impl Trace {
    /// Follows the calls `call` of the thread of `pid` that is called `thread`;
    /// each is `tampered` with, as `inject=` of strace says it:
    /// `delay_enter=500ms`, `error=ENOMEM`.
    ///
    /// # Panics
    /// If there is no such thread, or it cannot be followed.
    pub fn attach(pid: u32, thread: &str, call: &str, tampered: &str) -> Self {
        Self::follow(&["-p", &thread_of(pid, thread)], call, tampered)
    }

    /// The same of all threads that the process has and will have.
    ///
    /// # Panics
    /// If it cannot be followed.
    pub fn attach_to_all(pid: u32, call: &str, tampered: &str) -> Self {
        Self::follow(&["-f", "-p", &pid.to_string()], call, tampered)
    }

    fn follow(whom: &[&str], call: &str, tampered: &str) -> Self {
        let mut strace = Command::new("strace")
            .args(["-s", "16", "-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:{tampered}")])
            .args(whom)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`strace` can be started; `.ci/run` installs it");
        let told = Told::default();
        let (mut stream, writer) =
            (strace.stderr.take().expect("standard error is a pipe"), told.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                lock(&writer).0.push_str(&String::from_utf8_lossy(&buffer[..length]));
                writer.1.notify_all();
            }
            lock(&writer).1 = true;
            writer.1.notify_all();
        });
        let trace = Self { strace, told };
        trace.wait(0, "attached");
        trace
    }

    /// How much it has told: a place to wait from.
    pub fn len(&self) -> usize {
        lock(&self.told).0.len()
    }

    /// Whether it has told nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that it has told.
    pub fn text(&self) -> String {
        lock(&self.told).0.clone()
    }

    /// Waits until it has told of `words`, from the place `start` on. A call is
    /// told of when it begins, before it is late.
    ///
    /// # Panics
    /// If it never does.
    #[track_caller]
    pub fn wait(&self, start: usize, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut told = lock(&self.told);
        while !told.0[start..].contains(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || told.1 {
                let text = told.0.clone();
                drop(told);
                panic!("strace never told of {words}:\n{text}");
            }
            told = self.told.1.wait_timeout(told, left).expect("nobody panics with it").0;
        }
    }
}

/// The number of a thread that has a name.
fn thread_of(pid: u32, name: &str) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
    let mut threads = threads.filter_map(Result::ok);
    let is_it = |entry: &fs::DirEntry| {
        fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    let thread = threads.find(is_it).expect("a thread of this name");
    thread.file_name().to_string_lossy().into_owned()
}

fn lock(told: &Told) -> MutexGuard<'_, (String, bool)> {
    told.0.lock().expect("nobody panics with it")
}

impl Drop for Trace {
    fn drop(&mut self) {
        let pid = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw);
        // It may have ended with the process.
        let _ = kill_process(pid.expect("a process id"), Signal::TERM);
        let _ = self.strace.wait();
    }
}
