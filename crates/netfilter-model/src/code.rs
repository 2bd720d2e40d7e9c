//! The numbers by which the kernel refuses: errno where it uses errno, and
//! ipset's own from 4096 on (`enum ipset_errno` in
//! `include/uapi/linux/netfilter/ipset/ip_set.h`).

use reconcile::KernelErrorKind;

/// An error number as it stands in a netlink acknowledgement, positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl Code {
    /// `EPERM`: no `CAP_NET_ADMIN`.
    pub const DENIED: Self = Self(1);
    /// `ENOENT`: there is no such set.
    pub const NO_SET: Self = Self(2);
    /// `ENOMEM`.
    pub const MEMORY: Self = Self(12);
    /// `EBUSY`: a swap while one of the sets is being dumped.
    pub const SWAP_BUSY: Self = Self(16);
    /// `EEXIST`: the name is taken.
    pub const NAME_TAKEN: Self = Self(17);
    /// `EINVAL`: a name of over 31 bytes, an unknown command.
    pub const INVALID: Self = Self(22);
    /// `EOPNOTSUPP`: command zero.
    pub const NOT_SUPPORTED: Self = Self(95);
    /// The message is malformed.
    pub const PROTOCOL: Self = Self(4097);
    /// The type, its family or its revision is not there.
    pub const FIND_TYPE: Self = Self(4098);
    /// A destroy of a set that is referred to or dumped.
    pub const SET_BUSY: Self = Self(4100);
    /// Of a rename: the new name is taken. Of a swap: no second set.
    pub const SECOND_SET: Self = Self(4101);
    /// A swap of sets that do not fit each other.
    pub const TYPE_MISMATCH: Self = Self(4102);
    /// A member that had to be new is there, or one that had to be there is not.
    pub const MEMBER: Self = Self(4103);
    /// A prefix length that the type does not take; zero, for `hash:net`.
    pub const CIDR: Self = Self(4104);
    /// A family that the type does not take.
    pub const FAMILY: Self = Self(4106);
    /// A rename of a set that is referred to or dumped.
    pub const REFERENCED: Self = Self(4108);
    /// The set has as many members as it takes.
    pub const HASH_FULL: Self = Self(4352);

    /// What a program makes of it. Kept apart from the driver's own table, so
    /// that a mistake in either shows.
    pub fn kind(self) -> KernelErrorKind {
        match self {
            Self::NO_SET | Self::SECOND_SET => KernelErrorKind::NotFound,
            Self::NAME_TAKEN | Self::MEMBER => KernelErrorKind::Exists,
            Self::SWAP_BUSY | Self::SET_BUSY | Self::REFERENCED => KernelErrorKind::Busy,
            Self::HASH_FULL => KernelErrorKind::Full,
            Self::TYPE_MISMATCH => KernelErrorKind::Mismatch,
            Self::DENIED => KernelErrorKind::Denied,
            Self::FIND_TYPE => KernelErrorKind::Unsupported,
            Self::MEMORY => KernelErrorKind::Memory,
            _ => KernelErrorKind::Refused,
        }
    }
}
