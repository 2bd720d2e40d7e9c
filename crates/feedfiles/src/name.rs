//! Which names stand for feeds, as bytes, before there is a feed name; and
//! how paths of any bytes are shown to people.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use blocklist::{FeedName, FeedNameError};

/// What editors and downloaders leave lying about: never a feed, and never
/// worth a word. `.` and `..` are among them.
pub(super) fn is_passed_over(name: &[u8]) -> bool {
    let no_feed = FeedName::new(&String::from_utf8_lossy(name)).err();
    matches!(no_feed, Some(FeedNameError::Hidden | FeedNameError::Unfinished { .. }))
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
