//! The configuration: TOML in, a checked [`Configuration`] out, or every mistake
//! with its line and column. What is in a `Configuration` needs no second check. It
//! knows no other file than the one it reads.

mod allow;
mod beside;
mod daemon;
mod document;
mod export;
mod feed;
mod glob;
mod guard;
pub mod limits;
mod list;
mod lockout;
mod mistake;
mod origin;
mod rule;
mod sample;
mod section;
#[cfg(test)]
mod tests;
mod together;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use blocklist::{Column, FeedName, FormatChoice, Glob, GuardPolicy, Options, Protect};
use intake::{FeedTable, ListRules, Rules};
use toml::de::DeTable;

pub use daemon::{DaemonTable, KernelTable, OnStop, UpdateMode};
pub use export::ExportConfig;
pub use feed::FeedConfig;
pub use list::ListConfig;
pub use lockout::ProtectPeers;
pub use mistake::{ConfigError, Mistake, Place};
pub use rule::RuleConfig;

use mistake::Mistakes;

/// A whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// The table `[daemon]`.
    pub daemon: DaemonTable,
    /// The table `[kernel]`.
    pub kernel: KernelTable,
    /// The table `[guard]` but for `protect`.
    pub guard: GuardPolicy,
    /// `protect` of the table `[guard]`.
    pub protect: Vec<Protect>,
    /// `protect-peers` of the table `[guard]`.
    pub protect_peers: Vec<ProtectPeers>,
    /// The `[[list]]` tables in their order, names unique.
    pub lists: Vec<ListConfig>,
    /// The `[[feed]]` tables in their order.
    pub feeds: Vec<FeedConfig>,
    /// The `[[rule]]` tables in their order, names unique.
    pub filters: Vec<RuleConfig>,
    /// The `[[export]]` tables in their order, paths unique.
    pub exports: Vec<ExportConfig>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            daemon: DaemonTable::default(),
            kernel: KernelTable::default(),
            guard: GuardPolicy::default(),
            protect: Protect::ALL.to_vec(),
            protect_peers: vec![ProtectPeers::Ssh],
            lists: Vec::new(),
            feeds: Vec::new(),
            filters: Vec::new(),
            exports: Vec::new(),
        }
    }
}

impl Configuration {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or its mistakes.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::read(file).map(|(config, _)| config)
    }

    /// The same, with the text that was read: whoever keeps a copy must keep
    /// what was checked, and the file may be another by then.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn read(file: &Path) -> Result<(Self, String), ConfigError> {
        let mistakes = |mistakes| ConfigError::Mistakes { file: file.to_owned(), mistakes };
        let text = String::from_utf8(bytes_of(file)?).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let good = String::from_utf8_lossy(&error.as_bytes()[..valid]);
            let noted = Mistakes::of(&good);
            noted.note(good.len(), None, "is not UTF-8, which TOML has to be");
            mistakes(noted.sorted())
        })?;
        let config = Self::parse(&text).map_err(mistakes)?;
        Ok((config, text))
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

    /// The part of it that decides what is in force.
    pub fn rules(&self) -> Rules {
        let lists = self.lists.iter().map(|list| ListRules {
            list: Arc::new(list.list.clone()),
            guard: list.guard.clone(),
            optional: list.optional,
        });
        let tables = self.feeds.iter().map(|table| FeedTable {
            matches: table.matches.clone(),
            guard: table.guard.clone(),
            max_age: table.max_age,
            when_stale: table.when_stale,
        });
        Rules {
            guard: self.guard,
            protect: self.protect.clone(),
            lists: lists.collect(),
            tables: tables.collect(),
            ignore: self.daemon.ignore.iter().cloned().chain(beside::globs(&self.feeds)).collect(),
            withdraw: self.daemon.withdraw,
            scan: self.daemon.scan,
            patience: self.daemon.settle_max,
            shuts: lockout::shuts(&self.lists, &self.filters),
        }
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

    /// Whether a file says which rows of feeds count, by `locations` or `asn-feed`,
    /// and so is no feed by itself.
    pub fn is_beside(&self, feed: &FeedName) -> bool {
        beside::globs(&self.feeds).iter().any(|glob| glob.matches(feed))
    }

    /// Where in a feed the addresses stand, as far as the configuration says.
    pub fn options_for(&self, feed: &FeedName) -> Options {
        let mut options = Options::default();
        for table in self.tables_for(feed) {
            let FeedConfig { column, last_column, length_column, path, select, .. } = table;
            let FeedConfig { conditions, countries, locations, asns, asn_feed, .. } = table;
            let take = |into: &mut Option<Column>, from: &Option<Column>| {
                *into = from.clone().or(into.take());
            };
            take(&mut options.column, column);
            take(&mut options.last_column, last_column);
            take(&mut options.length_column, length_column);
            options.path = path.clone().or(options.path);
            options.select = select.clone().unwrap_or(options.select);
            options.conditions = conditions.clone().unwrap_or(options.conditions);
            options.countries = countries.clone().unwrap_or(options.countries);
            options.locations = locations.clone().or(options.locations);
            options.asns = asns.clone().unwrap_or(options.asns);
            options.asn_feed = asn_feed.clone().or(options.asn_feed);
        }
        options
    }

    /// Whether a glob of a list may match no feed, and mean it: if the list is
    /// optional, or if a `[[feed]]` table that is optional speaks of it. The
    /// table does if its own glob matches the name, or the glob as it is
    /// written.
    pub fn may_match_nothing(&self, list: &ListConfig, glob: &Glob) -> bool {
        let mut tables = self.feeds.iter().filter(|table| table.optional);
        let name = FeedName::new(glob.as_str());
        list.optional || name.is_ok_and(|name| tables.any(|table| table.matches.matches(&name)))
    }

    /// The `[[feed]]` tables that match, the less specific ones first.
    fn tables_for(&self, feed: &FeedName) -> impl Iterator<Item = &FeedConfig> {
        self.feeds.iter().filter(move |table| table.matches.matches(feed))
    }
}

/// The bytes of a file that is not too long to be a configuration.
fn bytes_of(file: &Path) -> Result<Vec<u8>, ConfigError> {
    let unreadable = |source| ConfigError::Read { file: file.to_owned(), source };
    let max = limits::FILE_BYTES_MAX;
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > max {
        return Err(ConfigError::TooLong { file: file.to_owned(), max });
    }
    Ok(bytes)
}
