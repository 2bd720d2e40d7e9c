//! What should be blocked: prefixes and their sets, feeds, lists, guards.
//!
//! Everything here is pure: bytes and numbers in, values out. It knows no
//! files, no clock, no network, no kernel, no threads and no environment;
//! what it needs of them arrives as an argument.

mod address;
mod algebra;
mod export;
mod family;
mod feed;
mod guard;
mod list;
mod packed;
mod prefix;
mod prefix_set;
mod prefixes;
mod token;

pub use address::Address;
pub use algebra::{
    AddressCount, AddressRange, AnyRange, Lengths, Overlap, OverlapPart, range_prefixes,
};
pub use export::{ExportFormat, Exported, SdbmError, SdbmFile, export, export_sdbm};
pub use family::Family;
pub use feed::{
    AsNumber, AsNumberError, BesideError, Column, Condition, ConditionError, CountryError,
    CountryRule, DescribedLine, Description, Doubt, Exemption, Feed, Format, FormatChoice,
    JsonPath, Limits, LineTally, Options, PathError, Promise, Reject, Shape, SourceLine, Tally,
    UnknownFormat, Why, describe, detect, exemption_with, parse, parse_at, parse_with, sources,
    sources_with,
};
pub use guard::{Guard, GuardPolicy, JUDGED_FROM, Refusal, judge};
pub use list::{
    Allow, AllowedBy, Circumstance, Composition, Contributed, Contribution, Explanation,
    FEED_NAME_BYTES_MAX, FeedName, FeedNameError, Glob, GlobError, Leftover, List, Match, Operands,
    Protect, Protection, Role, UnknownProtect, compose, explain,
};
pub use packed::{PACKED_HEADER_BYTES, PACKED_MAGIC, PackedError, PackedHeader, PackedList, pack};
pub use prefix::{AnyPrefix, Prefix};
pub(crate) use prefix_set::PrefixColumns;
pub use prefix_set::PrefixSet;
pub use prefixes::Prefixes;
pub use token::{Entry, LiteralError, RejectReason, parse_address, parse_entry};
