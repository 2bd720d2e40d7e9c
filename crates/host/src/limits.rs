//! Every limit of this crate, in one table.

/// How often addresses and routes are read again because they changed while
/// they were read.
pub(crate) const DUMPS_MAX: usize = 8;

/// Bytes of one file that names resolvers. glibc takes three resolvers from
/// it, others some dozens.
pub(crate) const FILE_BYTES_MAX: u64 = 64 << 10;

/// Files in one folder of records, one for each interface and the program
/// that configured it.
pub(crate) const RECORDS_MAX: usize = 256;
