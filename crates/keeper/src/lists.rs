//! The lists on their way into the desired state, and what is doubted of them.

use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, Glob, Prefixes};
use intake::{ListRules, Makeup, Ticket};
use reconcile::Target;

use crate::Held;
use crate::clearance::Clearance;
use crate::compose::Basis;

/// A list as it is put together.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct ListState {
    /// Its rules.
    pub rules: ListRules,
    /// What its sets are to hold, once it was put together.
    pub targets: Option<[Target; 2]>,
    /// What that was computed of.
    pub(crate) basis: Option<Arc<Basis>>,
    /// What was taken out because it is protected.
    pub protected: Arc<Prefixes>,
    /// How its sets are held, if they are.
    pub held: Option<Held>,
    /// Somebody was told that they are held, and not yet that they are free.
    pub(crate) told: bool,
    /// The feeds that it is made of.
    pub(crate) makeup: Makeup,
    /// How often it was put together.
    pub(crate) times: u64,
    /// By what it was last decided what is to be written down of it.
    pub(crate) told_by: Option<Grounds>,
    pub(crate) stage: ListStage,
    /// Somebody is putting it together, though it may be by an older question:
    /// one at a time, however often it is asked for.
    pub(crate) busy: Option<Ticket>,
    /// It was computed ahead of what comes into force next.
    pub(crate) ahead: bool,
    pub(crate) doubt: Option<ListDoubt>,
    /// Whether it was held against what an earlier process wrote down.
    pub(crate) judged: bool,
    /// It was put together so that feeds which may be its exceptions by a slip
    /// take nothing out of its sets.
    pub(crate) spares: bool,
    /// Everything that it is made of has been looked for since it was
    /// configured. Until then its sets lose nothing.
    pub(crate) whole: bool,
    pub(crate) news: ListNews,
    /// Whether it may come into force, as far as it could shut somebody out.
    pub(crate) clearance: Clearance,
}

/// Where a list is on its way into the desired state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListStage {
    /// It is in the desired state.
    Rest,
    /// It must be put together: when others are ready too, or at once because
    /// it may hold what it never must.
    Wanted {
        /// At once.
        urgent: bool,
    },
    /// It is being put together.
    Composing(Ticket),
}

/// Why the feeds that are there may not be all that a list was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListDoubt {
    /// The state directory remembers nothing. Until then even small losses
    /// wait, as a deleted feed does.
    Forgotten(Duration),
    /// The configuration has taken feeds out while nobody was looking, by their
    /// names or by their age.
    TakenOut,
    /// The same of exceptions, by a glob that matches nothing.
    NoException(Glob),
}

/// All that decides on what is written down of a list. As long as it is the
/// same nobody has to look through fifty thousand names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grounds {
    pub(crate) doubt: Option<ListDoubt>,
    pub(crate) judged: bool,
    pub(crate) rests: bool,
    /// How often it was put together.
    pub(crate) times: u64,
    /// Feeds of it that are lost.
    pub(crate) lost: Vec<FeedName>,
    /// How often the feeds changed that have left for good.
    pub(crate) withdrawals: u64,
}

/// Whether a list changes by more than lifetimes that end, which is not worth a
/// line of the log each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ListNews {
    /// It is to be put together for more than that.
    pub(crate) coming: bool,
    /// What its sets are being brought to differs by nothing else.
    pub(crate) only_ends: bool,
}

impl ListState {
    pub(crate) fn new(rules: ListRules) -> Self {
        Self {
            rules,
            targets: None,
            basis: None,
            protected: Arc::default(),
            held: None,
            told: false,
            makeup: Makeup::default(),
            times: 0,
            told_by: None,
            stage: ListStage::Wanted { urgent: false },
            busy: None,
            ahead: false,
            doubt: None,
            judged: false,
            spares: false,
            whole: false,
            news: ListNews::default(),
            clearance: Clearance::default(),
        }
    }

    /// Lifetimes of its entries have ended, or nothing may have changed at all.
    pub(crate) fn want_quietly(&mut self) {
        let news = self.news.coming;
        self.want(false);
        self.news.coming = news;
    }

    /// It must be put together anew. What is under way answers an older
    /// question.
    pub(crate) fn want(&mut self, urgently: bool) {
        self.news.coming = true;
        let urgent = urgently || self.stage == ListStage::Wanted { urgent: true };
        self.stage = ListStage::Wanted { urgent };
    }

    /// Nothing is doubted of it, or not any more.
    pub(crate) fn is_trusted(&mut self) {
        self.doubt = None;
        if std::mem::take(&mut self.spares) {
            self.want(true);
        }
    }

    pub(crate) fn at_rest(&self) -> bool {
        self.stage == ListStage::Rest
    }

    /// The list's name.
    pub fn name(&self) -> &str {
        &self.rules.list.name
    }
}
