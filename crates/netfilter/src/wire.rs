//! The numbers of ipset's netlink protocol, version 7. They are the kernel's,
//! from `include/uapi/linux/netfilter/ipset/ip_set.h` unless another file is
//! named, and nothing here decides what to do with them.

/// `NFNL_SUBSYS_IPSET`, the high byte of every message type
/// (`include/uapi/linux/netfilter/nfnetlink.h`).
pub const SUBSYSTEM: u8 = 6;

/// `IPSET_PROTOCOL`, what is spoken here; in every message.
pub const PROTOCOL: u8 = 7;

/// The type of all our sets.
pub const TYPE_NAME: &str = "hash:net";

/// The lowest revision of `hash:net` that takes and shows `INITVAL`
/// (`net/netfilter/ipset/ip_set_hash_net.c`).
pub const REVISION_MIN: u8 = 7;

/// `enum ipset_cmd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Command {
    /// Which protocols the kernel speaks.
    Protocol = 1,
    /// Create a set.
    Create = 2,
    /// Destroy a set.
    Destroy = 3,
    /// Delete all members of a set.
    Flush = 4,
    /// Exchange the contents of two sets.
    Rename = 5,
    /// See the variant's name.
    Swap = 6,
    /// List names, headers or members. The kernel's answers to `SAVE` have
    /// this type too.
    List = 7,
    /// Add members.
    Add = 9,
    /// Delete members.
    Del = 10,
    /// Look for one member.
    Test = 11,
    /// Which revisions of a set type there are.
    Type = 13,
    /// Under which index a set is, by which rules refer to it.
    GetByName = 14,
}

impl Command {
    /// The message type: subsystem and command.
    pub const fn message_type(self) -> u16 {
        (SUBSYSTEM as u16) << 8 | self as u16
    }
}

/// Attributes of the message itself, `enum` of `IPSET_ATTR_PROTOCOL`.
pub mod message {
    /// `u8`, mandatory in every message.
    pub const PROTOCOL: u16 = 1;
    /// NUL-terminated string.
    pub const SETNAME: u16 = 2;
    /// NUL-terminated string.
    pub const TYPENAME: u16 = 3;
    /// NUL-terminated string, the same number as [`TYPENAME`].
    pub const SETNAME2: u16 = 3;
    /// `u8`.
    pub const REVISION: u16 = 4;
    /// `u8`, see [`super::family`].
    pub const FAMILY: u16 = 5;
    /// `u32`, big-endian whether marked or not; see [`super::flag`].
    pub const FLAGS: u16 = 6;
    /// Nest: the description of a set, or one entry.
    pub const DATA: u16 = 7;
    /// Nest of [`DATA`]: many entries.
    pub const ADT: u16 = 8;
    /// `u32` in any order, echoed as sent; must be there beside [`ADT`].
    pub const LINENO: u16 = 9;
    /// `u8`, of a protocol or of a revision.
    pub const MIN: u16 = 10;
    /// `u16`, big-endian.
    pub const INDEX: u16 = 11;
}

/// Attributes inside `DATA`. From 17 on they mean other things in the
/// description of a set than in an entry.
pub mod data {
    /// Nest of [`super::address`].
    pub const IP: u16 = 1;
    /// `u8`, prefix length; the family's full length if missing.
    pub const CIDR: u16 = 3;
    /// `u32`, of an entry or a set: it has timeouts, which ours never do.
    pub const TIMEOUT: u16 = 6;
    /// `u32`, `IPSET_FLAG_*` of the set or the entry.
    pub const CADT_FLAGS: u16 = 8;
    /// `u32`, the entry's number in its batch.
    pub const LINENO: u16 = 9;
    /// Set: `u32`, start value of the hash.
    pub const INITVAL: u16 = 17;
    /// Set: `u32`, buckets.
    pub const HASHSIZE: u16 = 18;
    /// Set: `u32`, limit of members.
    pub const MAXELEM: u16 = 19;
    /// Set, from the kernel only: `u32`, members.
    pub const ELEMENTS: u16 = 24;
    /// Set, from the kernel only: `u32`, rules and sets that refer to it.
    pub const REFERENCES: u16 = 25;
}

/// The attribute inside an address.
pub mod address {
    /// Four bytes.
    pub const IPV4: u16 = 1;
    /// Sixteen bytes.
    pub const IPV6: u16 = 2;
}

/// The values of `FLAGS`.
pub mod flag {
    /// `IPSET_FLAG_LIST_SETNAME`: names only.
    pub const LIST_SETNAME: u32 = 1 << 1;
    /// `IPSET_FLAG_LIST_HEADER`: headers only.
    pub const LIST_HEADER: u32 = 1 << 2;
}

/// The values of `FAMILY` (`include/uapi/linux/netfilter.h`).
pub mod family {
    use blocklist::Family;

    /// `NFPROTO_IPV4`.
    pub const IPV4: u8 = 2;
    /// `NFPROTO_IPV6`.
    pub const IPV6: u8 = 10;

    /// The kernel's number for a family.
    pub const fn number(family: Family) -> u8 {
        match family {
            Family::Ipv4 => IPV4,
            Family::Ipv6 => IPV6,
        }
    }

    /// The family of a kernel's number, `None` for those without addresses.
    pub const fn of(number: u8) -> Option<Family> {
        match number {
            IPV4 => Some(Family::Ipv4),
            IPV6 => Some(Family::Ipv6),
            _ => None,
        }
    }
}

/// What the kernel answers beside the numbers of `errno`: `enum
/// ipset_errno`, and the numbers from 4352 on that `hash` types use for
/// themselves (`include/linux/netfilter/ipset/ip_set_hash.h`).
pub mod code {
    /// Malformed, or an attribute is missing.
    pub const PROTOCOL: u16 = 4097;
    /// No such type, family or revision.
    pub const FIND_TYPE: u16 = 4098;
    /// No index left for another set.
    pub const MAX_SETS: u16 = 4099;
    /// A set to be destroyed is referred to or dumped.
    pub const BUSY: u16 = 4100;
    /// The second set of a swap is missing.
    pub const EXIST_SETNAME2: u16 = 4101;
    /// The sets of a swap do not fit each other.
    pub const TYPE_MISMATCH: u16 = 4102;
    /// An added entry is there, a deleted or tested one is not.
    pub const EXIST: u16 = 4103;
    /// Bad prefix length; `/0` in a `hash:net`.
    pub const INVALID_CIDR: u16 = 4104;
    /// Bad family.
    pub const INVALID_FAMILY: u16 = 4106;
    /// The set to be renamed is referred to or dumped.
    pub const REFERENCED: u16 = 4108;
    /// `IPSET_ERR_HASH_FULL`.
    pub const HASH_FULL: u16 = 4352;
}
