//! `hits --overlap`: asked of the daemon, and where there is none worked out
//! from the last good copies, which any verb may read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use blocklist::Limits;
use configuration::Config;
use feedfiles::{Copies, Restored};
use intake::{Identity, Version};

use super::ask::{Whom, hand_over, shown};
use super::{configuration, facts, tell};
use crate::cli::Format;
use crate::exit::Exit;
use crate::serve::Request;
use crate::settings::protection;
use crate::view::{OverlapView, print};

/// What the feeds of each list have in common.
pub(super) fn overlap(config_file: &Path, whom: &Whom, format: Format) -> Exit {
    let view = match hand_over(whom, &Request::Overlap {}) {
        Ok(Some(view)) => Ok(view),
        Ok(None) => alone(config_file),
        Err(exit) => Err(exit),
    };
    match view {
        Ok(view) => shown(print(&view, format), Exit::Success),
        Err(exit) => exit,
    }
}

/// The same with no daemon.
fn alone(config_file: &Path) -> Result<OverlapView, Exit> {
    let config = configuration(config_file)?;
    let state_dir = &config.daemon.state_dir;
    let fail = |why: &dyn std::fmt::Display| {
        tell(&format!("cannot read the last good copies: {why}"));
        Exit::Failure
    };
    let copies = Copies::open(state_dir).map_err(|error| fail(&error))?;
    let none = || fail(&format_args!("there are none yet in {}", state_dir.display()));
    let copies = copies.ok_or_else(none)?;
    let restored = restore(&copies, &config).map_err(|error| fail(&error))?;
    let Restored { feeds, damaged, unread } = restored;
    let now = SystemTime::now();
    let feeds = feeds.into_iter().map(|(name, copy)| {
        let version = Version::new(Identity::default(), copy.feed, copy.written, copy.accepted);
        (name, version.contributed_at(now))
    });
    let notes = damaged.iter().chain(&unread).map(ToString::to_string);
    let lists = config.lists.iter().map(|list| &list.list);
    Ok(OverlapView::of(
        lists,
        &feeds.collect::<BTreeMap<_, _>>(),
        &protection(&facts()),
        notes.collect(),
    ))
}

fn restore(copies: &Copies, config: &Config) -> Result<Restored, feedfiles::StoreError> {
    let wanted = |feed: &_| config.lists.iter().any(|list| list.uses(feed));
    copies.restore(&Limits::default(), wanted)
}
