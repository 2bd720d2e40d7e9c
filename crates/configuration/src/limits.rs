//! The limits of every number in the configuration and of the configuration
//! itself, in one table: default, least, most.

/// A whole number that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The key, with its unit.
    pub key: &'static str,
    /// What it is unless configured.
    pub default: u64,
    /// The smallest value allowed. Where it is 0, zero means something, see
    /// the comments of `config/denyset.toml`.
    pub min: u64,
    /// The largest value allowed.
    pub max: u64,
}

const fn number(key: &'static str, default: u64, min: u64, max: u64) -> Number {
    Number { key, default, min, max }
}

const WEEK_SECONDS: u64 = 7 * 24 * 3_600;

/// A settle time of 0 would act on half a copy.
pub const SETTLE_MS: Number = number("settle-ms", 250, 1, 60_000);
/// A file that is never quiet is read all the same after this time.
pub const SETTLE_MAX_SECONDS: Number = number("settle-max-seconds", 10, 1, 3_600);
/// Each look at the feeds directory asks for a few numbers of every file.
pub const SCAN_SECONDS: Number = number("scan-seconds", 60, 1, 24 * 3_600);
/// Each feed takes some hundred bytes, and a look at each look.
pub const FEEDS: Number = number("feeds-max", 4_096, 1, 1_000_000);
/// Each probe tests some sixty members of every set, and now and then has them
/// counted.
pub const PROBE_SECONDS: Number = number("probe-seconds", 1, 1, 3_600);
/// Each audit reads every member.
pub const AUDIT_SECONDS: Number = number("audit-seconds", 3_600, 1, WEEK_SECONDS);
/// 0 withdraws a deleted feed as soon as its directory is quiet.
pub const WITHDRAW_SECONDS: Number = number("withdraw-seconds", 300, 0, WEEK_SECONDS);
/// 0 tolerates no unparsable line, 100 all of them.
pub const REJECTED_PERCENT: Number = number("rejected-percent-max", 5, 0, 100);
/// 0 lets no feed shrink, 100 any.
pub const SHRINK_PERCENT: Number = number("shrink-percent-max", 50, 0, 100);
/// 0 lets no feed grow; the most is a factor of ten thousand.
pub const GROWTH_PERCENT: Number = number("growth-percent-max", 400, 0, 1_000_000);
/// 0 lets no feed hold an IPv4 address, 100 any number of them.
pub const COVERAGE_PERCENT: Number = number("coverage-percent-max", 25, 0, 100);
/// The most is what a set takes with room to spare: its `maxelem` is 32 bits.
pub const ENTRIES: Number = number("entries-max", 16_000_000, 1, 1_000_000_000);
/// The column of a table, from 1.
pub const COLUMN: Number = number("column", 1, 1, 1_000);
/// The column of last addresses, from 1.
pub const LAST_COLUMN: Number = number("last-column", 2, 1, 1_000);
/// The column of prefix lengths, from 1.
pub const LENGTH_COLUMN: Number = number("length-column", 2, 1, 1_000);

/// Of packets that a rule stops, one in so many is looked at; 0 looks at none.
pub const SAMPLE: Number = number("sample", 0, 0, 1_000_000_000);
/// Looking one packet up takes some ten microseconds.
pub const SAMPLE_RATE: Number = number("rate", 100, 1, 10_000);
/// What a layout in few lengths may cost in members.
pub const EXTRA_MEMBERS_PERCENT: Number = number("extra-members-percent-max", 25, 0, 1_000);
/// The group of NFLOG; 0 is the one that others use by default.
pub const NFLOG_GROUP: Number = number("nflog-group", 4_217, 1, 65_535);

/// Web servers load the whole file at every change.
pub const EXPORT_INTERVAL_SECONDS: Number = number("min-interval-seconds", 30, 1, 24 * 3_600);

/// The longest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 4 << 20;
/// `[[list]]` tables at the most: each is two sets, and a kernel has 65,534.
pub const LISTS_MAX: usize = 1_000;
/// `[[feed]]` tables at the most: each is matched with every feed.
pub const FEED_TABLES_MAX: usize = 10_000;
/// `[[rule]]` tables at the most: each is a rule in each family that packets
/// meet.
pub const RULES_MAX: usize = 100;
/// `[[export]]` tables at the most: each is a file of the whole list.
pub const EXPORTS_MAX: usize = 100;
/// Ports and ranges of one protocol in a rule: each is a rule of the kernel.
pub const RULE_PORTS_MAX: usize = 32;
/// Interfaces of a rule: each is a rule of the kernel for each range of ports.
pub const RULE_INTERFACES_MAX: usize = 16;
/// Ports in `protect-peers` at the most: each is a question to the kernel.
pub const PROTECT_PEERS_MAX: usize = 8;
/// Globs in `ignore` at the most: each is matched with every name.
pub const IGNORE_MAX: usize = 1_000;
/// Bytes in all that one `[[feed]]` table has to say about columns, paths, sets
/// and rows: they stand in the header of each copy.
pub const READING_BYTES_MAX: usize = 4096;
/// Networks in one `asns` at the most: they stand there too. A file may list
/// more.
pub const ASNS_MAX: usize = 4096;
/// Strings in one array at the most.
pub const STRINGS_MAX: usize = 100_000;
/// The longest path of a socket: `sun_path` has 108 bytes (`unix(7)`), the last
/// of them NUL, and while a socket is being made its name has four bytes more.
pub const SOCKET_BYTES_MAX: usize = 103;
/// The longest `max-age`: a year is as good as never.
pub const MAX_AGE_SECONDS: i64 = 366 * 24 * 3_600;
