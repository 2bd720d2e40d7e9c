//! Listening to a group of NFLOG: one socket, that nothing else is asked on.
//! What the kernel could not deliver is counted by the gaps in its numbers.

use std::io;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::nflog::{
    ConfigCmd, ConfigFlags, ConfigMode, ConfigNla, Timeout, config_request,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterProtoFamily};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use rustix::net::sockopt;

use super::packet::{ShownPacket, shown};
use crate::limits::{GLANCE, RECEIVE_BYTES, SHOWN_BYTES, SHOWN_WITHIN, SOCKET_BUFFER_BYTES};

/// Somebody who listens to a group, the only one in its network namespace.
/// The group is free again when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    inbox: Vec<u8>,
    numbers: Numbers,
}

/// What came of listening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing for a while.
    Nothing,
    /// Packets, and so many messages that could not be read.
    Packets {
        /// Messages that could not be read.
        unreadable: usize,
    },
    /// The kernel had more to show than fits into our buffer (`ENOBUFS`). How
    /// much was lost the next number tells.
    Overrun,
}

/// Why a group cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// There is one listener for each group, and to others the kernel says
    /// `EPERM`, as it does if `CAP_NET_ADMIN` is missing.
    #[error(
        "another program listens to group {0} of NFLOG: end it, or choose another \
         kernel.nflog-group; or CAP_NET_ADMIN is missing"
    )]
    Taken(u16),
    /// nfnetlink says so of a subsystem that it does not have (`EINVAL`).
    #[error("this kernel has no NFLOG, CONFIG_NETFILTER_NETLINK_LOG (nfnetlink_log) is needed")]
    Unsupported,
    /// Anything else.
    #[error("cannot listen to NFLOG: {0}")]
    System(#[from] io::Error),
}

impl Listener {
    /// Listens to a group in this thread's network namespace.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn open(group: u16) -> Result<Self, ListenError> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        let timeout = sockopt::Timeout::Recv;
        sockopt::set_socket_timeout(&socket, timeout, Some(GLANCE)).map_err(io::Error::from)?;
        // As for the other sockets, a smaller buffer is no error.
        let _forced = sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BUFFER_BYTES)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES));
        let mut listener =
            Self { socket, inbox: Vec::with_capacity(RECEIVE_BYTES), numbers: Numbers::default() };
        listener.bind(group)?;
        Ok(listener)
    }

    fn bind(&mut self, group: u16) -> Result<(), ListenError> {
        let wishes: Vec<ConfigNla> = vec![
            ConfigCmd::Bind.into(),
            ConfigMode::new_packet(SHOWN_BYTES).into(),
            Timeout::from(SHOWN_WITHIN).into(),
            ConfigFlags::SEQ.into(),
        ];
        let message = config_request(NetfilterProtoFamily::Unspec, group, wishes);
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        self.receive()?;
        // Nothing else comes before the answer: nobody listened so far.
        let answer = NetlinkMessage::<NetfilterMessage>::deserialize(&self.inbox)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        let code = match answer.payload {
            NetlinkPayload::Error(answer) => answer.code,
            other => return Err(io::Error::other(format!("it answers {other:?}")).into()),
        };
        match code.map(|code| code.get().saturating_abs()) {
            None => Ok(()),
            Some(libc::EPERM | libc::EBUSY) => Err(ListenError::Taken(group)),
            Some(libc::EINVAL) => Err(ListenError::Unsupported),
            Some(code) => Err(io::Error::from_raw_os_error(code).into()),
        }
    }

    /// Waits for the next datagram, for a second at the most, and hands over
    /// what it shows.
    ///
    /// # Errors
    /// Those of the system, after which nothing more will be heard.
    pub fn hear(&mut self, mut each: impl FnMut(ShownPacket)) -> io::Result<Heard> {
        match self.receive() {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                return Ok(Heard::Overrun);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock) => {
                return Ok(Heard::Nothing);
            }
            Err(error) => return Err(error),
        }
        let mut unreadable = 0;
        for shown in shown(&self.inbox) {
            match shown {
                Ok(shown) => {
                    self.numbers.come(shown.sequence);
                    each(shown);
                }
                Err(_) => unreadable += 1,
            }
        }
        Ok(Heard::Packets { unreadable })
    }

    /// How many packets the kernel has shown that never came.
    pub fn lost(&self) -> u64 {
        self.numbers.lost
    }

    /// Replaces the contents of the inbox by the next datagram of the kernel.
    fn receive(&mut self) -> io::Result<()> {
        loop {
            self.inbox.clear();
            match self.socket.recv_from(&mut self.inbox, 0) {
                Ok((_, sender)) if sender.port_number() != 0 => {}
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The numbers that packets come with: from 0, each one more than the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers {
    next: u32,
    lost: u64,
}

impl Numbers {
    fn come(&mut self, sequence: Option<u32>) {
        let Some(sequence) = sequence else { return };
        let gap = sequence.wrapping_sub(self.next);
        // What seems to be behind is: it was counted as lost, or never there.
        if gap <= u32::MAX / 2 {
            self.lost += u64::from(gap);
            self.next = sequence.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: u32, sequences: &[u32], lost: u64) {
        let mut numbers = Numbers { next: first, lost: 0 };
        for &sequence in sequences {
            numbers.come(Some(sequence));
        }
        numbers.come(None);
        assert_eq!(numbers.lost, lost, "{first} {sequences:?}");
    }

    #[test]
    fn gaps_in_the_numbers_are_lost_packets() {
        check(0, &[], 0);
        check(0, &[0, 1, 2], 0);
        check(0, &[2, 3, 9], 2 + 5);
        check(u32::MAX, &[u32::MAX, 0, 2], 1);
        check(5, &[5, 4, 6], 0);
    }
}
