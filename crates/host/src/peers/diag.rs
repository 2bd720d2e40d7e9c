//! Sockets as the kernel lists them (`sock_diag(7)`, `include/uapi/linux/inet_diag.h`):
//! the question, and what of an answer is wanted. Which ports matter is not
//! known here.

use std::io;
use std::net::IpAddr;

use neli::consts::rtnl::Rtm;
use neli::consts::socket::NlFamily;
use neli::types::Buffer;
use netlink_packet_core::{Emitable as _, NlasIterator, Parseable as _};
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags,
};
use netlink_packet_sock_diag::{SOCK_DIAG_BY_FAMILY, SockDiagMessage};

use super::PeersError;
use crate::dump::DumpSocket;

/// `struct inet_diag_msg`, before its attributes.
const HEADER_BYTES: usize = 72;

/// `INET_DIAG_CGROUP_ID`, since Linux 5.9.
const CGROUP: u16 = 21;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiagQuestion {
    /// Every socket that listens.
    Listening,
    /// The connections to this port.
    Connected { port: u16 },
}

/// A TCP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// The port on this host.
    pub local_port: u16,
    /// The other end, unspecified if there is none. An IPv4 address is in its
    /// own form, also on a socket of both families.
    pub remote: IpAddr,
    /// The kernel's number of the socket.
    pub cookie: u64,
    /// The number by which a process that has it names it (`/proc/PID/fd`).
    pub inode: u32,
    /// The number of the control group that it was made in, if there is one.
    pub cgroup: Option<u64>,
}

impl TcpSocket {
    /// The socket that an answer of the kernel is about. `None` if the bytes are
    /// no such answer.
    pub fn decode(message: &[u8]) -> Option<Self> {
        let (header, attributes) = message.split_at_checked(HEADER_BYTES)?;
        let header = InetResponseHeader::parse(header).ok()?;
        let SocketId { source_port, destination_address, cookie, .. } = header.socket_id;
        let attributes = NlasIterator::new(attributes).flatten();
        let group = attributes.filter(|attribute| attribute.kind() == CGROUP).last();
        let number = group.and_then(|group| group.value().first_chunk().copied());
        Some(Self {
            local_port: source_port,
            remote: destination_address.to_canonical(),
            cookie: u64::from_ne_bytes(cookie),
            inode: header.inode,
            cgroup: number.map(u64::from_ne_bytes),
        })
    }
}

/// The sockets of both families that answer a question.
pub(super) fn sockets(question: DiagQuestion) -> Result<Vec<TcpSocket>, PeersError> {
    let failed = |error: io::Error| PeersError(error.to_string());
    let mut socket = DumpSocket::connect(NlFamily::SockOrInetDiag).map_err(failed)?;
    let mut sockets = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let bytes = Buffer::from(request(question, family));
        // Types of messages are numbers of each family of netlink.
        let kind = Rtm::from(SOCK_DIAG_BY_FAMILY);
        let found = socket.dump(kind, &bytes, |message: &Buffer, found| {
            found.extend(TcpSocket::decode(message.as_ref()));
        });
        sockets.extend(found.map_err(failed)?);
    }
    Ok(sockets)
}

/// A port in the question is one that every answer has
/// (`inet_diag_dump_icsk`, `net/ipv4/inet_diag.c`).
fn request(question: DiagQuestion, family: u8) -> Vec<u8> {
    let mut socket_id = if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() };
    let states = match question {
        DiagQuestion::Listening => StateFlags::LISTEN,
        DiagQuestion::Connected { port } => {
            socket_id.source_port = port;
            StateFlags::ESTABLISHED
        }
    };
    let message = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states,
        socket_id,
    });
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct inet_diag_msg` of an established socket at port 22, with this
    /// other end, and attributes behind it.
    fn message(family: u8, remote: &[u8], attributes: &[u8]) -> Vec<u8> {
        let mut bytes = vec![family, 1, 0, 0, 0, 22, 0xd4, 0x31];
        bytes.extend([0; 16]);
        bytes.extend(remote);
        bytes.resize(44, 0);
        bytes.extend(7_u64.to_ne_bytes());
        bytes.extend([0; 16]);
        bytes.extend(4_711_u32.to_ne_bytes());
        bytes.extend(attributes);
        bytes
    }

    /// An attribute of a number of 64 bits.
    fn attribute(kind: u16, value: u64) -> Vec<u8> {
        [&12_u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &value.to_ne_bytes()].concat()
    }

    fn check(bytes: &[u8], remote: &str, cgroup: Option<u64>) {
        let want = TcpSocket {
            local_port: 22,
            remote: remote.parse().expect("an address"),
            cookie: 7,
            inode: 4_711,
            cgroup,
        };
        assert_eq!(TcpSocket::decode(bytes), Some(want));
    }

    #[test]
    fn a_connection_is_read_in_each_form_of_an_address() {
        let v6: std::net::Ipv6Addr = "2001:db8::7".parse().expect("an address");
        let mapped: std::net::Ipv6Addr = "::ffff:192.0.2.7".parse().expect("an address");
        check(&message(AF_INET, &[192, 0, 2, 7], &[]), "192.0.2.7", None);
        check(&message(AF_INET6, &v6.octets(), &[]), "2001:db8::7", None);
        check(&message(AF_INET6, &mapped.octets(), &[]), "192.0.2.7", None);
    }

    #[test]
    fn a_control_group_is_found_among_other_attributes() {
        let attributes = [attribute(8, 1), attribute(CGROUP, 99), attribute(15, 2)].concat();
        check(&message(AF_INET, &[192, 0, 2, 7], &attributes), "192.0.2.7", Some(99));
        check(&message(AF_INET, &[192, 0, 2, 7], &attributes[..7]), "192.0.2.7", None);
    }

    #[test]
    fn what_is_cut_off_or_of_another_family_is_no_socket() {
        let whole = message(AF_INET, &[192, 0, 2, 7], &[]);
        for end in 0..whole.len() {
            assert_eq!(TcpSocket::decode(&whole[..end]), None, "{end}");
        }
        assert_eq!(TcpSocket::decode(&message(1, &[0; 4], &[])), None);
    }
}
