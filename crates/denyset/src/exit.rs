//! The exit codes, all of them. Scripts hold on to these numbers, so no other
//! place of the program may spell one.

use std::process::ExitCode;

/// How the process ends. The numbers from 64 on are those of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[must_use]
pub enum Exit {
    /// Done; in sync; good; nothing to do; blocked, when the question was `why`.
    Success = 0,
    /// Done, and somebody should look: something was refused or rejected
    /// beyond its limit, or is not in sync; not blocked, when the question
    /// was `why`.
    Attention = 1,
    /// Not done; what went wrong is on standard error.
    Failure = 2,
    /// `plan` found changes that `apply` would make.
    Pending = 3,
    /// The command line makes no sense (`EX_USAGE`).
    Usage = 64,
    /// This kernel lacks what is needed (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// Not permitted, `CAP_NET_ADMIN` is missing (`EX_NOPERM`).
    Denied = 77,
    /// The configuration is bad or cannot be read (`EX_CONFIG`).
    Config = 78,
}

impl Exit {
    /// Every way to end, in the order of the numbers.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::Attention,
        Self::Failure,
        Self::Pending,
        Self::Usage,
        Self::Unavailable,
        Self::Denied,
        Self::Config,
    ];

    /// The number that the parent process sees.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The ending with this number, as a daemon names it to its client.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_numbers_are_those_that_scripts_know() {
        let numbers = Exit::ALL.map(Exit::code);
        assert_eq!(numbers, [0, 1, 2, 3, 64, 69, 77, 78]);
    }

    #[test]
    fn a_number_finds_its_ending_and_no_other_does() {
        for code in 0..=u8::MAX {
            let found = Exit::from_code(code).map(Exit::code);
            let known = Exit::ALL.map(Exit::code).contains(&code);
            assert_eq!(found, known.then_some(code));
        }
    }
}
