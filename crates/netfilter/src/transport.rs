//! The way to the kernel: datagrams out, datagrams in. It knows sockets and
//! their options, nothing of what the datagrams say.

use std::io;
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use rustix::net::sockopt::{self, Timeout};

use crate::limits::{ANSWER_WITHIN, RECEIVE_BYTES, SOCKET_BUFFER_BYTES};
use crate::ready;

/// The way to the kernel and back. When `send` returns, the kernel has done
/// all that was asked, and its answers can be received.
pub trait Transport {
    /// Sends one datagram whole.
    ///
    /// # Errors
    /// After any error nothing of it has reached the kernel.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Replaces the contents of `into` by the next datagram.
    ///
    /// # Errors
    /// `WouldBlock` or `TimedOut` if none arrives in time, `ENOBUFS` if
    /// answers were lost, `InvalidData` if one was too long to be read.
    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()>;

    /// Has so many bytes of memory at hand for what the kernel is asked for
    /// next, so that it need not wait for them in the middle of it. Where
    /// there is no such wait, there is nothing to do.
    ///
    /// # Errors
    /// Those of the system. The kernel can still be asked, and takes longer.
    fn make_ready(&mut self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

    /// Forgets what is on its way: afterwards no answer to an earlier request
    /// arrives, nothing keeps answers from arriving, and no listing of ours
    /// holds a set. Where that is always so, there is nothing to do.
    ///
    /// # Errors
    /// Those of opening a way to the kernel.
    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A `NETLINK_NETFILTER` socket of the network namespace of the thread that
/// opened it, which should be the one that uses it: a reset opens it again. Needs `CAP_NET_ADMIN` when opened and when used.
#[derive(Debug)]
pub struct NetlinkSocket {
    socket: Socket,
    answer_within: Duration,
}

impl NetlinkSocket {
    /// A socket that waits for answers as long as [`ANSWER_WITHIN`].
    ///
    /// # Errors
    /// Those of the system; `EPROTONOSUPPORT` if the kernel has no nfnetlink.
    pub fn open() -> io::Result<Self> {
        Self::open_for(ANSWER_WITHIN)
    }

    /// A socket that waits for answers as long as `answer_within`, not zero.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for(answer_within: Duration) -> io::Result<Self> {
        Ok(Self { socket: connect(answer_within)?, answer_within })
    }
}

/// Opens and prepares a socket. It is connected to the kernel, so that no
/// other process can answer.
fn connect(answer_within: Duration) -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // Errors come without an echo of the request, and with the kernel's words.
    socket.set_cap_ack(true)?;
    socket.set_ext_ack(true)?;
    sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(answer_within))?;
    // Forcing needs the capability in the first user namespace. The system's
    // own limit, and even its default, are enough for what is sent here, so a
    // smaller buffer is no error.
    let _forced = sockopt::set_socket_send_buffer_size_force(&socket, SOCKET_BUFFER_BYTES)
        .or_else(|_| sockopt::set_socket_send_buffer_size(&socket, SOCKET_BUFFER_BYTES));
    let _forced = sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BUFFER_BYTES)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES));
    Ok(socket)
}

impl Transport for NetlinkSocket {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(datagram, 0) {
                Ok(sent) if sent == datagram.len() => return Ok(()),
                Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        loop {
            into.clear();
            into.reserve(RECEIVE_BYTES);
            match self.socket.recv_from(into, libc::MSG_TRUNC) {
                Ok((_, sender)) if sender.port_number() != 0 => {}
                Ok((length, _)) if length > into.len() => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("an answer of {length} bytes is too long"),
                    ));
                }
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn make_ready(&mut self, bytes: usize) -> io::Result<()> {
        ready::touch(bytes)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.socket = connect(self.answer_within)?;
        Ok(())
    }
}
