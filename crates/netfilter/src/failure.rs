//! What can go wrong in an exchange, and what it means: the table from the
//! kernel's codes to the kinds of error that a plan distinguishes.

use std::io;

use blocklist::AnyPrefix;
use reconcile::{KernelError, KernelErrorKind, SetName, Stage};

use crate::Unwritable;
use crate::wire::code;

/// Why an exchange did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeFailure {
    /// The kernel says no. Of a batch, the entries before `number` are done.
    #[error("{}", words(*code))]
    Refused {
        /// An `errno` or one of [`crate::wire::code`].
        code: u16,
        /// The number of the entry that failed, counted from 1.
        number: Option<u32>,
    },
    /// It could not be sent, so nothing happened.
    #[error("not sent: {0}")]
    Unsent(io::Error),
    /// It could not be written, so nothing happened.
    #[error("{0}")]
    Unwritable(Unwritable),
    /// It was sent, and no answer came: a timeout, or answers were lost.
    #[error("no answer: {0}")]
    Unanswered(io::Error),
    /// It was sent, and the answer makes no sense.
    #[error("an answer that cannot be: {0}")]
    Senseless(String),
}

impl ExchangeFailure {
    /// What it means for a program.
    pub fn kind(&self, stage: Stage) -> KernelErrorKind {
        match self {
            Self::Refused { code, .. } => kind(stage, *code),
            Self::Unsent(error) => match error.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => KernelErrorKind::Denied,
                Some(libc::ENOMEM | libc::ENOBUFS) => KernelErrorKind::Memory,
                Some(libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT) => KernelErrorKind::Unsupported,
                _ => KernelErrorKind::Refused,
            },
            Self::Unwritable(_) => KernelErrorKind::Refused,
            Self::Unanswered(_) | Self::Senseless(_) => KernelErrorKind::Unknown,
        }
    }

    /// The error to hand out. `set` is missing where none is concerned.
    pub(crate) fn error(
        &self,
        stage: Stage,
        set: Option<&SetName>,
        member: Option<AnyPrefix>,
    ) -> KernelError {
        KernelError {
            stage,
            object: set.map(Into::into),
            kind: self.kind(stage),
            member,
            detail: self.explained(stage),
        }
    }

    /// The failure, and what the kernel lacks if that is what it means: the
    /// codes for it say nothing to anybody who has not read the kernel.
    fn explained(&self, stage: Stage) -> String {
        let lacks = match self {
            Self::Unsent(error) if error.raw_os_error() == Some(libc::EPROTONOSUPPORT) => {
                "it has no nfnetlink, the module nfnetlink is missing"
            }
            Self::Refused { code, .. } => match (i32::from(*code), *code, stage) {
                // nfnetlink says so of a subsystem that it does not have.
                (libc::EINVAL, _, Stage::Connect) => {
                    "it has no ipset, the module ip_set is missing"
                }
                (_, code::FIND_TYPE, _) => {
                    "it has no hash:net, the module ip_set_hash_net is missing"
                }
                _ => return self.to_string(),
            },
            _ => return self.to_string(),
        };
        format!("{lacks}: {self}")
    }

    /// An error without a member.
    pub(crate) fn at(&self, stage: Stage, set: &SetName) -> KernelError {
        self.error(stage, Some(set), None)
    }
}

