//! The page for people: one document without a script, made of what is known. It
//! only shows; nothing on it changes anything. Which file says what, and who is
//! asked, it does not know.

mod chart;
mod tables;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

use figures::{HitsDocument, StatusDocument};
use maud::{DOCTYPE, Markup, html};

use super::history::History;
use chart::{Drawing, chart};
use tables::{feeds, lists, refused};
use verdict::answered;

/// The style sheet, which is fetched from here and from nowhere else.
pub(crate) const STYLE: &str = include_str!("style.css");

/// What a browser may do with the page: nothing but show it, with this sheet, and
/// send the form back here.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the page shows.
#[derive(Debug, Default)]
pub(crate) struct PageContent<'a> {
    /// In seconds since 1970.
    pub(crate) now: u64,
    /// What the daemon says, or has last said.
    pub(crate) status: Option<&'a StatusDocument>,
    /// What was hit.
    pub(crate) hits: Option<&'a HitsDocument>,
    /// Why the daemon does not say anything now.
    pub(crate) silence: Option<&'a str>,
    /// What is wrong with the lists that are answered from.
    pub(crate) troubles: &'a [String],
    /// The last 24 hours.
    pub(crate) history: History,
    /// The address that was asked about, as it was written, and what is known of
    /// it: a document of `why`, or why there is none.
    pub(crate) asked: Option<(String, Result<String, String>)>,
}

/// The whole page.
pub(crate) fn page(shown: &PageContent<'_>) -> String {
    let empty = StatusDocument::default();
    let status = shown.status.unwrap_or(&empty);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "denyset" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="style.css";
            }
            body {
                header {
                    h1 { "denyset" }
                    @if shown.status.is_some() {
                        span.dim { "generation " (status.generation) }
                    }
                }
                main {
                    (state(shown, status))
                    (asking(shown))
                    (lists(status, shown.now))
                    (day(&shown.history))
                    (refused(status))
                    (feeds(status, shown.hits, shown.now))
                }
            }
        }
    };
    page.into_string()
}

/// In sync or not, and why.
fn state(shown: &PageContent<'_>, status: &StatusDocument) -> Markup {
    let (kind, word) = match (shown.silence, shown.status) {
        (_, None) => ("doubt", "Nothing was heard of the daemon so far"),
        (Some(_), Some(_)) => ("doubt", "The daemon does not answer; this is what it last said"),
        (None, Some(status)) if !status.in_sync => {
            ("bad", "Not in sync: the kernel does not hold what it should")
        }
        (None, Some(status)) if !status.degraded.is_empty() => ("doubt", "In sync, and degraded"),
        (None, Some(_)) => ("good", "In sync: the kernel holds what it should"),
    };
    let sentences = [&status.degraded, &status.warnings, &status.remarks];
    html! {
        section class={"state " (kind)} aria-label="State" {
            p role="status" { (word) }
            ul {
                @if let Some(sentence) = shown.silence { li { (sentence) } }
                @for sentence in sentences.into_iter().flatten() { li { (sentence) } }
                @for sentence in shown.troubles {
                    li { "web servers are answered from an older version: " (sentence) }
                }
            }
        }
    }
}

/// The field, and what was asked with it.
fn asking(shown: &PageContent<'_>) -> Markup {
    let written = shown.asked.as_ref().map_or("", |(written, _)| written);
    html! {
        section aria-labelledby="why" {
            h2 id="why" { "Why is an address blocked, or not?" }
            form method="get" role="search" {
                label for="ip" { "Address" }
                input id="ip" name="ip" value=(written) required maxlength="45"
                    autocomplete="off" spellcheck="false" placeholder="192.0.2.1 or 2001:db8::1";
                button { "Ask" }
            }
            @if let Some((_, answer)) = &shown.asked { (answered(answer)) }
        }
    }
}

/// The last 24 hours.
fn day(history: &History) -> Markup {
    html! {
        section aria-labelledby="day" {
            h2 id="day" { "The last 24 hours" }
            div.charts {
                (chart("Members", &history.values(|point| point.members), Drawing::Line))
                (chart("Packets dropped", &history.growth(|point| point.dropped), Drawing::Bars))
                (chart("Changes", &history.growth(|point| point.generation), Drawing::Bars))
            }
        }
    }
}
