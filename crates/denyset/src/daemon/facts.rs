//! Follows this host on a thread of its own, which waits for changes of its
//! addresses, gateways and resolvers, and takes over what is new. What that
//! takes out of the lists is decided elsewhere.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::thread::Builder;
use std::time::Duration;

use host::{FactsDifference, Follow, News, Sources};
use keeper::Event;
use tokio::sync::mpsc;

use super::MainLoop;
use super::perform::{DeathBell, Finished};
use crate::settings::protection;

/// How often the thread looks whether the loop is still there.
const GLANCE: Duration = Duration::from_secs(60);

/// Addresses that are named in one line of the log.
const NAMED_MAX: usize = 8;

/// Takes the first look at this host, and follows it from then on. What is
/// new goes to `finish`.
///
/// # Errors
/// If the system has no thread for us.
pub(super) fn follow(finish: mpsc::Sender<Finished>) -> io::Result<News> {
    let mut follow = Follow::begin(Sources::default());
    let news = follow.news().clone();
    log_troubles(&News::default(), &news);
    Builder::new().name("facts".to_owned()).spawn(move || {
        let bell = DeathBell::armed(&finish);
        // Once the loop has ended nobody needs to know.
        while !finish.is_closed() {
            if let Some(news) = follow.wait(GLANCE) {
                let _ = finish.blocking_send(Finished::Facts(Box::new(news.clone())));
            }
        }
        bell.disarm();
    })?;
    Ok(news)
}

impl MainLoop {
    /// Takes over what is new about this host, and says what the keeper should know.
    pub(super) fn learned(&mut self, news: News) -> Option<Event> {
        log_troubles(&self.host, &news);
        let differences = news.facts.differences(&self.host.facts);
        self.host = news;
        if differences.is_empty() {
            return None;
        }
        for FactsDifference { part, came, went } in &differences {
            let [came, went] = [came, went].map(|list| (!list.is_empty()).then(|| named(list)));
            let told = |what, list: &Option<String>| {
                list.as_ref().map_or_else(String::new, |list| format!("; {what}: {list}"))
            };
            let (more, less) = (told("came", &came), told("went", &went));
            tracing::info!(
                kind = %part,
                came,
                went,
                "this host has changed, and what is protected with it: {part}{more}{less}"
            );
        }
        Some(Event::HostIs(protection(&self.host.facts)))
    }

    /// What is not known of this host or not followed, each a sentence.
    pub(super) fn unknown(&self) -> impl Iterator<Item = String> {
        let failures = self.host.failures.iter().map(ToString::to_string);
        failures.chain(self.host.gaps.iter().cloned())
    }
}

/// Tells what can no longer be found out, once, and that it can again.
fn log_troubles(earlier: &News, now: &News) {
    for error in now.failures.iter().filter(|error| !earlier.failures.contains(error)) {
        tracing::error!(%error, "what is protected is not known anew, what was known before stays: {error}");
    }
    for error in now.gaps.iter().filter(|error| !earlier.gaps.contains(error)) {
        tracing::warn!(error, "this host is looked at every few seconds instead: {error}");
    }
    let troubled = |news: &News| !news.failures.is_empty() || !news.gaps.is_empty();
    if troubled(earlier) && !troubled(now) {
        tracing::info!("this host is known and followed again");
    }
}

/// Some addresses in a line.
fn named(addresses: &[IpAddr]) -> String {
    let mut line = String::new();
    for (place, address) in addresses.iter().take(NAMED_MAX).enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write!(line, "{comma}{address}").expect("a string takes any text");
    }
    match addresses.len().saturating_sub(NAMED_MAX) {
        0 => line,
        more => format!("{line} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_some_addresses_and_counts_the_others() {
        let addresses: Vec<IpAddr> = (1..=9).map(|last| [192, 0, 2, last].into()).collect();
        assert_eq!(named(&addresses[..2]), "192.0.2.1, 192.0.2.2");
        assert!(named(&addresses).ends_with("192.0.2.8 and 1 more"), "{}", named(&addresses));
    }
}
