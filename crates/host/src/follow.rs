//! Follows this host: looks when something may have changed and now and then
//! besides, and tells only what is different.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::facts::{Facts, look};
use crate::limits::{LOOK_EVERY, LOOK_EVERY_UNWATCHED, REST_MAX, REST_PER_LOOK};
use crate::part::LookError;
use crate::resolvers::Sources;
use crate::watch::{Watch, Woken};

/// How things are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// What is known of this host.
    pub facts: Facts,
    /// What the last look could not read. The facts hold it as it was known
    /// before; at the start that is nothing.
    pub failures: Vec<LookError>,
    /// What is not watched, each a sentence: changes there are noticed late.
    pub gaps: Vec<String>,
}

/// Follows the host of the thread that began it. Blocks that thread while it
/// waits, and keeps no other.
#[derive(Debug)]
pub struct Follow {
    sources: Sources,
    watch: Watch,
    news: News,
    /// When to look even if nothing is told.
    due: Instant,
    /// When it may look again.
    rested: Instant,
}

impl Follow {
    /// Takes the first look.
    pub fn begin(sources: Sources) -> Self {
        let mut follow = Self {
            watch: Watch::open(sources.clone()),
            sources,
            news: News::default(),
            due: Instant::now(),
            rested: Instant::now(),
        };
        follow.look();
        follow
    }

    /// How things were when last looked at.
    pub fn news(&self) -> &News {
        &self.news
    }

    /// Waits until anything of the news is different, and returns them; `None`
    /// if that does not happen for as long as there is patience.
    ///
    /// However much there is to tell, looking takes no more than a fifth of a
    /// processor: a host with very many routes is looked at less often.
    pub fn wait(&mut self, patience: Duration) -> Option<&News> {
        let end = Instant::now() + patience;
        loop {
            let now = Instant::now();
            if now >= end {
                return None;
            }
            let wait = self.due.min(end).saturating_duration_since(now);
            let told = self.watch.wait(wait) == Woken::Changed;
            if !told && Instant::now() < self.due {
                continue;
            }
            // What is told meanwhile is heard later.
            sleep(self.rested.saturating_duration_since(Instant::now()));
            if self.look() {
                return Some(&self.news);
            }
        }
    }

    /// Looks, and says whether anything is different.
    fn look(&mut self) -> bool {
        let begun = Instant::now();
        let mut news = News { facts: self.news.facts.clone(), ..News::default() };
        news.failures = news.facts.update(look(&self.sources));
        news.gaps = self.watch.gaps().iter().map(ToString::to_string).collect();
        let whole = news.failures.is_empty() && news.gaps.is_empty();
        let now = Instant::now();
        self.rested = now + (now.duration_since(begun) * REST_PER_LOOK).min(REST_MAX);
        self.due = now + if whole { LOOK_EVERY } else { LOOK_EVERY_UNWATCHED };
        let different = news != self.news;
        self.news = news;
        different
    }
}
