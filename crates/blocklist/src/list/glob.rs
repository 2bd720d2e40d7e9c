//! Globs on the names of feeds: `*` and `?` stay within one component, `**`
//! stands for any number of them, `[…]` for one character of a set.

use std::fmt;

use glob::{MatchOptions, Pattern};

use super::FeedName;

/// Bytes in a glob at the most. Matching may try every split between two stars.
const BYTES_MAX: usize = 256;

/// A hidden file is not a feed anyway, so a leading dot needs no rule here.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A pattern for names of feeds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    pattern: Pattern,
    /// How many bytes it begins with that stand for themselves.
    literal: usize,
}

impl Glob {
    /// Checks and takes a glob.
    ///
    /// # Errors
    /// [`GlobError`] if it is empty, longer than 256 bytes, or if brackets or
    /// stars in it make no sense.
    pub fn new(glob: &str) -> Result<Self, GlobError> {
        if glob.is_empty() {
            return Err(GlobError::Empty);
        }
        if glob.len() > BYTES_MAX {
            return Err(GlobError::TooLong);
        }
        let wrong = |error: glob::PatternError| GlobError::Pattern {
            message: error.msg,
            position: error.pos + 1,
        };
        let pattern = Pattern::new(glob).map_err(wrong)?;
        Ok(Self { pattern, literal: glob.find(['*', '?', '[']).unwrap_or(glob.len()) })
    }

    /// Whether the whole name fits.
    pub fn matches(&self, feed: &FeedName) -> bool {
        // Where there are many lists and feeds, hardly any feed is of a list: most
        // of the questions end here.
        let (glob, name) = (self.as_str(), feed.as_str());
        if self.literal == glob.len() {
            return name == glob;
        }
        name.as_bytes().starts_with(&glob.as_bytes()[..self.literal])
            && self.pattern.matches_with(name, OPTIONS)
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Why a text is not a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// It would match nothing.
    #[error("the glob is empty")]
    Empty,
    /// It is longer than 256 bytes.
    #[error("the glob is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// Its brackets or stars make no sense.
    #[error("{message}, at character {position} of the glob")]
    Pattern {
        /// What is wrong, in the words of the `glob` crate.
        message: &'static str,
        /// Where, the first character being 1.
        position: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_glob_begins_with_decides_nothing_but_sooner(
            glob in r"[ab/*?\[\]]{1,8}",
            name in "[ab]{1,3}(/[ab]{1,3}){0,2}",
        ) {
            if let (Ok(glob), Ok(name)) = (Glob::new(&glob), FeedName::new(&name)) {
                let whole = glob.pattern.matches_with(name.as_str(), OPTIONS);
                prop_assert_eq!(glob.matches(&name), whole);
            }
        }
    }

    fn check(glob: &str, name: &str, want: bool) {
        let glob = Glob::new(glob).expect("a good glob");
        let name = FeedName::new(name).expect("a good name");
        assert_eq!(glob.matches(&name), want, "{glob} on {name}");
    }

    #[test]
    fn a_star_stays_within_one_component() {
        check("spamhaus*", "spamhaus_drop.txt", true);
        check("*.netset", "firehol_level1.netset", true);
        check("*.netset", "firehol/level1.netset", false);
        check("allow/*", "allow/office", true);
        check("allow/*", "allow/eu/office", false);
        check("*", "a/b", false);
        check("a?b", "a/b", false);
    }

    #[test]
    fn two_stars_cross_components() {
        check("**", "a", true);
        check("**", "a/b/c", true);
        check("allow/**", "allow/eu/office", true);
        check("**/office", "office", true);
        check("**/office", "allow/eu/office", true);
        check("allow/**/office", "allow/office", true);
        check("allow/**", "deny/office", false);
    }

    #[test]
    fn names_are_case_sensitive_and_whole() {
        check("drop", "drop", true);
        check("drop", "Drop", false);
        check("drop", "drop.txt", false);
        check("[ab].txt", "a.txt", true);
        check("[!ab].txt", "a.txt", false);
        check("[[]x]", "[x]", true);
    }

    #[test]
    fn a_bad_glob_says_what_and_where() {
        assert_eq!(Glob::new(""), Err(GlobError::Empty));
        assert_eq!(Glob::new(&"a".repeat(257)), Err(GlobError::TooLong));
        let error = Glob::new("x[a").expect_err("an open bracket");
        assert_eq!(error.to_string(), "invalid range pattern, at character 2 of the glob");
        assert!(Glob::new("a**").is_err());
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let glob = Glob::new(&"a*".repeat(128)).expect("a good glob");
        let name = FeedName::new(&format!("{}b", "a".repeat(4_000))).expect("a good name");
        assert!(glob.matches(&name));
        let glob = Glob::new(&format!("{}c", "a*".repeat(127))).expect("a good glob");
        assert!(!glob.matches(&name));
    }
}
