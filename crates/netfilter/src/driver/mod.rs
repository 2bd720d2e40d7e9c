//! The real kernel behind the [`reconcile::Kernel`] trait: which messages an
//! observation or an op takes, and what their answers mean. It decides nothing
//! about what should be in the kernel.

mod ahead;
mod around;
mod change;
mod counts;
mod observe;
mod rules;
mod sum;
mod tracked;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use blocklist::Family;
use reconcile::{KernelError, KernelErrorKind, Stage};

use self::sum::Keys;
use crate::nftables::Memory;
use crate::{
    Batch, Exchange, ExchangeFailure, ListingReply, NetlinkSocket, Request, Transport, wire,
};

/// The kernel's ipset, over one transport, used by one thread.
#[derive(Debug)]
pub struct Netfilter<T: Transport = NetlinkSocket> {
    exchange: Exchange<T>,
    batch: Batch,
    revisions: Revisions,
    /// What our rules had counted, by family.
    counted: BTreeMap<Family, Memory>,
    /// By which members are compared as they go by.
    keys: Keys,
    /// Whether somebody waits for what is compared; without it, always.
    hurry: Option<Arc<AtomicBool>>,
}

/// The revision of `hash:net` to create sets with, by family.
#[derive(Clone, Copy, Debug)]
struct Revisions {
    ipv4: u8,
    ipv6: u8,
}

impl Netfilter {
    /// Opens a socket in this thread's network namespace, and agrees with the
    /// kernel on versions.
    ///
    /// # Errors
    /// `Denied` without `CAP_NET_ADMIN`, `Unsupported` if the kernel has no
    /// ipset, not the protocol or not the revision that is needed.
    pub fn open() -> Result<Self, KernelError> {
        let socket = NetlinkSocket::open()
            .map_err(|error| ExchangeFailure::Unsent(error).error(Stage::Connect, None, None))?;
        Self::over(socket)
    }
}

impl<T: Transport> Netfilter<T> {
    /// Agrees on versions with the kernel behind this transport.
    ///
    /// # Errors
    /// As [`Netfilter::open`], and `Unknown` if it does not answer.
    pub fn over(transport: T) -> Result<Self, KernelError> {
        let mut exchange = Exchange::new(transport);
        let connect = |failure: ExchangeFailure| failure.error(Stage::Connect, None, None);
        match exchange.ask(&Request::Protocol).map_err(connect)? {
            ListingReply::Protocol { max, min } if (min..=max).contains(&wire::PROTOCOL) => {}
            ListingReply::Protocol { max, min } => {
                let needed = wire::PROTOCOL;
                return Err(unsupported(format!(
                    "protocol {needed} is needed, and it has {min} to {max}"
                )));
            }
            reply => return Err(unsupported(format!("no protocol in its answer, {reply:?}"))),
        }
        let mut revision = |family| match exchange.ask(&Request::Type(family)).map_err(connect)? {
            // Only a set of the highest revision shows the INITVAL by which we
            // know our own. A revision above the one we know adds attributes,
            // of which we send none.
            ListingReply::Type { max, .. } if max >= wire::REVISION_MIN => Ok(max),
            ListingReply::Type { max, .. } => Err(unsupported(format!(
                "{} for {family} must have revision {}, which Linux 5.11 brought, and has {max}",
                wire::TYPE_NAME,
                wire::REVISION_MIN
            ))),
            reply => Err(unsupported(format!(
                "it was asked for {}, and answers {reply:?}",
                wire::TYPE_NAME
            ))),
        };
        let revisions = Revisions { ipv4: revision(Family::Ipv4)?, ipv6: revision(Family::Ipv6)? };
        let (batch, counted, keys) = (Batch::default(), BTreeMap::new(), Keys::random());
        Ok(Self { exchange, batch, revisions, counted, keys, hurry: None })
    }

    /// As long as `hurry` says that nobody waits, members that are compared take half
    /// of a processor's time, in pieces of less than a millisecond. Without it
    /// somebody always waits.
    pub fn take_time(&mut self, hurry: Option<Arc<AtomicBool>>) {
        self.hurry = hurry;
    }

    fn revision(&self, family: Family) -> u8 {
        match family {
            Family::Ipv4 => self.revisions.ipv4,
            Family::Ipv6 => self.revisions.ipv6,
        }
    }
}

fn unsupported(detail: String) -> KernelError {
    let kind = KernelErrorKind::Unsupported;
    KernelError { stage: Stage::Connect, object: None, kind, member: None, detail }
}
