//! A bar for work that a person waits for: on standard error, only if that is
//! a terminal, only after a second. Whoever works reports; whether anybody
//! sees it is decided here.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the bar looks like, in ASCII for any terminal.
const TEMPLATE: &str = "{msg} [{bar:40}] {human_pos}/{human_len}, {eta} left";

/// The progress of one piece of work. Gone from the screen when dropped.
#[derive(Debug)]
pub struct ProgressLine {
    what: &'static str,
    began: Instant,
    terminal: bool,
    bar: Option<ProgressBar>,
}

impl ProgressLine {
    /// Begins; `what` is being done, `applying`.
    pub fn begin(what: &'static str) -> Self {
        Self::begin_on(what, stderr().is_terminal())
    }

    fn begin_on(what: &'static str, terminal: bool) -> Self {
        Self { what, began: Instant::now(), terminal, bar: None }
    }

    /// Reports that `done` of `total` steps are done, of whatever kind. May be
    /// called as often as there are steps.
    pub fn at(&mut self, done: u64, total: u64) {
        if self.bar.is_none() && self.terminal && self.began.elapsed() >= PATIENCE {
            self.bar = Some(bar(self.what));
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    /// Whether a person sees it.
    pub fn is_shown(&self) -> bool {
        self.bar.is_some()
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(TEMPLATE).expect("the template is a good one");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style.progress_chars("=> "))
        .with_message(what)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{PATIENCE, ProgressLine};

    fn check(terminal: bool, long: bool, shown: bool) {
        let mut progress = ProgressLine::begin_on("testing", terminal);
        if long {
            progress.began = Instant::now().checked_sub(PATIENCE).expect("the clock is older");
        }
        progress.at(1, 2);
        assert_eq!(progress.is_shown(), shown, "terminal: {terminal}, long: {long}");
    }

    #[test]
    fn only_long_work_on_a_terminal_shows_a_bar() {
        check(true, true, true);
        check(true, false, false);
        check(false, true, false);
        check(false, false, false);
    }
}
