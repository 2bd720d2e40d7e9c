//! When to look at the feeds directory though nothing says that it changed,
//! beside the regular look that somebody else takes care of.
//!
//! Pure: time is passed in, nothing is waited for here.

use std::time::{Duration, Instant};

use super::silent::SILENT_SCAN;

/// The first time to the next look while we are blind.
const BLIND_MIN: Duration = Duration::from_secs(1);

/// How much of what happens in the feeds directory we are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Whole,
    /// Not all of it, and never more: so are some file systems.
    Silent,
    /// Less than we could be: a watch is missing, which may come back.
    Blind,
}

/// Looks that follow from what we are not told.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// Between two regular looks.
    regular: Duration,
    /// The last pause while we are blind.
    pause: Option<Duration>,
    due: Option<Instant>,
}

impl Rounds {
    /// Somebody else looks this often.
    pub fn new(regular: Duration) -> Self {
        Self { regular, pause: None, due: None }
    }

    /// The directory was looked at, and this is what we will be told from now
    /// on.
    pub fn looked(&mut self, sight: Sight, now: Instant) {
        let pause = match sight {
            Sight::Whole => None,
            Sight::Silent => Some(SILENT_SCAN),
            Sight::Blind => Some(self.pause.map_or(BLIND_MIN, |pause| pause * 2)),
        };
        let pause = pause.map(|pause| pause.min(self.regular));
        self.pause = pause.filter(|_| sight == Sight::Blind);
        self.due = pause.filter(|pause| *pause < self.regular).map(|pause| now + pause);
    }

    /// When to look, if not only regularly.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it is time to look; if so, that counts as done.
    pub fn take(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = None;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What we are told after each look; the pauses that follow, in seconds.
    fn check(regular: u64, sights: &[Sight], pauses: &[Option<u64>]) {
        let mut rounds = Rounds::new(Duration::from_secs(regular));
        let mut now = Instant::now();
        let found = sights.iter().map(|&sight| {
            rounds.looked(sight, now);
            let pause = rounds.due().map(|due| due.duration_since(now));
            now += pause.unwrap_or(Duration::from_secs(regular));
            assert_eq!(rounds.take(now), pause.is_some());
            assert_eq!(rounds.due(), None);
            pause.map(|pause| pause.as_secs())
        });
        assert_eq!(found.collect::<Vec<_>>(), pauses, "{regular} s, {sights:?}");
    }

    #[test]
    fn what_we_are_told_whole_needs_no_look() {
        check(60, &[Sight::Whole; 2], &[None; 2]);
    }

    #[test]
    fn a_silent_file_system_is_looked_at_every_ten_seconds_or_more_often() {
        check(60, &[Sight::Silent; 2], &[Some(10); 2]);
        check(5, &[Sight::Silent; 2], &[None; 2]);
    }

    #[test]
    fn the_blind_look_again_soon_and_then_less_and_less_often() {
        use Sight::{Blind, Whole};
        check(10, &[Blind; 5], &[Some(1), Some(2), Some(4), Some(8), None]);
        check(10, &[Blind, Blind, Whole, Blind], &[Some(1), Some(2), None, Some(1)]);
        check(1, &[Blind], &[None]);
    }
}
