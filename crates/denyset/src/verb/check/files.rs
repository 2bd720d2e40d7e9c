//! `denyset check FEED…`: single files, wherever they are, for a person who
//! has just fetched one and may not have a configuration yet.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blocklist::{DescribedLine, FeedName, Protection};

use super::problems::Findings;
use super::{age, judged, limits_for, load};
use crate::cli::ReadingArguments;
use crate::serve::Failure;
use crate::view::{CheckView, ExplainedLine, ExplainedView};
use configuration::{ConfigError, Configuration};
use feedfiles::{TreeLimits, complete_for_path, describe_path, read_path};

/// The configuration, and what is to be said about it. The defaults stand in
/// for a file that does not exist, unless it was asked for.
pub(super) fn config(
    given: Option<&Path>,
    file: &Path,
) -> Result<(Configuration, Vec<String>), Failure> {
    match Configuration::load(file) {
        Err(ConfigError::Read { source, .. })
            if given.is_none() && source.kind() == std::io::ErrorKind::NotFound =>
        {
            let problem = format!("there is no {}, the defaults are in force", file.display());
            Ok((Configuration::default(), vec![problem]))
        }
        _ => Ok((load(file)?, Vec::new())),
    }
}

/// Files that a person names.
pub(super) struct NamedFiles<'a> {
    pub config: &'a Configuration,
    pub paths: &'a [PathBuf],
    /// What is said of them beside the configuration.
    pub reading: &'a ReadingArguments,
}

impl NamedFiles<'_> {
    /// Checks the files as they would be checked in the feeds directory. Lists
    /// are not composed of them: a part of the feeds says nothing about a list.
    pub(super) fn check(&self, protection: &Protection, remarks: Vec<String>) -> CheckView {
        let Self { config, paths, reading } = *self;
        let mut findings = Findings { problems: Vec::new(), remarks };
        let mut feeds = Vec::with_capacity(paths.len());
        for file in paths {
            let shown_as = file.to_string_lossy();
            let Some(name) = name(config, file) else {
                findings
                    .problems
                    .push(format!("{shown_as}: its name cannot be a feed's, see `denyset --help`"));
                continue;
            };
            if let Ok(written) = file.metadata().and_then(|found| found.modified()) {
                age::judge(config, &name, written, SystemTime::now(), &mut findings);
            }
            let bytes_max = TreeLimits::default().bytes_max;
            let limits = limits_for(config, &name);
            let options = reading.over(config.options_for(&name));
            let feeds_dir = &config.daemon.feeds_dir;
            let read =
                complete_for_path(&options, file, feeds_dir, bytes_max).and_then(|options| {
                    read_path(
                        file,
                        reading.choice(config.format_for(&name)),
                        &options,
                        &limits,
                        bytes_max,
                    )
                });
            feeds.push(judged(config, protection, &name, &shown_as, read).0);
        }
        let Findings { problems, remarks } = findings;
        CheckView { feeds, problems, remarks, ..CheckView::default() }
    }

    /// The same with what the lines of each file were taken for.
    pub(super) fn explained(&self, mut view: CheckView) -> CheckView {
        let Self { config, paths, reading } = *self;
        for file in paths {
            let shown_as = file.to_string_lossy();
            let Some(name) = name(config, file) else { continue };
            let limits = limits_for(config, &name);
            let bytes_max = TreeLimits::default().bytes_max;
            let options = reading.over(config.options_for(&name));
            let feeds_dir = &config.daemon.feeds_dir;
            let described =
                complete_for_path(&options, file, feeds_dir, bytes_max).and_then(|options| {
                    describe_path(
                        file,
                        reading.choice(config.format_for(&name)),
                        &options,
                        &limits,
                        bytes_max,
                    )
                });
            let feed = view.feeds.iter_mut().find(|feed| feed.feed == shown_as);
            if let Some((feed, described)) = feed.zip(described.ok()) {
                let line = |line: DescribedLine| ExplainedLine {
                    line: line.line,
                    text: line.text,
                    taken_for: line.taken_for,
                };
                feed.explained = Some(ExplainedView {
                    format: described.why,
                    lines: described.lines.into_iter().map(line).collect(),
                });
            }
        }
        view
    }
}

/// The name under which the options of the configuration apply: the path
/// below the feeds directory for a file in it, the last part for others.
fn name(config: &Configuration, file: &Path) -> Option<FeedName> {
    let whole = std::path::absolute(file).ok()?;
    let below = whole.strip_prefix(&config.daemon.feeds_dir).ok();
    let name = below.or_else(|| whole.file_name().map(Path::new))?;
    FeedName::new(name.to_str()?).ok()
}
