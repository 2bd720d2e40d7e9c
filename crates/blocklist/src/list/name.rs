//! The names of feeds: paths below the feeds directory, and which paths are no
//! feeds. Knows no directory.

use std::fmt;
use std::sync::Arc;

/// Bytes in a name at the most: as many as Linux allows in a path, `PATH_MAX`
/// in `linux/limits.h`.
pub const FEED_NAME_BYTES_MAX: usize = 4_096;

/// Endings of files that are still being written, or that editors keep.
const UNFINISHED: [&str; 4] = ["~", ".tmp", ".part", ".swp"];

/// The name of a feed: a path below the feeds directory, its components
/// separated by single slashes, such as `allow/office.txt`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName(Arc<str>);

impl FeedName {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// Why a file of this name is not a feed, see [`FeedNameError`].
    pub fn new(name: &str) -> Result<Self, FeedNameError> {
        if name.len() > FEED_NAME_BYTES_MAX {
            return Err(FeedNameError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(FeedNameError::Control);
        }
        name.split('/').try_for_each(|component| match component {
            "" => Err(FeedNameError::Component),
            _ if component.starts_with('.') => Err(FeedNameError::Hidden),
            _ => match UNFINISHED.iter().find(|ending| component.ends_with(**ending)) {
                Some(ending) => Err(FeedNameError::Unfinished { ending }),
                None => Ok(()),
            },
        })?;
        Ok(Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl fmt::Debug for FeedName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, out)
    }
}

/// Why a path is not the name of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedNameError {
    /// Longer than [`FEED_NAME_BYTES_MAX`].
    #[error("the name is longer than {FEED_NAME_BYTES_MAX} bytes")]
    TooLong,
    /// A line feed or an escape sequence would reach logs and terminals.
    #[error("the name has a control character")]
    Control,
    /// No name, a slash at an end, or two in a row.
    #[error("a part of the name is empty")]
    Component,
    /// Hidden files are not feeds, nor are `.` and `..` parts of a name.
    #[error("a part of the name begins with a dot")]
    Hidden,
    /// A file that is still being written, or that an editor keeps.
    #[error("a part of the name ends in `{ending}`, as unfinished files do")]
    Unfinished {
        /// The ending.
        ending: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_path() {
        for good in ["drop.txt", "allow/office", "a b", "größe.netset", "x.tmp.txt", "a..b"] {
            assert_eq!(FeedName::new(good).map(|name| name.to_string()).as_deref(), Ok(good));
        }
    }

    #[test]
    fn what_is_not_a_feed_says_why() {
        let check = |name: &str, want: FeedNameError| {
            assert_eq!(FeedName::new(name), Err(want), "{name:?}");
        };
        check("", FeedNameError::Component);
        check("/drop", FeedNameError::Component);
        check("a//b", FeedNameError::Component);
        check("a/", FeedNameError::Component);
        check(".drop.txt.Xa3", FeedNameError::Hidden);
        check("../etc/passwd", FeedNameError::Hidden);
        check("a/.git/config", FeedNameError::Hidden);
        check("drop.txt~", FeedNameError::Unfinished { ending: "~" });
        check("drop.tmp", FeedNameError::Unfinished { ending: ".tmp" });
        check("new.part/drop", FeedNameError::Unfinished { ending: ".part" });
        check("drop.swp", FeedNameError::Unfinished { ending: ".swp" });
        check("a\nb", FeedNameError::Control);
        check("a\u{1b}[2J", FeedNameError::Control);
        check(&"a".repeat(FEED_NAME_BYTES_MAX + 1), FeedNameError::TooLong);
    }
}
