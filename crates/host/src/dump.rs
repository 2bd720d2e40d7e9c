//! One question over netlink and its whole answer (`netlink(7)`, *dump*), and
//! what attributes hold. What is asked for is not known here.

use std::fmt::Display;
use std::io;
use std::net::IpAddr;

use neli::consts::nl::NlmF;
use neli::consts::rtnl::Rtm;
use neli::nl::NlPayload;
use neli::router::synchronous::NlRouter;
use neli::{FromBytesWithInput, Size, ToBytes};

use crate::limits::DUMPS_MAX;

/// What `read` finds in the answers to a question. Asked again when something
/// changed while it was answered, since then an answer may be missing
/// (`NLM_F_DUMP_INTR`, `include/uapi/linux/netlink.h`).
pub(crate) fn dump<P, T, E>(
    router: &NlRouter,
    failed: impl Fn(&dyn Display) -> E,
    kind: Rtm,
    question: &P,
    read: impl Fn(&P, &mut Vec<T>),
) -> Result<Vec<T>, E>
where
    P: Clone + Size + ToBytes + FromBytesWithInput<Input = usize>,
{
    for _ in 0..DUMPS_MAX {
        let answers = router
            .send::<_, _, Rtm, P>(kind, NlmF::DUMP, NlPayload::Payload(question.clone()))
            .map_err(|error| failed(&error))?;
        let (mut found, mut torn) = (Vec::new(), false);
        for answer in answers {
            let answer = answer.map_err(|error| failed(&error))?;
            torn |= answer.nl_flags().contains(NlmF::DUMP_INTR);
            match answer.nl_payload() {
                NlPayload::Payload(message) => read(message, &mut found),
                // The kernel gave up half way (`netlink_dump_done`,
                // `net/netlink/af_netlink.c`).
                NlPayload::DumpExtAck(end) if *end.error() != 0 => {
                    return Err(failed(&io::Error::from_raw_os_error(
                        end.error().saturating_neg(),
                    )));
                }
                _ => {}
            }
        }
        if !torn {
            return Ok(found);
        }
    }
    Err(failed(&"they change faster than they can be read"))
}

/// The address that is all of an attribute.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The number at the beginning of an attribute.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_ne_bytes)
}
