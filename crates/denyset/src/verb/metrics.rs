//! `metrics`: what the daemon says of itself, as figures for monitoring. Which
//! figures these are, is known elsewhere.

use std::io::Write as _;
use std::sync::Arc;

use figures::{Readings, TextForm, exposition};

use super::ask::{Recipient, SOON, question, shown};
use crate::cli::MetricsFormat;
use crate::exit::Exit;
use crate::serve::ClientRequest;

/// Asks the daemon and prints all figures.
pub(super) fn metrics(whom: &Recipient, format: MetricsFormat) -> Exit {
    let status = match question(whom, &ClientRequest::Status {}, SOON) {
        Ok(status) => Some(Arc::new(status)),
        Err(exit) => return exit,
    };
    // One address is asked for, since that many cannot be none.
    let hits = ClientRequest::Hits { rule: None, feed: None, top: 1 };
    let hits = match question(whom, &hits, SOON) {
        Ok(hits) => Some(Arc::new(hits)),
        Err(exit) => return exit,
    };
    let form = match format {
        MetricsFormat::OpenMetrics => TextForm::OpenMetrics,
        MetricsFormat::Prometheus => TextForm::Prometheus,
    };
    let text = exposition(vec![Box::new(Readings { status, is_live: true, hits })], form);
    shown(std::io::stdout().write_all(text.as_bytes()), Exit::Success)
}
