//! Question and answer over a [`Transport`]: sequence numbers, which answer
//! belongs to which request, when an answer counts as lost. What an answer
//! means for a set is the driver's business.

use std::io;
use std::ops::ControlFlow;

use crate::limits::{RECEIVE_BYTES, STALE_MAX};
use crate::{
    Body, ExchangeFailure, KernelMessage, ListingPart, ListingReply, Request, Transport, answers,
};

/// One conversation with the kernel, one request at a time.
///
/// After an answer that was lost or makes no sense the transport is reset, so
/// that nothing late can be taken for the answer to something newer.
#[derive(Debug)]
pub struct Exchange<T> {
    transport: T,
    /// The last sequence number that was given out.
    sequence: u32,
    inbox: Vec<u8>,
    /// Whether this socket has received into a large buffer before.
    primed: bool,
    /// Whether the transport must be reset before it is used again.
    spoiled: bool,
}

impl<T: Transport> Exchange<T> {
    /// A conversation over this transport.
    pub fn new(transport: T) -> Self {
        let inbox = Vec::with_capacity(RECEIVE_BYTES);
        Self { transport, sequence: 0, inbox, primed: false, spoiled: false }
    }

    /// Gives out `count` sequence numbers in a row, and returns the first.
    pub fn reserve(&mut self, count: u32) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Has memory at hand for what the next request needs, as far as that can be
    /// done: without it the request only takes longer.
    pub fn make_ready(&mut self, bytes: usize) {
        let _takes_longer = self.transport.make_ready(bytes);
    }

