//! Why a line is not an entry, in words for whoever has to repair the feed.
//! Knows no text: what was written there is shown beside it.

/// The reason for which a line of a feed, or a single token, is rejected.
/// Nothing is ever guessed: what is not written in one of the defined forms
/// has one of these instead of a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RejectReason {
    /// None of the defined forms, nor anything close to one: a host name,
    /// a sentence, an integer, a hexadecimal number, a wildcard.
    #[error("neither an address, a prefix nor a range")]
    NotAnAddress,
    /// Digits and dots, but other than four octets between three dots.
    #[error("an IPv4 address has exactly four octets")]
    OctetCount,
    /// An octet above 255.
    #[error("an octet is above 255")]
    OctetValue,
    /// An octet such as `010`, which is 8 to some programs and 10 to others.
    #[error("an octet begins with a zero: octal to some programs, decimal to others")]
    LeadingZero,
    /// Has a colon, but is not a text form of RFC 4291, section 2.2.
    #[error("not an IPv6 address")]
    Ipv6Form,
    /// An address with a zone, as in `fe80::1%eth0`.
    #[error("an address with a zone belongs to one host's interface")]
    Zone,
    /// An address with a port, or in brackets.
    #[error("a port or brackets beside the address")]
    Port,
    /// What follows the slash is not a decimal prefix length of the family.
    #[error("the prefix length must be a decimal number from 0 to {max}")]
    PrefixLength {
        /// The longest prefix of the family.
        max: u8,
    },
    /// An address other than zero with the length 0: the prefix would be all
    /// addresses there are.
    #[error("the length 0 means every address there is, and stands behind 0.0.0.0 or :: only")]
    ZeroLength,
    /// What follows the slash is not a dotted netmask. `0.0.0.0` is one only
    /// after the address `0.0.0.0`: where masks are written inverted, it means
    /// a single address.
    #[error("not a netmask: all one bits must come before all zero bits")]
    Netmask,
    /// `::ffff:192.0.2.0/24`: the length counts IPv6 bits, so that it would
    /// reach far beyond the IPv4 addresses it names.
    #[error("an IPv4-mapped prefix has a length from 96 to 128")]
    MappedLength,
    /// A range whose first address is above its last.
    #[error("the range ends before it begins")]
    Reversed,
    /// A range from one family to the other.
    #[error("the range begins in one address family and ends in the other")]
    Families,
    /// An entry with something beside it that is no comment.
    #[error("trailing text after the entry")]
    Trailing,
    /// A line or record without the field in which its format has the address.
    #[error("the field that should hold the address is missing")]
    MissingField,
    /// A row of a table in which nobody knows where to look.
    #[error("which column holds the addresses is not clear: set `column` for this feed")]
    NoColumn,
    /// A number that its format has beside the address is none, or too large.
    #[error("a number beside the address is not a decimal number of its range")]
    Number,
    /// An entry of a set or list in which an address stands with a port, an
    /// interface or the like, so that only a part of what it sends is meant.
    #[error("it names more than an address, and so only a part of what comes from there")]
    MoreThanAddress,
    /// A duration that is none.
    #[error("not a duration as in `4h` or `3h59m57.64s`")]
    Duration,
    /// A document, or a line that should be one, that is not JSON from a place
    /// on.
    #[error("it is not JSON from here on")]
    Json,
    /// A document in which nothing is where it should be. It is one reject.
    #[error("not the document that was expected: {expected}")]
    Document {
        /// What was.
        expected: &'static str,
    },
    /// A message of a server, which is one reject.
    #[error("a server's error message and no list")]
    ErrorDocument,
    /// The option `path` of the feed cannot be understood. The document is one
    /// reject.
    #[error("the configured `path` is no path to fields: write `a.b[].c`")]
    Path,
    /// Not what the format of the feed has in its lines or records.
    #[error("not a line of this format")]
    Foreign,
    /// A line longer than
    /// [`Limits::line_bytes_max`](crate::Limits::line_bytes_max).
    #[error("the line is longer than {max} bytes")]
    LineLength {
        /// The limit.
        max: usize,
    },
    /// The byte order mark of UTF-16 at the beginning, and something that is no
    /// text behind it: the whole file is one reject.
    #[error("the file begins as UTF-16 text, and is none")]
    Utf16,
}
