//! Keeps for the next boot what the configuration in force says of the sets,
//! whenever that changes. One file at a time is written, and not by the loop.

use std::sync::Arc;

use super::MainLoop;
use super::perform::Finished;
use crate::boot::Record;
use crate::salt::salt_of_a_set;

/// What the next boot will know.
#[derive(Default)]
pub(super) struct NextBoot {
    /// What was kept last, or is being kept, or could not be.
    kept: Option<Record>,
    /// Whether it is being written.
    busy: bool,
    /// Why it could not be kept.
    failure: Option<String>,
}

impl MainLoop {
    /// Has it kept if the next boot would find something else.
    pub(super) fn keep_for_next_boot(&mut self) {
        // What is held for a slip is nothing that a boot should begin with.
        if self.keeper.lists().values().any(|list| list.held.is_some()) {
            return;
        }
        // Nor what may shut somebody out, as far as is known.
        if !self.keeper.is_clear() {
            return;
        }
        // Nor what nobody has confirmed.
        if self.unconfirmed.due.is_some() {
            return;
        }
        let protection = self.keeper.protection();
        let same = |kept: &Record| {
            Arc::ptr_eq(&kept.text, &self.config_text) && kept.protection == **protection
        };
        if self.next_boot.busy || self.next_boot.kept.as_ref().is_some_and(same) {
            return;
        }
        let record = Record { text: self.config_text.clone(), protection: (**protection).clone() };
        let config = self.config.clone();
        self.next_boot.busy = true;
        self.next_boot.kept = Some(record.clone());
        self.aside(move || {
            let kept = record.keep(&config, salt_of_a_set);
            Finished::KeptForNextBoot(kept.map_err(|error| error.to_string()))
        });
    }

    /// Takes in what came of it.
    pub(super) fn kept_for_next_boot(&mut self, kept: Result<(), String>) {
        self.next_boot.busy = false;
        self.next_boot.failure = kept.err();
        if let Some(error) = &self.next_boot.failure {
            tracing::warn!(error, "the sets are not kept for the next boot: {error}");
        }
    }

    /// What the next boot would miss, a sentence.
    pub(super) fn next_boot_in_doubt(&self) -> Option<String> {
        let failure = self.next_boot.failure.as_ref()?;
        Some(format!("the sets are not kept for the next boot: {failure}"))
    }
}
