//! The numbers of a feed, small enough to be kept beside its last good copy, and
//! the rejects that go into logs and answers.

use crate::RejectReason;

/// How many entries a feed had, and what became of its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries as written: [`Self::ipv4`] and [`Self::ipv6`] together.
    pub entries: u64,
    /// Entries that name IPv4 addresses, repetitions included.
    pub ipv4: u64,
    /// Entries that name IPv6 addresses, repetitions included.
    pub ipv6: u64,
    /// Entries that mean exactly the addresses of an earlier one, however
    /// either was written. Those with a remaining life time are compared among
    /// themselves.
    pub duplicates: u64,
    /// Lines that are neither entries nor comments nor blank.
    pub rejected: u64,
    /// Entries whose host bits were cleared.
    pub masked: u64,
    /// Entries that are not for ever, among [`Self::entries`].
    pub expiring: u64,
    /// What the feed says is not to be blocked. Not among [`Self::entries`].
    pub exceptions: u64,
    /// What the format defines and is neither entry nor comment: headers,
    /// records of other kinds, rules that do not block.
    pub ignored: u64,
    /// What the feed says about itself.
    pub promised: Option<Promise>,
}

/// What a header or trailer of a feed says should be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How many entries, as written.
    pub entries: u64,
}

impl Tally {
    /// Entries without the repetitions.
    pub fn distinct(&self) -> u64 {
        self.entries.saturating_sub(self.duplicates)
    }
}

/// A line that is not an entry and should have been one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its number, the first line being 1.
    pub line: u64,
    /// Its text, fit for a terminal: without blanks around it, cut after
    /// [`Limits::text_bytes_max`](crate::Limits::text_bytes_max) bytes (`…`
    /// says so); all but visible ASCII, letters and digits escaped as `\u{…}`
    /// or `\x…`.
    pub text: String,
    /// Why.
    pub reason: RejectReason,
}
