//! The kernel's announcements of changes to addresses and routes
//! (`rtnetlink(7)`), of which only the heads are read: whoever hears of a
//! change looks for himself.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use libc::{
    RTM_DELROUTE, RTM_NEWROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP,
};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::limits::TOLD_AT_ONCE_MAX;

/// What is listened to. A route that names a next hop by its number changes
/// its gateway without an announcement of its own, so those are among them.
const GROUPS: [libc::c_uint; 5] = [
    RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV4_ROUTE,
    RTNLGRP_IPV6_ROUTE,
    RTNLGRP_NEXTHOP,
];

/// `struct nlmsghdr` (`include/uapi/linux/netlink.h`): `u32` length, `u16`
/// type, ten further bytes.
const HEADER_BYTES: usize = 16;

/// A head and what follows it up to the length of a route's destination. The
/// rest of a longer message is cut off by the kernel.
const BUFFER_BYTES: usize = 64;

/// A socket that is a member of [`GROUPS`].
#[derive(Debug)]
pub(super) struct Routes(OwnedFd);

impl Routes {
    /// Listens from now on.
    ///
    /// # Errors
    /// If there is no socket for us.
    pub(super) fn open() -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Without a protocol: `NETLINK_ROUTE` is number 0.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        let groups = GROUPS.iter().fold(0, |groups, group| groups | 1 << (group - 1));
        bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self(socket))
    }

    /// Whether anything that matters was announced since the last time. Reads
    /// a limited number of announcements; the rest is still there then.
    ///
    /// # Errors
    /// If nothing can be heard any more.
    pub(super) fn told(&self) -> Result<bool, Errno> {
        let mut told = false;
        let mut buffer = [0; BUFFER_BYTES];
        for _ in 0..TOLD_AT_ONCE_MAX {
            match recv(&self.0, &mut buffer, RecvFlags::empty()) {
                Ok((length, _)) => told |= matters(buffer.get(..length).unwrap_or_default()),
                // Some were dropped for want of room, nobody knows which.
                Err(Errno::NOBUFS) => told = true,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }
}

impl AsFd for Routes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether an announcement may be of an own address or of a default route: a
/// host that learns a million other routes is not looked at for each of them.
/// What is not understood may be anything.
fn matters(message: &[u8]) -> bool {
    let kind = message.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    match kind {
        // `struct rtmsg` (`include/uapi/linux/rtnetlink.h`): a byte of family,
        // then the length of the destination.
        Some(RTM_NEWROUTE | RTM_DELROUTE) => {
            message.get(HEADER_BYTES + 1).is_none_or(|&length| length == 0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use libc::RTM_NEWADDR;

    use super::*;

    #[test]
    fn routes_matter_if_they_are_for_every_destination() {
        let message = |kind: u16, length: u8| {
            let mut bytes = [0; 28];
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[17] = length;
            bytes
        };
        assert!(matters(&message(RTM_NEWROUTE, 0)));
        assert!(matters(&message(RTM_DELROUTE, 0)));
        assert!(!matters(&message(RTM_NEWROUTE, 24)));
        assert!(!matters(&message(RTM_DELROUTE, 128)));
        assert!(matters(&message(RTM_NEWADDR, 24)));
        assert!(matters(&message(RTM_NEWROUTE, 24)[..17]));
        assert!(matters(&[]));
    }
}
