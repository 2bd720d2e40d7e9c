//! Every limit of this crate, in one table.

use std::time::Duration;

/// How often addresses and routes are read again because they changed while
/// they were read.
pub(crate) const DUMPS_MAX: usize = 8;

/// Bytes of one file that names resolvers. glibc takes three resolvers from
/// it, others some dozens.
pub(crate) const FILE_BYTES_MAX: u64 = 64 << 10;

/// Files in one folder of records, one for each interface and the program
/// that configured it.
pub(crate) const RECORDS_MAX: usize = 256;

/// Links that are followed from one file to the next.
pub(crate) const LINKS_MAX: usize = 8;

/// Announcements, and events of files, that are read in a row.
pub(crate) const TOLD_AT_ONCE_MAX: usize = 1_024;

/// Quiet time after the last thing that was told.
pub(crate) const SETTLE: Duration = Duration::from_millis(50);

/// How long to wait for quiet.
pub(crate) const SETTLE_MAX: Duration = Duration::from_millis(250);

/// How often to look when nothing is told.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The same while something cannot be read or is not watched.
pub(crate) const LOOK_EVERY_UNWATCHED: Duration = Duration::from_secs(5);

/// How much longer than a look took there is no other.
pub(crate) const REST_PER_LOOK: u32 = 4;

/// The longest such rest.
pub(crate) const REST_MAX: Duration = Duration::from_secs(10);

/// Connections to the ports of SSH that are looked at. A server that lets more
/// in at once is not administered by all of them.
pub(crate) const PEERS_MAX: usize = 1_024;

/// Ports of SSH.
pub(crate) const PORTS_MAX: usize = 16;

/// Processes that are looked at for being a server of SSH.
pub(crate) const PROCESSES_MAX: usize = 65_536;
