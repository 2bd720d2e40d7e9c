//! Which names stand for feeds, as bytes, before there is a feed name; and
//! how paths of any bytes are shown to people.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use blocklist::{Circumstance, FeedName, FeedNameError, Glob};

/// What names mean beyond the rules that always hold.
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    /// Files that are no feeds, whatever else speaks for them.
    pub ignore: &'a [Glob],
    /// Whether a feed is meant though its name looks like what some program
    /// has left behind: somebody names it in so many words, or it is in force
    /// already.
    pub meant: &'a dyn Fn(&FeedName) -> bool,
}

/// A name that is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Relative to the feeds directory, fit to be shown.
    pub path: String,
    /// By which rule.
    pub rule: NameRule,
}

/// Why a name is no feed's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameRule {
    /// No feed has such a name, ever.
    #[error("{0}")]
    Never(FeedNameError),
    /// It looks like what a program has left behind, and no list names it in
    /// so many words.
    #[error("its name is that of a file of {by}; to use it, name it in a list without * or ?")]
    Leftover {
        /// Which program.
        by: &'static str,
    },
    /// The configuration says so.
    #[error("daemon.ignore has {glob:?}")]
    Ignored {
        /// The glob that fits.
        glob: String,
    },
}

impl Naming<'static> {
    /// Only the rules that always hold, and no leftovers.
    pub const PLAIN: Self = Self { ignore: &[], meant: &|_| false };
}

impl Naming<'_> {
    /// Why this name is passed over, if it is. `there` says what else is in
    /// the same directory. Directories are only passed over by the
    /// configuration.
    pub(super) fn passes_over(
        &self,
        feed: &FeedName,
        is_directory: bool,
        is_empty: bool,
        there: impl Fn(&str) -> bool,
    ) -> Option<NameRule> {
        if let Some(glob) = self.ignore.iter().find(|glob| glob.matches(feed)) {
            return Some(NameRule::Ignored { glob: glob.to_string() });
        }
        let (leftover, circumstance) = feed.leftover().filter(|_| !is_directory)?;
        let so = match circumstance {
            Circumstance::Always => true,
            Circumstance::Beside(name) => there(name),
            Circumstance::Empty => is_empty,
        };
        (so && !(self.meant)(feed)).then_some(NameRule::Leftover { by: leftover.by })
    }
}

impl fmt::Debug for Naming<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Naming").field("ignore", &self.ignore).finish_non_exhaustive()
    }
}

impl PassedOver {
    pub(super) fn new(path: &Path, rule: NameRule) -> Self {
        Self { path: Shown(path).to_string(), rule }
    }
}

/// The rule by which a name is never a feed's: what editors and downloaders
/// leave lying about, and what is hidden.
pub(super) fn hard_rule(name: &[u8]) -> Option<NameRule> {
    let error = FeedName::new(&String::from_utf8_lossy(name)).err()?;
    matches!(error, FeedNameError::Hidden | FeedNameError::Unfinished { .. })
        .then_some(NameRule::Never(error))
}

/// Whether nothing of this name is ever worth a word.
pub(super) fn is_passed_over(name: &[u8]) -> bool {
    hard_rule(name).is_some()
}

/// A path that can stand in a line of text whatever bytes it is made of:
/// control characters, backslashes and what is not UTF-8 are escaped.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_bytes().utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\'' | '"' => write!(out, "{character}")?,
                    _ => write!(out, "{}", character.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(out, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn what_editors_and_downloaders_leave_is_passed_over() {
        let check = |name: &str, want| assert_eq!(is_passed_over(name.as_bytes()), want, "{name}");
        for name in [".", "..", ".git", "a~", "a.tmp", "a.part", ".a.swp", "a.swp"] {
            check(name, true);
        }
        for name in ["a", "tmp", "a.tmpl", "part", "a.txt", "~a", "a.", "a.TMP"] {
            check(name, false);
        }
    }

    #[test]
    fn no_path_breaks_the_line_it_is_shown_in() {
        let check = |bytes: &[u8], want| {
            assert_eq!(Shown(Path::new(OsStr::from_bytes(bytes))).to_string(), want);
        };
        check(b"a/b.txt", "a/b.txt");
        check("drüben's".as_bytes(), "drüben's");
        check(b"a\nb\x1b[2J", "a\\nb\\u{1b}[2J");
        check(b"a\xffb\\", "a\\xffb\\\\");
    }
}
