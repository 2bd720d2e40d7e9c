//! The file names of last good copies: a feed's name made safe for one
//! directory, and back where it is not too long for that.

use blocklist::FeedName;

/// The ending of a copy.
const ENDING: &str = ".feed";

/// Longer names are cut and told apart by a hash. A file name has 255 bytes
/// on the usual file systems (`NAME_MAX`), and endings come after it.
const STEM_BYTES_MAX: usize = 200;

/// The file name of the copy of a feed. Two feeds never share one, unless
/// somebody goes to great lengths to find two long names with one hash; then
/// one of them has no copy.
pub(super) fn file_name(feed: &FeedName) -> String {
    let mut stem = escape(feed.as_str());
    if stem.len() > STEM_BYTES_MAX {
        let hash = fnv1a(feed.as_str().as_bytes());
        let mut end = STEM_BYTES_MAX - 1 - 32;
        // An escape is not cut in two.
        end -= stem.as_bytes()[end - 2..end]
            .iter()
            .rev()
            .position(|&b| b == b'%')
            .map_or(0, |at| at + 1);
        stem.truncate(end);
        stem = format!("{stem}~{hash:032x}");
    }
    stem + ENDING
}

/// The feed that a file name stands for. `None` if no feed has it, or if the
/// name was too long to be kept in it.
pub(super) fn feed_name(file: &str) -> Option<FeedName> {
    let mut bytes = Vec::new();
    let mut rest = file.strip_suffix(ENDING)?.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                (u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?, after)
            }
            (byte, after) => (byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    let feed = FeedName::new(std::str::from_utf8(&bytes).ok()?).ok()?;
    (file_name(&feed) == file).then_some(feed)
}

/// Whether a file of this name is meant to be a copy.
pub(super) fn is_copy(file: &str) -> bool {
    file.ends_with(ENDING)
}

/// Everything but letters, digits, `_`, `-` and `.` as `%` and two digits.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {
                escaped.push(byte.into());
            }
            byte => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                escaped.push('%');
                escaped.push(DIGITS[usize::from(byte >> 4)].into());
                escaped.push(DIGITS[usize::from(byte & 15)].into());
            }
        }
    }
    escaped
}

/// FNV-1a of 128 bits (draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn name(text: &str) -> FeedName {
        FeedName::new(text).expect("a good name")
    }

    #[test]
    fn a_feed_finds_its_file_and_the_file_its_feed() {
        let check = |feed: &str, file: &str| {
            assert_eq!(file_name(&name(feed)), file);
            assert_eq!(feed_name(file), Some(name(feed)), "{file}");
        };
        check("drop.txt", "drop.txt.feed");
        check("allow/own", "allow%2fown.feed");
        check("100%", "100%25.feed");
        check("drüben", "dr%c3%bcben.feed");
        check("a b", "a%20b.feed");
    }

    #[test]
    fn what_no_feed_has_is_nobodys_file() {
        for file in
            ["", ".feed", "a", "a%2.feed", "a%zz.feed", "%61.feed", "a%2Fb.feed", "a b.feed"]
        {
            assert_eq!(feed_name(file), None, "{file}");
        }
    }

    #[test]
    fn long_names_fit_and_are_told_apart() {
        let mut files = BTreeSet::new();
        for length in 190..220 {
            for letter in ['a', 'ü'] {
                for last in ['x', 'y'] {
                    let feed = name(&format!("{}{last}", letter.to_string().repeat(length)));
                    let file = file_name(&feed);
                    assert!(file.len() + ".corrupt".len() <= 255, "{file}");
                    assert!(feed_name(&file).is_none_or(|found| found == feed), "{file}");
                    assert!(files.insert(file), "{feed}");
                }
            }
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv1a(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
