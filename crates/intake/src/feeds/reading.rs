//! What readings say: the same, something good, something bad; and whether a
//! copy of the good is kept.

use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Guard, Refusal};

use super::Intake;
use super::lockout::Objection;
use crate::feed::{Asked, FeedStage};
use crate::{
    Candidate, FeedState, Fingerprint, Identity, NotAcceptable, Now, Order, Reading, Refused,
    SourceReport, Ticket, Version,
};

/// Time until a feed is read again of which no copy could be kept.
const REREAD_UNKEPT: Duration = Duration::from_secs(10);

/// What a file was like, and when it was written.
type Seen = (Option<Fingerprint>, Option<SystemTime>);

impl Intake {
    pub(super) fn read(
        &mut self,
        ticket: Ticket,
        name: &FeedName,
        (fingerprint, written): Seen,
        reading: Reading,
        now: Now,
    ) {
        self.reading.remove(&ticket);
        let state = self.feeds.get(name);
        if !state.is_some_and(|feed| matches!(feed.stage, FeedStage::Reading(own) if own == ticket))
        {
            self.orders.extend(reading.candidate().map(Order::Discard));
            return;
        }
        // What its file says now, its time included, is not known before it was
        // read whole, though a copy of it may be.
        let passing =
            matches!(&reading, Reading::Refused(refusal) if refusal.guard == Guard::Stable);
        self.change(name, |feed| {
            feed.stage = FeedStage::Rest;
            feed.fingerprint = fingerprint;
            feed.seen |= !passing;
        });
        match reading {
            Reading::Same(id) => self.read_the_same(name, id, written, now),
            Reading::Vanished => {
                self.change(name, |feed| feed.fingerprint = None);
                self.disappoint(name, NotAcceptable::Unreadable);
                self.want_scan(now.monotonic);
            }
            Reading::Refused(refusal) => self.not_read(name, refusal, now),
            Reading::New { feed, id, candidate, refusals } => {
                self.change(name, |feed| {
                    feed.unstable = None;
                    feed.hurried = feed.asked == Asked::Impatiently;
                });
                let written = written.unwrap_or(now.wall);
                let version = Version::new(id, *feed, written, now.wall);
                self.read_new(name, version, candidate, refusals, now);
            }
        }
        self.read_again_if_changed(name, now);
    }

    fn read_the_same(
        &mut self,
        name: &FeedName,
        id: Identity,
        written: Option<SystemTime>,
        now: Now,
    ) {
        let changed = self.change(name, |feed| {
            feed.unstable = None;
            feed.hurried = feed.asked == Asked::Impatiently;
            let Some(version) = feed.version.as_mut().filter(|version| version.id == id) else {
                // It is not the version that we asked for.
                feed.stage = FeedStage::Wanted(now.monotonic);
                return None;
            };
            // The times of its entries count from when the file was written.
            let written = written.unwrap_or(version.written);
            let rewritten = std::mem::replace(&mut version.written, written) != written;
            if rewritten {
                // The clock may have been put right since it was accepted: whether
                // the file is from the future is asked anew.
                version.since = now.wall;
            }
            let changed = rewritten && version.has_lifetimes();
            if feed.refused.take().is_some() {
                feed.since = now.wall;
            }
            changed.then_some(written)
        });
        if let Some(written) = changed.flatten() {
            self.changed.insert(name.clone());
            self.orders.push(Order::NoteRewritten(name.clone(), id, written));
        }
        if self.change(name, |feed| feed.unkept.take().is_some()) == Some(true) {
            // The copy is one of earlier, of whose file it may be noted that it is
            // gone.
            let since = self.feeds.get(name).and_then(FeedState::gone_since);
            self.orders.push(Order::NoteGone(name.clone(), since));
            self.reports.push(SourceReport::KeptAgain { feed: name.clone() });
        }
        self.disappoint(name, NotAcceptable::NewerInForce);
        self.look_at_clock(name, now);
        self.leave_old_names(name, now);
    }

    fn not_read(&mut self, name: &FeedName, refusal: Refusal, now: Now) {
        let patience = self.rules.patience;
        let hopeless = self.feeds.get(name).is_some_and(|feed| feed.is_hopeless(patience, now));
        let told = self.change(name, |feed| feed.not_read(refusal.clone(), now)).flatten();
        let told = told.or_else(|| hopeless.then_some(refusal));
        if let Some(refusal) = told {
            self.change(name, |feed| feed.seen = true);
            self.disappoint(name, NotAcceptable::Unreadable);
            self.refuse(
                name,
                Refused { refusals: vec![refusal], id: None, connections: Vec::new() },
                now,
            );
        }
    }

