//! `hits`: asked of the daemon, once or again and again. `--overlap` is worked
//! out from the last good copies where there is none, which any verb may read.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use blocklist::Limits;
use configuration::Configuration;
use feedfiles::{Copies, Restored};
use intake::{Identity, Version};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::ask::{Recipient, SOON, hand_over, question, shown};
use super::{configuration, facts, tell};
use crate::cli::{Format, HitsArguments, Print};
use crate::exit::Exit;
use crate::serve::ClientRequest;
use crate::settings::protection;
use crate::view::{HitsView, OverlapView, print};

/// Between two answers of `--watch`.
const PAUSE: Duration = Duration::from_secs(2);

/// What was hit.
pub(super) fn hits(whom: &Recipient, hits: &HitsArguments) -> Exit {
    let HitsArguments { feed, rule, top, watch, print: Print { format }, .. } = hits;
    let feed = feed.as_ref().map(ToString::to_string);
    let request = ClientRequest::Hits { rule: rule.clone(), feed, top: *top };
    loop {
        let exit = match question::<HitsView>(whom, &request, SOON) {
            Ok(view) => shown(print(&view, *format), Exit::Success),
            Err(exit) => exit,
        };
        if !watch || exit != Exit::Success || !is_read() {
            return exit;
        }
        sleep(PAUSE);
        if *format == Format::Text {
            // What a pipe does not take, the next answer tells.
            let _ = writeln!(std::io::stdout());
        }
    }
}

/// Whether somebody reads on: a pipe that nobody reads is no place to write to
/// (`POLLERR`, `poll(2)`).
fn is_read() -> bool {
    let out = std::io::stdout();
    let mut polled = [PollFd::new(&out, PollFlags::empty())];
    let asked = poll(&mut polled, Some(&Timespec::default()));
    asked.is_ok() && !polled[0].revents().contains(PollFlags::ERR)
}

/// What the feeds of each list have in common.
pub(super) fn overlap(config_file: &Path, whom: &Recipient, format: Format) -> Exit {
    let view = match hand_over(whom, &ClientRequest::Overlap {}) {
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

fn restore(copies: &Copies, config: &Configuration) -> Result<Restored, feedfiles::StoreError> {
    let wanted = |feed: &_| config.lists.iter().any(|list| list.uses(feed));
    copies.restore(&Limits::default(), wanted)
}
