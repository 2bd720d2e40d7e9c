//! Whether a feed's file is as young as it must be, by the same rule as the
//! daemon's: it is stale from the moment on that is its `max-age` after it was
//! last modified.

use std::time::{Duration, SystemTime};

use blocklist::FeedName;
use configuration::Configuration;
use intake::WhenStale;

use super::problems::Findings;
use crate::view::Moment;

/// A file this little from the future may come from another host's clock.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// Judges a file that was last modified at `written`. Says whether the feed is
/// in force as far as its age goes.
pub(super) fn judge(
    config: &Configuration,
    feed: &FeedName,
    written: SystemTime,
    now: SystemTime,
    findings: &mut Findings,
) -> bool {
    let max_age = config.rules().max_age_for(feed);
    if written.duration_since(now).is_ok_and(|ahead| ahead > SKEW_MAX) {
        let time = Moment::from(written);
        let text = format!("feed {feed} was written in the future, at {time}");
        match max_age {
            Some(_) => findings.problems.push(format!(
                "{text}, so that it will not be older than its max-age for longer than it should; \
                 `touch` it"
            )),
            None => findings.remarks.push(text),
        }
    }
    let Some((age, fate)) = max_age else { return true };
    if written.checked_add(age).is_none_or(|stale_from| now < stale_from) {
        return true;
    }
    let (time, hours) = (Moment::from(written), age.as_secs().div_ceil(3600));
    let fate_text = match fate {
        WhenStale::Keep => "it stays in force",
        WhenStale::Drop => "it is not in force",
    };
    findings.problems.push(format!(
        "feed {feed} is older than its max-age of {hours} h, it was written at {time}; {fate_text}"
    ));
    fate == WhenStale::Keep
}
