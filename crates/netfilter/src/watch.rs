//! Hears from the kernel that somebody changed rules, and says whether it was
//! in our table: whoever hears of it looks for himself. It has a socket of its
//! own, of the network namespace of the thread that opened it, and sends
//! nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use reconcile::SetPrefix;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netlink::{NETFILTER, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with, sockopt,
};

use crate::limits::{RECEIVE_BYTES, SOCKET_BUFFER_BYTES, TOLD_AT_ONCE_MAX};
use crate::nftables::{concerns, table_name};

/// `NFNLGRP_NFTABLES` (`include/uapi/linux/netfilter/nfnetlink.h`).
const GROUP: u32 = 7;

/// Hears of every change of rules in a namespace.
#[derive(Debug)]
pub struct RulesWatch {
    socket: OwnedFd,
    table: String,
    buffer: Vec<u8>,
}

impl RulesWatch {
    /// Listens from now on, for the table of the writer with this prefix.
    ///
    /// # Errors
    /// Those of the system; `EPERM` without `CAP_NET_ADMIN`.
    pub fn open(prefix: &SetPrefix) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(NETFILTER))?;
        // A large change of somebody else's overruns a small buffer, which
        // only costs a look.
        let _forced = sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BUFFER_BYTES)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES));
        bind(&socket, &SocketAddrNetlink::new(0, 1 << (GROUP - 1)))?;
        let buffer = vec![0; RECEIVE_BYTES];
        Ok(Self { socket, table: table_name(prefix).to_owned(), buffer })
    }

    /// Waits until something was done to our table, and returns `true`;
    /// `false` if nothing was for as long as there is patience. Our own
    /// changes are told as well: they cost a look that finds nothing to do.
    ///
    /// # Errors
    /// If nothing can be heard any more.
    pub fn wait(&mut self, patience: Duration) -> io::Result<bool> {
        let end = Instant::now() + patience;
        loop {
            if self.told()? {
                return Ok(true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let left = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], left.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether anything that is there to be heard concerns our table.
    fn told(&mut self) -> io::Result<bool> {
        let mut told = false;
        for _ in 0..TOLD_AT_ONCE_MAX {
            match recv(&self.socket, &mut self.buffer[..], RecvFlags::TRUNC) {
                Ok((_, length)) if length > self.buffer.len() => told = true,
                Ok((_, length)) => told |= concerns(&self.buffer[..length], &self.table),
                // Some were dropped for want of room, nobody knows which.
                Err(Errno::NOBUFS) => told = true,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(told)
    }
}
