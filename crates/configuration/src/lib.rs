//! The configuration: TOML in, a checked [`Config`] out, or every mistake
//! with its line and column. What is in a `Config` needs no second check. It
//! knows no other file than the one it reads.

mod allow;
mod daemon;
mod document;
mod feed;
mod guard;
pub mod limits;
mod list;
mod mistake;
mod section;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use blocklist::{FeedName, FormatChoice, GuardPolicy, Options, Protect};
use reconcile::WhenStale;
use toml::de::DeTable;

pub use daemon::{Daemon, Kernel, OnStop, Update};
pub use feed::FeedConfig;
pub use guard::GuardOverrides;
pub use list::ListConfig;
pub use mistake::{ConfigError, Mistake};

use mistake::Mistakes;

/// A whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The table `[daemon]`.
    pub daemon: Daemon,
    /// The table `[kernel]`.
    pub kernel: Kernel,
    /// The table `[guard]` but for `protect`.
    pub guard: GuardPolicy,
    /// `protect` of the table `[guard]`.
    pub protect: Vec<Protect>,
    /// The `[[list]]` tables in their order, names unique.
    pub lists: Vec<ListConfig>,
    /// The `[[feed]]` tables in their order.
    pub feeds: Vec<FeedConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            daemon: Daemon::default(),
            kernel: Kernel::default(),
            guard: GuardPolicy::default(),
            protect: Protect::ALL.to_vec(),
            lists: Vec::new(),
            feeds: Vec::new(),
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or its mistakes.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Read { file: file.to_owned(), source };
        let max = limits::FILE_BYTES_MAX;
        let mut bytes = Vec::new();
        let opened = File::open(file).map_err(unreadable)?;
        opened.take(max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > max {
            return Err(ConfigError::TooLong { file: file.to_owned(), max });
        }
        let checked = match str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => {
                let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let mistakes = Mistakes::of(&good);
                mistakes.note(good.len(), None, "is not UTF-8, which TOML has to be");
                Err(mistakes.sorted())
            }
        };
        checked.map_err(|mistakes| ConfigError::Mistakes { file: file.to_owned(), mistakes })
    }

    /// Checks a text.
    ///
    /// # Errors
    /// All mistakes in the order of their places. If the text is not TOML,
    /// only the mistakes of its syntax.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let mistakes = Mistakes::of(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or_default();
            // Of the other mistakes of syntax, what stands there is no key.
            let is_key = error.message() == "duplicate key";
            let key = text.get(span.clone()).filter(|_| is_key).map(str::to_owned);
            mistakes.note(span.start, key, error.message());
        }
        let config =
            if errors.is_empty() { document::read(root.get_ref(), &mistakes) } else { None };
        match (config, mistakes.sorted()) {
            (Some(config), mistakes) if mistakes.is_empty() => Ok(config),
            (_, mistakes) => Err(mistakes),
        }
    }

    /// The guards in force for a feed. The most specific wins, key by key: a
    /// `[[feed]]` table over the lists that use the feed over `[guard]`. Of
    /// several `[[feed]]` tables that match, the last; of several lists, the
    /// strictest, for one version of a feed serves them all.
    pub fn guard_for(&self, feed: &FeedName) -> GuardPolicy {
        let lists = self.lists.iter().filter(|list| list.uses(feed));
        let lists = lists.map(|list| list.guard.over(&self.guard));
        let base = lists.reduce(|one, other| guard::strictest(&one, &other));
        let base = base.unwrap_or(self.guard);
        self.tables_for(feed).fold(base, |policy, table| table.guard.over(&policy))
    }

    /// What is taken out before the coverage of a feed is counted, by the
    /// same rule as [`Self::guard_for`]; the strictest of several lists is
    /// what all of them take out. What is taken out of a *set* is its list's.
    pub fn protect_for(&self, feed: &FeedName) -> Vec<Protect> {
        if let Some(protect) = self.tables_for(feed).filter_map(|t| t.guard.protect.as_ref()).last()
        {
            return protect.clone();
        }
        let lists = self.lists.iter().filter(|list| list.uses(feed));
        let lists = lists.map(|list| list.guard.protect.as_ref().unwrap_or(&self.protect));
        lists
            .fold(None, |common: Option<Vec<Protect>>, protect| match common {
                None => Some(protect.clone()),
                Some(common) => Some(common.into_iter().filter(|c| protect.contains(c)).collect()),
            })
            .unwrap_or_else(|| self.protect.clone())
    }

    /// Whether a list names the feed in so many words, rather than by a glob
    /// that fits other names as well.
    pub fn names(&self, feed: &FeedName) -> bool {
        self.lists.iter().any(|list| list.names(feed))
    }

    /// The format that a feed is read as.
    pub fn format_for(&self, feed: &FeedName) -> FormatChoice {
        self.tables_for(feed).filter_map(|table| table.format).last().unwrap_or_default()
    }

    /// Where in a feed the addresses stand, as far as the configuration says.
    pub fn options_for(&self, feed: &FeedName) -> Options {
        Options {
            column: self.tables_for(feed).filter_map(|table| table.column.clone()).last(),
            path: self.tables_for(feed).filter_map(|table| table.path.clone()).last(),
        }
    }

    /// The age from which on a feed's file counts as stale, if there is one,
    /// and what becomes of the feed then.
    pub fn max_age_for(&self, feed: &FeedName) -> Option<(Duration, WhenStale)> {
        let max_age = self.tables_for(feed).filter_map(|table| table.max_age).last()?;
        let when_stale = self.tables_for(feed).filter_map(|table| table.when_stale).last();
        Some((max_age, when_stale.unwrap_or_default()))
    }

    /// The `[[feed]]` tables that match, the less specific ones first.
    fn tables_for(&self, feed: &FeedName) -> impl Iterator<Item = &FeedConfig> {
        self.feeds.iter().filter(move |table| table.matches.matches(feed))
    }
}