/// What a code of the kernel means at a stage. The codes are those of
/// `include/uapi/asm-generic/errno*.h` and of [`crate::wire::code`]; where the
/// same code means two things, the stage decides.
fn kind(stage: Stage, code: u16) -> KernelErrorKind {
    use KernelErrorKind as Kind;
    match (i32::from(code), stage) {
        (libc::ENOENT, _) => return Kind::NotFound,
        (libc::EEXIST, _) => return Kind::Exists,
        (libc::EPERM | libc::EACCES, _) => return Kind::Denied,
        // To a swap. To a listing: one runs on this socket already.
        (libc::EBUSY, _) => return Kind::Busy,
        (libc::ENOMEM, _) => return Kind::Memory,
        // nfnetlink says so of a subsystem that it does not have.
        (libc::EINVAL, Stage::Connect) => return Kind::Unsupported,
        (libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT, _) => {
            return Kind::Unsupported;
        }
        _ => {}
    }
    match (code, stage) {
        (code::FIND_TYPE, _) => Kind::Unsupported,
        (code::MAX_SETS | code::HASH_FULL, _) => Kind::Full,
        (code::BUSY | code::REFERENCED, _) => Kind::Busy,
        (code::EXIST_SETNAME2, Stage::Swap) => Kind::NotFound,
        (code::TYPE_MISMATCH, _) => Kind::Mismatch,
        (code::EXIST, Stage::Add) => Kind::Exists,
        _ => Kind::Refused,
    }
}

/// The kernel's name for a code, and the code.
fn words(code: u16) -> String {
    let name = match code {
        code::PROTOCOL => "IPSET_ERR_PROTOCOL",
        code::FIND_TYPE => "IPSET_ERR_FIND_TYPE",
        code::MAX_SETS => "IPSET_ERR_MAX_SETS",
        code::BUSY => "IPSET_ERR_BUSY",
        code::EXIST_SETNAME2 => "IPSET_ERR_EXIST_SETNAME2",
        code::TYPE_MISMATCH => "IPSET_ERR_TYPE_MISMATCH",
        code::EXIST => "IPSET_ERR_EXIST",
        code::INVALID_CIDR => "IPSET_ERR_INVALID_CIDR",
        code::INVALID_FAMILY => "IPSET_ERR_INVALID_FAMILY",
        code::REFERENCED => "IPSET_ERR_REFERENCED",
        code::HASH_FULL => "IPSET_ERR_HASH_FULL",
        code if code < code::PROTOCOL => {
            return io::Error::from_raw_os_error(i32::from(code)).to_string();
        }
        _ => "IPSET_ERR",
    };
    format!("{name} {code}")
}

#[cfg(test)]
mod tests {
    use reconcile::SetPrefix;

    use super::*;

    fn check(stage: Stage, failure: &ExchangeFailure, want: &str) {
        let prefix = SetPrefix::new("denyset-").expect("fits");
        let set = prefix.live("drop", blocklist::Family::Ipv4).expect("fits");
        assert_eq!(failure.at(stage, &set).to_string(), want);
    }

    fn refused(code: u16) -> ExchangeFailure {
        ExchangeFailure::Refused { code, number: None }
    }

    #[test]
    fn an_error_names_stage_set_reason_and_code() {
        check(
            Stage::Swap,
            &refused(16),
            "cannot swap set denyset-drop-v4: busy, referred to by a rule or held by a dump \
             (Device or resource busy (os error 16))",
        );
        check(
            Stage::Add,
            &refused(4352),
            "cannot add to set denyset-drop-v4: full (IPSET_ERR_HASH_FULL 4352)",
        );
        check(
            Stage::Delete,
            &ExchangeFailure::Unwritable(Unwritable::Everything),
            "cannot delete from set denyset-drop-v4: the kernel refused the message \
             (hash:net cannot hold /0, only its two halves)",
        );
    }

    #[test]
    fn only_what_was_sent_and_not_answered_is_unknown() {
        let io = || io::Error::from_raw_os_error(libc::ENOBUFS);
        assert_eq!(ExchangeFailure::Unanswered(io()).kind(Stage::Add), KernelErrorKind::Unknown);
        assert_eq!(
            ExchangeFailure::Senseless(String::new()).kind(Stage::Add),
            KernelErrorKind::Unknown
        );
        assert_eq!(ExchangeFailure::Unsent(io()).kind(Stage::Add), KernelErrorKind::Memory);
        for code in 1..u16::MAX {
            assert_ne!(refused(code).kind(Stage::Add), KernelErrorKind::Unknown, "{code}");
        }
    }
}
