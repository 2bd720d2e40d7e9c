//! `accept`: a person's word on what a guard has refused. Where no daemon runs
//! the word is given at the end of one `apply`, for there is nobody who would
//! remember it.

use std::path::Path;
use std::sync::Arc;

use blocklist::FeedName;

use super::apply::{bring_about, chosen, fail, remember};
use super::ask::{Recipient, hand_over, shown};
use super::tell;
use crate::cli::Accept;
use crate::confirm::Chosen;
use crate::daemon::StartError;
use crate::exit::Exit;
use crate::lock::Lock;
use crate::serve::ClientRequest;
use crate::view::{OutcomeView, print};
use crate::without_daemon::Mode;

/// `accept FEED`, or of none what the configuration takes from lists and whom it
/// shuts out. That the feed is refused for another reason now is an error.
pub(super) fn accept(config_file: &Path, whom: &Recipient, accept: &Accept) -> Exit {
    let feed = accept.feed.as_ref();
    let request = match feed {
        Some(feed) => ClientRequest::Accept { feed: feed.as_str().to_owned() },
        None => ClientRequest::AcceptConfig {},
    };
    let outcome = match hand_over::<OutcomeView>(whom, &request) {
        Ok(Some(outcome)) => outcome,
        Err(exit) => return exit,
        Ok(None) => match without_daemon(config_file, feed) {
            Ok(outcome) => outcome,
            Err(exit) => return exit,
        },
    };
    let same = |name: &String| feed.is_some_and(|feed| name.as_str() == feed.as_str());
    let refused = outcome.refusals.iter().any(|refusal| same(&refusal.feed));
    let exit = if refused { Exit::Failure } else { Exit::Success };
    shown(print(&outcome, accept.print.format), exit)
}

fn without_daemon(config_file: &Path, feed: Option<&FeedName>) -> Result<OutcomeView, Exit> {
    let Chosen { config, text, returned } = chosen(config_file, false)?;
    let failed = |error: StartError| fail("accept", &error);
    let lock = Lock::take(&config.kernel.set_prefix).map_err(|error| failed(error.into()))?;
    let config = Arc::new(config);
    let mode = Mode::Accept(feed.cloned());
    let (done, outcome) = bring_about(&config, lock, returned, mode).map_err(failed)?;
    if let Some(Err(why)) = done.word {
        let what = feed.map_or("the configuration", |feed| feed.as_str());
        tell(&format!("cannot accept {what}: {why}"));
        return Err(Exit::Failure);
    }
    remember(&config, &text, &outcome);
    Ok(outcome)
}
