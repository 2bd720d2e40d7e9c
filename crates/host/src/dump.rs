//! One question over netlink and its whole answer (`netlink(7)`, *dump*), and
//! what attributes hold. What is asked for is not known here.

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;

use neli::consts::nl::{NlmF, Nlmsg};
use neli::consts::rtnl::Rtm;
use neli::consts::socket::NlFamily;
use neli::err::SocketError;
use neli::nl::{NlPayload, Nlmsghdr, NlmsghdrBuilder};
use neli::socket::synchronous::NlSocketHandle;
use neli::utils::Groups;
use neli::{FromBytesWithInput, Size, ToBytes};

use crate::limits::DUMPS_MAX;

/// A socket that asks, and reads each answer in the thread that asked.
///
/// Never with a thread of its own that reads, as neli's router has it: the
/// kernel makes the first part of an answer while the question is sent, and
/// whoever reads that part before the sender is done has `EINVAL` in place of
/// the rest now and then (`netlink_recvmsg` looks at `cb_running` without the
/// lock that `netlink_dump` takes, `net/netlink/af_netlink.c`).
pub(crate) struct DumpSocket {
    socket: NlSocketHandle,
    sequence: u32,
}

impl DumpSocket {
    /// In the network namespace of the calling thread.
    pub(crate) fn connect(family: NlFamily) -> io::Result<Self> {
        let socket = NlSocketHandle::connect(family, None, Groups::empty()).map_err(system)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// What a question says beyond its header narrows the answer, or is refused
    /// with a reason in words.
    pub(crate) fn strictly(self) -> io::Result<Self> {
        self.socket
            .enable_ext_ack(true)
            .and_then(|()| self.socket.enable_strict_checking(true))
            .map_err(system)?;
        Ok(self)
    }

    /// What `read` finds in the answers to a question. Asked again when
    /// something changed while it was answered, since then an answer may be
    /// missing (`NLM_F_DUMP_INTR`, `include/uapi/linux/netlink.h`).
    pub(crate) fn dump<P, T>(
        &mut self,
        kind: Rtm,
        question: &P,
        read: impl Fn(&P, &mut Vec<T>),
    ) -> io::Result<Vec<T>>
    where
        P: Clone + std::fmt::Debug + Size + ToBytes + FromBytesWithInput<Input = usize>,
    {
        for _ in 0..DUMPS_MAX {
            self.ask(kind, question.clone())?;
            let (mut found, mut torn) = (Vec::new(), false);
            while self.part(&mut torn, |message| read(message, &mut found))?.is_continue() {}
            if !torn {
                return Ok(found);
            }
        }
        Err(io::Error::other("they change faster than they can be read"))
    }

    fn ask<P>(&mut self, kind: Rtm, question: P) -> io::Result<()>
    where
        P: std::fmt::Debug + Size + ToBytes,
    {
        self.sequence = self.sequence.wrapping_add(1);
        let message = NlmsghdrBuilder::default()
            .nl_type(kind)
            .nl_flags(NlmF::DUMP | NlmF::REQUEST)
            .nl_pid(self.socket.pid())
            .nl_seq(self.sequence)
            .nl_payload(NlPayload::Payload(question))
            .build()
            .map_err(io::Error::other)?;
        self.socket.send(&message).map_err(system)
    }

    /// Reads what the kernel has put into one buffer, and says whether more of
    /// the answer comes. What is left of an answer that failed is passed over.
    fn part<P>(&self, torn: &mut bool, mut read: impl FnMut(&P)) -> io::Result<ControlFlow<()>>
    where
        P: std::fmt::Debug + Size + FromBytesWithInput<Input = usize>,
    {
        let messages = loop {
            match self.socket.recv::<Rtm, P>().map_err(system) {
                Ok((messages, _)) => break messages,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        for message in messages {
            let message = message.map_err(system)?;
            if *message.nl_seq() != self.sequence {
                continue;
            }
            *torn |= message.nl_flags().contains(NlmF::DUMP_INTR);
            if let NlPayload::Payload(payload) = message.nl_payload() {
                read(payload);
            } else if ended(&message)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Whether a message without an answer in it ends the answers. The kernel may
/// also give up half way, which its last message says (`netlink_dump_done`,
/// `net/netlink/af_netlink.c`).
fn ended<P: Size>(message: &Nlmsghdr<Rtm, P>) -> io::Result<ControlFlow<()>> {
    let code = match message.nl_payload() {
        NlPayload::DumpExtAck(end) => *end.error(),
        NlPayload::Err(refusal) => *refusal.error(),
        _ => 0,
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.saturating_neg()));
    }
    Ok(if u16::from(*message.nl_type()) == u16::from(Nlmsg::Done) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    })
}

/// The system's own error where it is one.
fn system(error: SocketError) -> io::Error {
    match error {
        SocketError::Io(error) => error
            .raw_os_error()
            .map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error),
        other => io::Error::other(other.to_string()),
    }
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
