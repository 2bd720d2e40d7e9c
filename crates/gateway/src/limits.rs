//! The limits on everything, in one table. What can be configured has its range
//! here and its default in the settings.

use std::time::Duration;

/// Connections at the most, on all listeners together. Each takes some
/// kilobytes.
pub(crate) const CONNECTIONS: (u64, u64, u64) = (512, 1, 16_384);
/// One in so many of them is for those who come by TCP, if there are such.
pub(crate) const TCP_PART: usize = 4;
/// How long a connection may be without a whole request, in seconds. More than
/// what web servers keep idle connections for, nginx 60: who closes first should
/// be the one who asks.
pub(crate) const IDLE_SECONDS: (u64, u64, u64) = (75, 1, 3_600);
/// How old what is known of a list may be, in seconds; 0 is any age.
pub(crate) const MAX_AGE_SECONDS: (u64, u64, u64) = (0, 0, 366 * 24 * 3_600);

/// The request line and all headers, in bytes. The least that the library takes.
pub(crate) const HEAD_BYTES_MAX: usize = 8_192;
/// Headers of one request.
pub(crate) const HEADERS_MAX: usize = 64;
/// How long a client may leave an answer unread.
pub(crate) const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
/// Connections that wait to be let in, for each listener.
pub(crate) const QUEUE: i32 = 1_024;
/// After a failed `accept(2)`, which would fail again at once.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests that are being answered may take when all is to end.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// How often the folder is looked at though nothing was told of it.
pub(crate) const LOOK: Duration = Duration::from_secs(2);
/// The same for whoever asks line by line: nobody tells of changes there.
pub(crate) const LINES_LOOK: Duration = Duration::from_millis(500);
/// A line at the most, in bytes; no address has as many.
pub(crate) const LINE_BYTES_MAX: usize = 256;
/// A packed list at the most, in bytes: thirty million prefixes of IPv6.
pub(crate) const LIST_BYTES_MAX: u64 = 512 << 20;
/// The document of the status at the most, in bytes.
pub(crate) const STATUS_BYTES_MAX: u64 = 64 << 20;
/// Lists at the most, as many as a configuration of the daemon may have.
pub(crate) const LISTS_MAX: usize = 1_000;

/// How often the daemon is asked how it is.
pub(crate) const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long an answer of the daemon is waited for.
pub(crate) const CONTROL_TIME_MAX: Duration = Duration::from_secs(5);
/// Requests at a time that take longer than a look-up.
pub(crate) const TURNS: usize = 4;
/// Questions to the daemon at a time, which may hang.
pub(crate) const QUESTIONS: usize = 4;

/// The file of settings at the most, in bytes.
pub(crate) const SETTINGS_BYTES_MAX: u64 = 1 << 20;
/// Addresses to listen on at the most.
pub(crate) const LISTENERS_MAX: usize = 8;
