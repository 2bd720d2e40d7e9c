//! A datagram from the kernel, taken apart into answers. It knows the framing
//! of netlink and where ipset puts the number of an entry that failed; whose
//! answer it is, and what follows from it, is decided elsewhere.

use netlink_packet_core::{
    DecodeError, ErrorMessage, NLMSG_ALIGNTO, NetlinkBuffer, NetlinkMessage, NetlinkPayload,
};

use crate::reply::{ListingReply, for_each};
use crate::wire::{SUBSYSTEM, message};

/// Bytes of `struct nlmsghdr` and `struct nfgenmsg`.
const HEADERS_BYTES: usize = 20;

/// One message of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelMessage {
    /// The sequence number of the request that this answers.
    pub sequence: u32,
    /// What it says.
    pub body: Body,
}

/// What a message of the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// It is done.
    Acknowledged,
    /// It is not done.
    Failed {
        /// An `errno` or one of [`crate::wire::code`].
        code: u16,
        /// The number of the entry that failed, counted from 1, if the
        /// request was a batch with numbered entries.
        number: Option<u32>,
    },
    /// A listing is at its end.
    Done {
        /// 0, or an `errno`.
        code: u16,
    },
    /// Data.
    Reply(ListingReply),
    /// A message that says nothing (`NLMSG_NOOP`).
    Nothing,
}

/// The answers in a datagram, in order. Ends after the first error.
///
/// Never panics, whatever the bytes.
pub fn answers(datagram: &[u8]) -> impl Iterator<Item = Result<KernelMessage, DecodeError>> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let taken = take(rest);
        rest = taken.as_ref().map_or(&[], |&(_, length)| rest.get(length..).unwrap_or(&[]));
        Some(taken.map(|(answer, _)| answer))
    })
}

/// The first answer and how many bytes it takes, padding included.
fn take(bytes: &[u8]) -> Result<(KernelMessage, usize), DecodeError> {
    let frame = NetlinkBuffer::new_checked(bytes)?;
    let length = (frame.length() as usize).next_multiple_of(usize::from(NLMSG_ALIGNTO));
    let (header, payload) = NetlinkMessage::<ListingReply>::deserialize(bytes)?.into_parts();
    let body = match payload {
        NetlinkPayload::Error(error) => failure(&error),
        NetlinkPayload::Done(done) => Body::Done { code: magnitude(done.code) },
        NetlinkPayload::InnerMessage(reply) => Body::Reply(reply),
        NetlinkPayload::Noop => Body::Nothing,
        _ => return Err(DecodeError::from("the kernel says that it lost data")),
    };
    Ok((KernelMessage { sequence: header.sequence_number, body }, length))
}

fn failure(error: &ErrorMessage) -> Body {
    match magnitude(error.raw_code()) {
        0 => Body::Acknowledged,
        code => Body::Failed { code, number: number(&error.header) },
    }
}

/// Errors come negative. No code is above `u16`.
fn magnitude(code: i32) -> u16 {
    u16::try_from(code.unsigned_abs()).unwrap_or(u16::MAX)
}

/// The number of the failed entry: the kernel echoes the whole request, even
/// where it was asked for short acknowledgements, and writes the number into
/// the request's own `LINENO` (`call_ad` in `net/netfilter/ipset/ip_set_core.c`).
/// A short one ends after the header of the request.
fn number(echo: &[u8]) -> Option<u32> {
    let request = NetlinkBuffer::new(echo);
    if echo.len() < HEADERS_BYTES || request.message_type() >> 8 != u16::from(SUBSYSTEM) {
        return None;
    }
    let mut number = None;
    // What follows the number may be cut off, which does not matter here.
    let _cut_off = for_each(&echo[HEADERS_BYTES..], |kind, value| {
        if let (message::LINENO, Ok(bytes)) = (kind, value.try_into()) {
            number = Some(u32::from_ne_bytes(bytes)).filter(|&number| number > 0);
        }
        Ok(())
    });
    number
}
