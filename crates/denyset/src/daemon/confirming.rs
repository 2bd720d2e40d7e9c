//! A configuration that somebody has to confirm, and the one that returns if he
//! does not. The note in state-dir is written before anything changes.

use std::collections::VecDeque;
use std::mem;
use std::time::{Instant, SystemTime};

use keeper::{Action, Event, Slip};

use super::reload::NewConfiguration;
use super::storage::Task;
use super::{MainLoop, Waiting};
use crate::confirm::Note;
use crate::exit::Exit;
use crate::serve::{Change, Failure};
use crate::view::Moment;

/// What waits for a person's word.
#[derive(Default)]
pub(super) struct Unconfirmed {
    /// The note that stands in state-dir.
    note: Option<Note>,
    /// When the configuration of before returns.
    pub(super) due: Option<Instant>,
    /// The one that it took the place of.
    earlier: Option<Note>,
    /// What the store's thread was told to do with the note, the first first: it
    /// answers in this order.
    writing: VecDeque<Writing>,
    /// Why it could not be.
    failure: Option<String>,
}

/// Something to be done with the note in state-dir.
enum Writing {
    /// It is the one to go by.
    Keep,
    /// The same, and this configuration comes into force once it stands.
    KeepFor(Box<NewConfiguration>, Note),
    /// Nothing waits any more for what this one says.
    Forget(Option<Note>),
}

impl Unconfirmed {
    /// Whether a note is being written or removed.
    pub(super) fn is_busy(&self) -> bool {
        !self.writing.is_empty()
    }

    /// What a start has found.
    pub(super) fn found(note: Option<Note>) -> Self {
        let due = note.as_ref().and_then(Note::left).map(|left| Instant::now() + left);
        Self { note, due, ..Self::default() }
    }
}

impl MainLoop {
    /// Writes down what returns after so many seconds, and goes on with this
    /// configuration then.
    pub(super) fn propose_unless_confirmed(&mut self, candidate: NewConfiguration, seconds: u32) {
        // What was confirmed last returns, however many have come since.
        let earlier = self.unconfirmed.note.as_ref();
        let before =
            earlier.map_or_else(|| Some(self.config_text.to_string()), |note| note.before.clone());
        let note = Note::new(before, seconds);
        self.write_note(Writing::KeepFor(Box::new(candidate), note.clone()), Some(note));
    }

    fn write_note(&mut self, writing: Writing, note: Option<Note>) {
        self.unconfirmed.writing.push_back(writing);
        self.storage.hand(&self.feeds, Task::Unconfirmed(note));
    }

    /// A note was written or removed, or could not be.
    pub(super) fn noted(&mut self, result: Result<(), String>) -> Option<Event> {
        self.unconfirmed.failure = result.as_ref().err().cloned();
        match (self.unconfirmed.writing.pop_front(), result) {
            (Some(Writing::KeepFor(candidate, note)), Ok(())) => {
                self.unconfirmed.due = note.left().map(|left| Instant::now() + left);
                self.unconfirmed.earlier = self.unconfirmed.note.replace(note);
                return Some(self.proposed(*candidate, false));
            }
            (Some(Writing::KeepFor(candidate, _)), Err(error)) => {
                let why = format!("nothing was changed, for it could not be taken back: {error}");
                let ticket = candidate.ticket;
                self.disappoint(|waiting| waiting.question == Some(ticket), &why);
            }
            (Some(Writing::Forget(note)), Err(error)) => {
                // A start would go by it, so this process does, too.
                self.unconfirmed.due =
                    note.as_ref().and_then(Note::left).map(|left| Instant::now() + left);
                self.unconfirmed.note = note;
                let why = format!("it was not confirmed, say it again: {error}");
                self.disappoint(|waiting| waiting.call.change == Change::Confirm, &why);
            }
            _ => {}
        }
        None
    }

    /// Tells those who wait for this that it did not come to be.
    fn disappoint(&mut self, concerns: impl Fn(&Waiting) -> bool, why: &str) {
        let (concerned, others) =
            mem::take(&mut self.waiting).into_iter().partition(|waiting| concerns(waiting));
        self.waiting = others;
        let concerned: Vec<Waiting> = concerned;
        for waiting in concerned {
            // Whoever asked may have gone.
            let _ = waiting.call.reply.send(Err(Failure::new(Exit::Failure, why)));
        }
    }

    /// A configuration was decided on that somebody has asked for now.
    pub(super) fn settle_note(&mut self, result: &Result<(), Vec<Slip>>, confirmed: bool) {
        let returned = self.unconfirmed.note.is_some() && self.unconfirmed.due.is_none();
        let earlier = self.unconfirmed.earlier.take();
        match (result, earlier) {
            (Ok(()), _) if confirmed && returned => self.forget_note(),
            (Err(_), Some(earlier)) if !confirmed => {
                self.unconfirmed.due = earlier.left().map(|left| Instant::now() + left);
                self.unconfirmed.note = Some(earlier.clone());
                self.write_note(Writing::Keep, Some(earlier));
            }
            (Err(_), None) if !confirmed => self.forget_note(),
            _ => {}
        }
    }

    fn forget_note(&mut self) {
        self.unconfirmed.due = None;
        let note = self.unconfirmed.note.take();
        self.write_note(Writing::Forget(note), None);
    }

    /// Somebody confirms.
    ///
    /// # Errors
    /// Nothing waits for it.
    pub(super) fn confirm(&mut self) -> Result<(), Failure> {
        if self.unconfirmed.due.is_some() {
            tracing::info!("somebody confirms the configuration");
            self.forget_note();
            return Ok(());
        }
        let why = if self.unconfirmed.note.is_some() {
            "it is too late: the configuration of before is in force again; `denyset reload` puts \
             the other into force"
        } else {
            "nothing waits to be confirmed"
        };
        Err(Failure::new(Exit::Failure, why))
    }

    /// Nobody has confirmed: the configuration of before returns, whatever it
    /// takes out.
    pub(super) fn put_back(&mut self) -> Vec<Action> {
        self.unconfirmed.due = None;
        let note = self.unconfirmed.note.as_ref();
        let Some((config, text)) = note.and_then(|note| note.returning(&self.config)) else {
            tracing::error!("the configuration of before cannot be read, the present one stays");
            return Vec::new();
        };
        tracing::warn!(
            "the configuration was not confirmed in time, the one before comes into force again"
        );
        let ticket = self.keeper.ticket();
        self.propose(NewConfiguration::returning(config, text, ticket), true)
    }

    /// Until when somebody has to confirm, if he has.
    pub(super) fn confirm_until(&self) -> Option<SystemTime> {
        let Unconfirmed { note, due, .. } = &self.unconfirmed;
        note.as_ref().filter(|_| due.is_some()).map(Note::until)
    }

    /// What somebody has to say a word on, a sentence each.
    pub(super) fn awaited(&self) -> impl Iterator<Item = String> {
        let Unconfirmed { note, due, failure, .. } = &self.unconfirmed;
        let sentence = note.as_ref().map(|note| match due {
            Some(_) => format!(
                "the configuration waits for `denyset confirm` until {}, else the one before \
                 returns",
                Moment::from(note.until())
            ),
            None => format!(
                "{} was not confirmed in time, the configuration of before is in force; \
                 `denyset reload` puts it into force",
                self.config_file.display()
            ),
        });
        let failure =
            failure.as_ref().map(|error| format!("what is confirmed is in doubt: {error}"));
        sentence.into_iter().chain(failure)
    }
}
