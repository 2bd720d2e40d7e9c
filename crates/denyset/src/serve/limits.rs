//! Every limit of the control socket, in one table.

use std::time::Duration;

/// A request line, in bytes with its end. The longest holds a feed's name.
pub(super) const REQUEST_BYTES_MAX: usize = 4 * 1024 + 256;
/// A reply, in bytes, as a client takes it: `status` with fifty thousand feeds
/// is 12 MiB.
pub(super) const REPLY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Places that are kept for root and for the daemon's own user.
pub(super) const KEPT_PLACES: usize = 32;
/// Places for all others together.
pub(super) const SHARED_PLACES: usize = 64;
/// Places for one of the others.
pub(super) const PLACES_PER_USER: usize = 16;

/// Addresses, and prefixes, that one answer names.
pub(super) const HITS_MAX: u16 = 512;

/// From connecting to the end of the request line.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether a client that waits for a reply is there.
pub(super) const GLANCE: Duration = Duration::from_millis(250);
/// For the client to take a next part of the reply.
pub(super) const STALL_TIME_MAX: Duration = Duration::from_secs(2);
/// For the client to take the reply.
pub(super) const REPLY_TIME_MAX: Duration = Duration::from_secs(30);

/// Clients that are let in, or turned away, in a second. It bounds what those
/// cost who knock without end; the others wait in the kernel's queue.
pub(super) const KNOCKS_PER_SECOND: u32 = 2_000;
/// Clients that may come at once.
pub(super) const KNOCKS_AT_ONCE: u32 = 64;
/// Clients in the kernel's queue (`listen(2)`). A short one is soon through,
/// and whoever finds it full waits in the order of coming.
pub(super) const QUEUE: i32 = 64;
/// The pause after the system had no descriptor left for a client.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How much of the time of one core the questions of others than root and the
/// daemon's own user may take: one part in so many.
pub(super) const QUESTION_SHARE: u32 = 10;

/// The first pause of a client that was turned away; it doubles.
pub(super) const BUSY_PAUSE_MIN: Duration = Duration::from_millis(10);
/// The longest of them.
pub(super) const BUSY_PAUSE_MAX: Duration = Duration::from_millis(320);
/// How long a client comes back when it is turned away.
pub(super) const BUSY_TIME_MAX: Duration = Duration::from_secs(10);
