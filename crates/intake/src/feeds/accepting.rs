//! A person's word on what a guard refused. It is about the version that the
//! person has seen, and about no other.

use blocklist::{FeedName, Guard};

use super::Intake;
use crate::feed::{FeedStage, Waiver};
use crate::{FeedState, Identity, NotAcceptable, Now, Ticket};

impl Intake {
    /// Lets through, once, what a guard refused. What comes of it is among
    /// [`Self::take_replies`], now or later.
    pub fn accept(&mut self, name: &FeedName, ticket: Ticket, now: Now) {
        let accepted = match self.feeds.get(name) {
            None => Err(NotAcceptable::Unknown),
            Some(feed) => what_is_accepted(feed),
        };
        match accepted {
            Err(why) => self.replies.push((ticket, Err(why))),
            Ok(Accepted::Withdrawal) => {
                self.change(name, |feed| {
                    if let Some(gone) = &mut feed.gone {
                        gone.leaves = now.monotonic;
                        gone.accepted = true;
                    }
                });
                self.replies.push((ticket, Ok(())));
            }
            Ok(Accepted::Loss) => {
                self.change(name, |feed| {
                    feed.loss = None;
                    feed.excused = true;
                });
                self.changed.insert(name.clone());
                self.replies.push((ticket, Ok(())));
            }
            Ok(Accepted::Version(id)) => self.waive(name, id, ticket),
        }
    }

    /// A person lets a version through. Whoever says the same before it is in
    /// force hears the same with him.
    fn waive(&mut self, name: &FeedName, id: Identity, ticket: Ticket) {
        let outdated = self.change(name, |feed| {
            if let FeedStage::Rest | FeedStage::Wanted(_) = feed.stage {
                feed.fingerprint = None;
                feed.stage = FeedStage::Queued;
            }
            let earlier = feed.waiver.take_if(|waiver| waiver.id != id);
            let tickets = || Waiver { id, tickets: Vec::new() };
            feed.waiver.get_or_insert_with(tickets).tickets.push(ticket);
            earlier
        });
        self.answer_words(outdated.flatten(), Err(NotAcceptable::NewerRefused));
    }

    /// Tells all who wait for what comes of a word on one version.
    pub(super) fn answer_words(
        &mut self,
        waiver: Option<Waiver>,
        result: Result<(), NotAcceptable>,
    ) {
        let tickets = waiver.into_iter().flat_map(|waiver| waiver.tickets);
        self.replies.extend(tickets.map(|ticket| (ticket, result)));
    }

    /// What was to be accepted is not what is there.
    pub(super) fn disappoint(&mut self, name: &FeedName, why: NotAcceptable) {
        let waiver = self.change(name, |feed| feed.waiver.take()).flatten();
        self.answer_words(waiver, Err(why));
    }
}

/// What a person's word is about.
enum Accepted {
    /// That the feed leaves with many others.
    Withdrawal,
    /// That a version which was in force is lost.
    Loss,
    /// This version.
    Version(Identity),
}

fn what_is_accepted(feed: &FeedState) -> Result<Accepted, NotAcceptable> {
    let withheld = feed.refusals().iter().any(|refusal| refusal.guard == Guard::Withdrawal);
    if feed.gone.is_some() && withheld {
        return Ok(Accepted::Withdrawal);
    }
    match &feed.refused {
        Some(refused) => {
            let all = refused.refusals.iter().all(|refusal| refusal.guard.can_be_accepted());
            match refused.id {
                Some(id) if all => Ok(Accepted::Version(id)),
                _ if feed.is_unproven() => Ok(Accepted::Loss),
                _ => Err(NotAcceptable::Mend),
            }
        }
        None if feed.is_unproven() => Ok(Accepted::Loss),
        None => Err(NotAcceptable::Nothing),
    }
}
