//! Every limit of this crate, in one table. What is not limited here is
//! limited by the kernel or by [`reconcile::CHUNK_MAX`].

use std::time::Duration;

/// How long to wait for an answer. The kernel does all work inside `send`, so
/// an answer is there when `send` returns; whatever takes longer is lost.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of the buffer that receives. A part of a dump has at most 32 KiB, the
/// echo of a refused batch at most 64 KiB.
pub const RECEIVE_BYTES: usize = 128 << 10;

/// Bytes asked for as the socket's send and receive buffers (the kernel
/// doubles them). The kernel's default, 208 KiB, is enough for all that is
/// sent here; the rest is headroom.
pub const SOCKET_BUFFER_BYTES: usize = 1 << 20;

/// Tests in one `send`. Each miss is answered, an answer takes 832 bytes of
/// the receive buffer, and the default one holds 256 of them.
pub const TESTS_PER_SEND: usize = 200;

/// Datagrams in a row that may answer something else before the exchange
/// gives up on its own answer.
pub const STALE_MAX: usize = 4_096;

/// Fewer members than this are written as they come: there is little to win,
/// and a small change should begin at once.
pub const ORDERED_MIN: usize = 4_096;

/// Messages in a row from which on they are made on another processor while the
/// kernel works: with fewer the thread is not worth its beginning.
pub const AHEAD_MIN: usize = 16;

/// Messages that are made before any of them is handed over: every time somebody
/// has to be woken.
pub const AHEAD_AT_ONCE: usize = 8;

/// Buckets that are filled together. With what is in them they fit into a
/// processor's second cache: about half a mebibyte.
pub const GROUP_BUCKETS: u32 = 4_096;

/// Groups of buckets at the most, for the largest tables: each is a place to
/// which the ordering writes.
pub const GROUPS_MAX: u32 = 1 << 12;

/// Bytes of a table from which on memory is made ready for it: where free pages
/// must be given by a host, all of ipset waits about 10 ms for so many.
pub const READY_BYTES_MIN: usize = 4 << 20;

/// Bytes of memory that is made ready at the most: the table of some fifty million
/// members.
pub const READY_BYTES_MAX: usize = 512 << 20;

/// The largest value of an attribute's length field, `nla_len` being a `u16`.
pub const ATTRIBUTE_BYTES_MAX: usize = u16::MAX as usize;

/// How often a transaction is begun anew because somebody else changed rules
/// between the look and the change.
pub const TRANSACTION_ATTEMPTS: usize = 16;

/// How often, and after which pause each, it is looked whether the kernel has
/// let go of a set that a removed rule asked.
pub const RELEASE_LOOKS: usize = 25;
/// See [`RELEASE_LOOKS`].
pub const RELEASE_PAUSE: Duration = Duration::from_millis(10);

/// How much of a packet is shown: the addresses in IPv6's header (RFC 8200),
/// which is the longer one.
pub const SHOWN_BYTES: u32 = 40;
/// How long the kernel gathers packets before it shows them.
pub const SHOWN_WITHIN: Duration = Duration::from_millis(200);
/// How long to wait for packets that are shown before looking around.
pub const GLANCE: Duration = Duration::from_secs(1);

/// Rules of the kernel in one transaction; one of ours may take several. All
/// of them go into one `send`, and a rule takes less than 700 bytes.
pub const TABLE_RULES_MAX: usize = 1_024;

/// What is told of changes of rules, read in a row.
pub(crate) const TOLD_AT_ONCE_MAX: usize = 1_024;
