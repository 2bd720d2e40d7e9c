//! Free memory of the kernel that is really there when the kernel needs it with
//! a lock held. It knows nothing of what the memory is for.
//!
//! A new table is allocated, and zeroed, with the one lock of all of ipset held.
//! In a virtual machine whose host takes free pages back (free page reporting of
//! a balloon, `mm/page_reporting.c`), each block of such pages must then be given
//! again at its first touch: for 16 MiB everybody else waits 10 to 70 ms, and
//! otherwise one (Linux 6.18).
//!
//! So blocks of the same kind and size are allocated before, filled and freed,
//! while nobody waits: messages that a socket sends to itself. The kernel keeps a
//! message in one piece (`netlink_alloc_large_skb` in `net/netlink/af_netlink.c`),
//! which at this length is one block as a large table consists of (`PMD_SIZE`,
//! `__vmalloc_node_range` in `mm/vmalloc.c`), and what was freed last is taken
//! first. They are of a protocol that is for programs alone, so that no part of the
//! kernel reads them, and the socket is connected to itself, so that nobody else's
//! come between.

use std::io::{self, IoSlice};

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_USERSOCK};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg, sockopt};

use crate::limits::READY_BYTES_MAX;

/// Bytes of a block: `PMD_SIZE` where pages have 4 KiB.
const BLOCK_BYTES: usize = 2 << 20;
/// What a message repeats, so that none of our own memory is touched.
const NOTHING: [u8; 4 << 10] = [0; 4 << 10];
/// How often: the kernel puts less than one more behind it (`SKB_HEAD_ALIGN`),
/// and rounds up to the block.
const REPEATS: usize = BLOCK_BYTES / NOTHING.len() - 1;
/// Blocks beyond those asked for: the table's header begins another one, and
/// somebody else may take one.
const SPARE: usize = 2;

/// Has so many bytes for a moment, [`READY_BYTES_MAX`] at the most, and two blocks
/// more. It is less than what the set takes when it is filled.
///
/// # Errors
/// `EPERM` without `CAP_NET_ADMIN` in the first user namespace, which buffers so
/// large need; others if there is no memory. What was had until then is ready.
pub(crate) fn touch(bytes: usize) -> io::Result<()> {
    let blocks = bytes.min(READY_BYTES_MAX).div_ceil(BLOCK_BYTES) + SPARE;
    let mut socket = Socket::new(NETLINK_USERSOCK)?;
    let own = socket.bind_auto()?;
    socket.connect(&SocketAddr::new(own.port_number(), 0))?;
    sockopt::set_socket_send_buffer_size_force(&socket, BLOCK_BYTES)?;
    sockopt::set_socket_recv_buffer_size_force(&socket, blocks * BLOCK_BYTES)?;
    let outcome = (0..blocks).try_for_each(|_| send(&socket));
    // Received, they are freed at once; closing the socket would free them later.
    while received(&socket)? {}
    outcome
}

/// Sends one block, or fails where it would have to wait.
fn send(socket: &Socket) -> io::Result<()> {
    let parts = [IoSlice::new(&NOTHING); REPEATS];
    sendmsg(socket, &parts, &mut SendAncillaryBuffer::default(), SendFlags::DONTWAIT)?;
    Ok(())
}

/// Receives one block, of which nothing is read; `false` if there is none.
fn received(socket: &Socket) -> io::Result<bool> {
    match recv(socket, &mut [0; 1], RecvFlags::DONTWAIT) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