    /// Asks a question with one answer that carries data.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn ask(&mut self, request: &Request<'_>) -> Result<ListingReply, ExchangeFailure> {
        let sequence = self.reserve(1);
        self.answered(&request.encode(sequence), sequence)
    }

    /// Sends one message, written with this reserved sequence number, that
    /// has one answer with data.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn answered(
        &mut self,
        message: &[u8],
        sequence: u32,
    ) -> Result<ListingReply, ExchangeFailure> {
        let mut reply = None;
        self.exchange(message, sequence, 1, |answer| match answer.body {
            Body::Reply(found) => {
                reply = Some(found);
                Ok(ControlFlow::Break(()))
            }
            body => end(&body),
        })?;
        self.primed = true;
        reply.ok_or_else(|| {
            ExchangeFailure::Senseless("an acknowledgement in place of data".to_owned())
        })
    }

    /// Sends a command and waits until it is done.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn command(&mut self, request: &Request<'_>) -> Result<(), ExchangeFailure> {
        let sequence = self.reserve(1);
        self.acknowledged(&request.encode(sequence), sequence)
    }

    /// Sends one message, written with this reserved sequence number, and
    /// waits until it is acknowledged.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn acknowledged(&mut self, message: &[u8], sequence: u32) -> Result<(), ExchangeFailure> {
        self.exchange(message, sequence, 1, |answer| end(&answer.body))
    }

    /// Sends `count` messages at once, written with the reserved sequence
    /// numbers from `first` on, of which the last asks for an acknowledgement.
    /// Returns the codes of those that failed, in order.
    ///
    /// # Errors
    /// [`ExchangeFailure`], but no `Refused`.
    pub fn group(
        &mut self,
        messages: &[u8],
        first: u32,
        count: u32,
    ) -> Result<Vec<u16>, ExchangeFailure> {
        let last = first.wrapping_add(count.saturating_sub(1));
        let mut codes = Vec::new();
        self.exchange(messages, first, count, |answer| {
            match answer.body {
                Body::Failed { code, .. } => codes.push(code),
                Body::Acknowledged | Body::Nothing => {}
                body => return end(&body),
            }
            Ok(if answer.sequence == last {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        Ok(codes)
    }

    /// Sends the messages of one transaction, written with `count` reserved
    /// sequence numbers from `first` on, and waits until all of it is done or
    /// the first error says that none of it is.
    ///
    /// # Errors
    /// [`ExchangeFailure`].
    pub fn transacted(
        &mut self,
        batch: &[u8],
        first: u32,
        count: u32,
    ) -> Result<(), ExchangeFailure> {
        self.exchange(batch, first, count, |answer| end(&answer.body))
    }

    /// Asks for a listing and hands over its parts.
    ///
    /// A socket that has not yet received into a large buffer gets small
    /// parts, and a bucket that does not fit a part ends the listing early and
    /// with success. Hence the question before the first one.
    ///
    /// # Errors
    /// [`ExchangeFailure`]. After an error in the middle the parts that are still to
    /// come are forgotten with the socket, which also releases the set.
    pub fn list(
        &mut self,
        request: &Request<'_>,
        mut each: impl FnMut(ListingPart),
    ) -> Result<(), ExchangeFailure> {
        if !self.primed {
            self.ask(&Request::Protocol)?;
        }
        let sequence = self.reserve(1);
        self.listed(&request.encode(sequence), sequence, |reply| match reply {
            ListingReply::Part(part) => {
                each(part);
                Ok(())
            }
            _ => Err(ExchangeFailure::Senseless("a listing of something else".to_owned())),
        })
    }

    /// Sends one message, written with this reserved sequence number, that
    /// asks for a listing, and hands over its parts.
    ///
    /// # Errors
    /// [`ExchangeFailure`], and what `each` fails with.
    pub fn listed(
        &mut self,
        message: &[u8],
        sequence: u32,
        mut each: impl FnMut(ListingReply) -> Result<(), ExchangeFailure>,
    ) -> Result<(), ExchangeFailure> {
        self.exchange(message, sequence, 1, |answer| match answer.body {
            Body::Reply(reply) => each(reply).map(ControlFlow::Continue),
            Body::Done { code: 0 } => Ok(ControlFlow::Break(())),
            Body::Done { code } => Err(ExchangeFailure::Refused { code, number: None }),
            Body::Acknowledged => {
                Err(ExchangeFailure::Senseless("a listing was acknowledged".to_owned()))
            }
            body => end(&body),
        })
    }

    /// Sends, and receives until `on` breaks or fails. Answers to other
    /// requests are dropped.
    fn exchange(
        &mut self,
        messages: &[u8],
        first: u32,
        count: u32,
        mut on: impl FnMut(KernelMessage) -> Result<ControlFlow<()>, ExchangeFailure>,
    ) -> Result<(), ExchangeFailure> {
        if self.spoiled {
            self.renew().map_err(ExchangeFailure::Unsent)?;
        }
        self.transport.send(messages).map_err(ExchangeFailure::Unsent)?;
        let outcome = self.receive_until(|answer| {
            let ours = answer.sequence.wrapping_sub(first) < count;
            Ok((ours, if ours { on(answer)? } else { ControlFlow::Continue(()) }))
        });
        if let Err(ExchangeFailure::Unanswered(_) | ExchangeFailure::Senseless(_)) = outcome {
            (self.primed, self.spoiled) = (false, true);
            // At once, since a listing may hold a set; if it fails, the next
            // request tries again and says so.
            let _tried_again = self.renew();
        }
        outcome
    }

    fn renew(&mut self) -> io::Result<()> {
        self.transport.reset()?;
        self.spoiled = false;
        Ok(())
    }

    /// Receives until `on` breaks or fails; `on` also says whether an answer
    /// was awaited.
    fn receive_until(
        &mut self,
        mut on: impl FnMut(KernelMessage) -> Result<(bool, ControlFlow<()>), ExchangeFailure>,
    ) -> Result<(), ExchangeFailure> {
        let mut stale = 0;
        while stale < STALE_MAX {
            match self.transport.receive(&mut self.inbox) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ExchangeFailure::Unanswered(error)),
            }
            stale += 1;
            for answer in answers(&self.inbox) {
                let answer =
                    answer.map_err(|error| ExchangeFailure::Senseless(error.to_string()))?;
                let (awaited, flow) = on(answer)?;
                if flow.is_break() {
                    return Ok(());
                }
                if awaited {
                    stale = 0;
                }
            }
        }
        Err(ExchangeFailure::Senseless(format!("{STALE_MAX} answers to something else")))
    }
}

/// What an answer means that should be an acknowledgement.
fn end(body: &Body) -> Result<ControlFlow<()>, ExchangeFailure> {
    match *body {
        Body::Acknowledged => Ok(ControlFlow::Break(())),
        Body::Nothing => Ok(ControlFlow::Continue(())),
        Body::Failed { code, number } => Err(ExchangeFailure::Refused { code, number }),
        Body::Done { .. } => Err(ExchangeFailure::Senseless("the end of no listing".to_owned())),
        Body::Reply(_) => Err(ExchangeFailure::Senseless("data that was not asked for".to_owned())),
    }
}