    fn read_new(
        &mut self,
        name: &FeedName,
        version: Version,
        candidate: Result<Candidate, Refusal>,
        mut refusals: Vec<Refusal>,
        now: Now,
    ) {
        let id = version.id;
        let Objection { refusal, connections } = self.shut_out_by(name, &version, now);
        refusals.extend(refusal);
        let Some(feed) = self.feeds.get(name) else { return };
        let waived = feed.waiver.as_ref().is_some_and(|waiver| waiver.id == id)
            && refusals.iter().all(|refusal| refusal.guard.can_be_accepted());
        // It is in force, and only its copy is missing.
        let known = feed.unkept.is_some() && feed.version.as_ref().is_some_and(|own| own.id == id);
        if !refusals.is_empty() && !waived && !known {
            self.orders.extend(candidate.ok().map(Order::Discard));
            self.disappoint(name, NotAcceptable::NewerRefused);
            self.refuse(name, Refused { refusals, id: Some(id), connections }, now);
            self.look_again_for_peers(name, now);
            return;
        }
        if !waived {
            self.disappoint(name, NotAcceptable::NewerInForce);
        }
        // A person has judged it, by what there was to be seen.
        let candidate = if waived { candidate } else { self.may_keep(name, candidate) };
        match candidate {
            Ok(candidate) => {
                let ticket = self.tickets.draw();
                self.change(name, |feed| {
                    feed.stage = FeedStage::Keeping(ticket, Box::new(version));
                });
                self.orders.push(Order::Keep(ticket, name.clone(), candidate));
            }
            Err(refusal) => self.enforce(name, version, Some(refusal), now),
        }
    }

    /// While the last good copies cannot be looked through nothing takes their
    /// place: it was judged without them.
    fn may_keep(
        &mut self,
        name: &FeedName,
        candidate: Result<Candidate, Refusal>,
    ) -> Result<Candidate, Refusal> {
        let unknown = self.feeds.get(name).is_some_and(|feed| feed.version.is_none() || feed.blind);
        let Some(reason) = self.recall_failure().filter(|_| self.recall.blind && unknown) else {
            return candidate;
        };
        let refusal = Refusal {
            guard: Guard::Kept,
            expected: "a state-dir that can be read".to_owned(),
            found: reason.to_owned(),
        };
        self.change(name, |feed| feed.blind = true);
        self.orders.extend(candidate.ok().map(Order::Discard));
        Err(refusal)
    }

    pub(super) fn kept(
        &mut self,
        ticket: Ticket,
        name: &FeedName,
        result: Result<(), Refusal>,
        now: Now,
    ) {
        let version = self.change(name, |feed| match &feed.stage {
            FeedStage::Keeping(own, _) if *own == ticket => {
                match std::mem::replace(&mut feed.stage, FeedStage::Rest) {
                    FeedStage::Keeping(_, version) => Some(version),
                    _ => None,
                }
            }
            _ => None,
        });
        let Some(version) = version.flatten() else { return };
        self.enforce(name, *version, result.err(), now);
        self.read_again_if_changed(name, now);
    }

    /// A good version is in force, whether or not there is a copy of it.
    fn enforce(&mut self, name: &FeedName, version: Version, unkept: Option<Refusal>, now: Now) {
        let (id, tally) = (version.id, version.tally);
        let before = self.change(name, |feed| {
            let own = feed.version.as_ref().filter(|own| own.id == version.id);
            let known = own.is_some();
            // The times of its entries count from when the file was written.
            let same = own.is_some_and(|own| own.written == version.written)
                || known && !version.has_lifetimes();
            let previous = feed.version.replace(version).map(|version| version.tally);
            let waiver = feed.waiver.take();
            feed.refused = None;
            feed.loss = None;
            feed.excused = false;
            if !known {
                feed.since = now.wall;
            }
            let told = std::mem::replace(&mut feed.unkept, unkept.clone());
            if unkept.is_some() {
                feed.fingerprint = None;
                feed.stage = FeedStage::Wanted(now.monotonic + REREAD_UNKEPT);
            }
            (known, same, previous, waiver, told)
        });
        let Some((known, same, previous, waiver, told)) = before else { return };
        if let Some(since) = self.feeds.get(name).and_then(FeedState::gone_since) {
            // A copy that was just kept counts as one of a file that is there.
            self.orders.push(Order::NoteGone(name.clone(), Some(since)));
        }
        // A word that came while it was kept was on the version before it.
        let is_meant = waiver.as_ref().is_some_and(|waiver| waiver.id == id);
        self.answer_words(waiver, if is_meant { Ok(()) } else { Err(NotAcceptable::NewerInForce) });
        let feed = name.clone();
        if !known {
            self.reports.push(SourceReport::Accepted { feed: feed.clone(), tally, previous });
        }
        if !same {
            self.changed.insert(feed.clone());
        }
        match (told, unkept) {
            (told, Some(refusal)) if told.as_ref() != Some(&refusal) => {
                self.reports.push(SourceReport::NotKept { feed, refusal });
            }
            (Some(_), None) => self.reports.push(SourceReport::KeptAgain { feed }),
            _ => {}
        }
        self.look_at_clock(name, now);
        self.leave_old_names(name, now);
    }

    pub(super) fn refuse(&mut self, name: &FeedName, refused: Refused, now: Now) {
        let told = self.change(name, |feed| {
            let refusals = refused.refusals.clone();
            let before = feed.refused.replace(refused);
            if before.is_some_and(|before| before.refusals == refusals) {
                return None;
            }
            feed.since = now.wall;
            Some((refusals, feed.version.is_some()))
        });
        if let Some((refusals, in_force)) = told.flatten() {
            self.reports.push(SourceReport::Refused { feed: name.clone(), refusals, in_force });
        }
    }

    /// A scan has seen the file otherwise while it was read.
    fn read_again_if_changed(&mut self, name: &FeedName, now: Now) {
        self.change(name, |feed| {
            if !matches!(feed.stage, FeedStage::Rest) {
                return;
            }
            let meanwhile = feed.meanwhile.take();
            if meanwhile.is_some_and(|seen| feed.fingerprint != Some(seen)) {
                feed.stage = FeedStage::Wanted(now.monotonic);
            }
        });
    }
}
