//! What whoever watches is given: the figures, `/status` as JSON, and the page. Made of
//! what is in memory, and on another thread than the one that answers web
//! servers, because there may be thousands of feeds.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use blocklist::Family;
use figures::{Figures, Readings, Sheet, StatusDocument, TextForm, exposition};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Desk;
use crate::asking::Said;
use crate::counters::CheckOutcome;
use crate::lists::{Knowledge, KnownStatus};
use crate::page::{PageContent, page};

/// What is known at one moment, for whoever watches.
#[derive(Clone, Debug)]
pub(super) struct Overview {
    pub(super) known: Arc<Knowledge>,
    pub(super) said: Arc<Said>,
    checks: [u64; CheckOutcome::ALL.len()],
    connections: u64,
}

impl Overview {
    pub(super) fn of(desk: &Desk) -> Self {
        Self {
            known: desk.known.borrow().clone(),
            said: desk.said.borrow().clone(),
            checks: CheckOutcome::ALL.map(|outcome| desk.counters.checks(outcome)),
            connections: desk.seats.count() as u64,
        }
    }

    /// The last status that is known.
    pub(super) fn status(&self) -> Option<&KnownStatus> {
        self.said.status.as_deref().or(self.known.status.as_deref())
    }

    /// The figures as text.
    pub(super) fn metrics(self, form: TextForm) -> String {
        let is_live = self.said.status.is_some();
        let document = |status: &KnownStatus| Arc::new(status.document.clone());
        let empty = || Arc::new(StatusDocument::default());
        let status = Some(self.status().map_or_else(empty, document));
        let daemon = Readings { status, is_live, hits: self.said.hits.clone() };
        exposition(vec![Box::new(daemon), Box::new(self)], form)
    }

    /// The document of `/status`.
    pub(super) fn document(&self) -> String {
        let status = self.status().and_then(|status| str::from_utf8(&status.bytes).ok());
        let document = GatewayDocument {
            daemon: self.said.status.is_some(),
            silence: self.said.silence.as_deref(),
            status: status.and_then(|text| serde_json::from_str(text).ok()),
            lists: self
                .families()
                .map(|(list, family, known)| ListDocument {
                    list,
                    family: family.to_string(),
                    prefixes: known.header().prefixes,
                    generation: known.header().generation,
                    made: known.header().made,
                    good_at: known.good_at,
                })
                .collect(),
            troubles: &self.known.troubles,
        };
        serde_json::to_string(&document).expect("texts and numbers can be written as JSON") + "\n"
    }

    /// The page, with what was asked on it.
    pub(super) fn page(&self, asked: Option<(String, Result<String, String>)>) -> String {
        page(&PageContent {
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            status: self.status().map(|status| &status.document),
            hits: self.said.hits.as_deref(),
            silence: self.said.silence.as_deref(),
            troubles: &self.known.troubles,
            history: self.said.history.clone(),
            asked,
        })
    }

    fn families(&self) -> impl Iterator<Item = (&str, Family, &crate::lists::KnownFamily)> {
        self.known.lists.iter().flat_map(|list| {
            Family::ALL
                .into_iter()
                .filter_map(|family| Some((list.name.as_str(), family, list.family(family)?)))
        })
    }
}

/// The document of `/status`. Times are seconds since 1970.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GatewayDocument<'a> {
    /// Whether the daemon answers.
    daemon: bool,
    /// Why it does not.
    silence: Option<&'a str>,
    /// The document of `denyset status`, by the daemon or as it last left it.
    status: Option<&'a RawValue>,
    /// What is answered from.
    lists: Vec<ListDocument<'a>>,
    /// Why that may be older than what there is.
    troubles: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListDocument<'a> {
    list: &'a str,
    family: String,
    prefixes: u64,
    generation: u64,
    made: u64,
    good_at: u64,
}

impl Figures for Overview {
    fn write(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let checks = CheckOutcome::ALL.iter().zip(self.checks);
        let checks: Vec<_> =
            checks.map(|(outcome, count)| (vec![("outcome", outcome.word())], count)).collect();
        sheet.counter("denyset_gateway_checks", "What /check has answered.", &checks)?;
        sheet.gauge(
            "denyset_gateway_connections",
            "Connections that are open now.",
            &[(Vec::new(), self.connections)],
        )?;
        sheet.gauge(
            "denyset_gateway_troubles",
            "How many files cannot be read; the last good versions are answered from.",
            &[(Vec::new(), self.known.troubles.len() as u64)],
        )?;
        let of = |value: &dyn Fn(&crate::lists::KnownFamily) -> u64| {
            let families = self.families();
            families
                .map(|(list, family, known)| {
                    let family = match family {
                        Family::Ipv4 => "ipv4",
                        Family::Ipv6 => "ipv6",
                    };
                    (vec![("list", list), ("family", family)], value(known))
                })
                .collect::<Vec<_>>()
        };
        sheet.gauge(
            "denyset_gateway_list_prefixes",
            "Prefixes of a list that is answered from.",
            &of(&|known| known.header().prefixes),
        )?;
        sheet.gauge(
            "denyset_gateway_list_good_timestamp_seconds",
            "When a list was last known to be what the kernel has.",
            &of(&|known| known.good_at),
        )
    }
}
