//! The daemon's log, as it comes: collected by a thread, waited for by tests,
//! and searched for errors that nobody expected.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    closed: bool,
}

/// What a process has written to its standard error so far.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<(Mutex<Lines>, Condvar)>);

impl Journal {
    /// Collects what `stream` brings, in a thread that ends when it does.
    pub fn collect(stream: impl Read + Send + 'static) -> Self {
        let journal = Self::default();
        let writer = journal.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                writer.change(|log| log.lines.push(String::from_utf8_lossy(&line).into_owned()));
            }
            writer.change(|log| log.closed = true);
        });
        journal
    }

    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.lines());
        self.0.1.notify_all();
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.0.lock().expect("nobody panics with the log in hand")
    }

    /// How many lines there are: a place to wait from.
    pub fn len(&self) -> usize {
        self.lines().lines.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first line from number `start` on that has all of `words`, waiting
    /// for it until `deadline`.
    pub fn wait(&self, start: usize, words: &[&str], deadline: Instant) -> Option<String> {
        let mut log = self.lines();
        loop {
            let fits = |line: &&String| words.iter().all(|word| line.contains(word));
            if let Some(line) = log.lines.iter().skip(start).find(fits) {
                return Some(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if log.closed || left.is_zero() {
                return None;
            }
            log = self.0.1.wait_timeout(log, left).expect("nobody panics with the log in hand").0;
        }
    }

    /// Waits until the writer has closed it, as a process does that ends.
    /// Whether it did so before `deadline`.
    pub fn wait_closed(&self, deadline: Instant) -> bool {
        let mut log = self.lines();
        while !log.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            log = self.0.1.wait_timeout(log, left).expect("nobody panics with the log in hand").0;
        }
        true
    }

    /// Lines of level ERROR, and those of a panic, that have none of `expected`.
    pub fn errors(&self, expected: &[String]) -> Vec<String> {
        let is_error = |line: &&String| {
            line.split_whitespace().nth(1) == Some("ERROR") || line.contains("panicked at")
        };
        let unexpected = |line: &&String| !expected.iter().any(|text| line.contains(text));
        self.lines().lines.iter().filter(is_error).filter(unexpected).cloned().collect()
    }

    /// Everything.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines().lines {
            writeln!(text, "    {line}").expect("a string takes any text");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_nobody_expected_are_errors() {
        let log = "t  INFO ERROR is but a word here\nt ERROR cannot swap set a\nt ERROR other\n";
        let journal = Journal::collect(log.as_bytes());
        assert!(journal.wait_closed(Instant::now() + std::time::Duration::from_secs(10)));
        assert_eq!(journal.errors(&["swap set".into()]), ["t ERROR other"]);
        assert_eq!(journal.errors(&[]).len(), 2);
    }
}
