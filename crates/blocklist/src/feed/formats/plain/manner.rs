//! Manners of writing a list that a single line cannot tell: several addresses
//! in every line, notes behind every prefix. Knows the beginning of a file.

use super::super::super::detect::Head;
use super::super::super::verdict::{self, WordVerdict, is_welcoming};
use super::without_comment;
use crate::feed::text;
use crate::parse_entry;

/// How the lines of a list are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineManner {
    /// An entry a line.
    #[default]
    Single,
    /// Several entries a line, with blanks or commas between them.
    Several,
    /// Behind prefixes a name and whose it is: `192.0.2.0/24 NAME (Example Org)`.
    Noted,
}

/// So many entries stand in the longest line of a list of several: fewer may be
/// the columns of a table.
const SEVERAL_MIN: usize = 4;

impl LineManner {
    /// The manner of most lines.
    pub(super) fn of(head: &Head<'_>) -> Self {
        if is_several(head) {
            Self::Several
        } else if is_noted(head) {
            Self::Noted
        } else {
            Self::Single
        }
    }
}

/// The words of a line between blanks, commas and semicolons.
pub(super) fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = line.split(|byte| byte.is_ascii_whitespace() || b",;".contains(byte));
    words.filter(|word| !word.is_empty())
}

/// Lines that say something, without comments.
fn said<'a>(head: &Head<'a>) -> impl Iterator<Item = &'a [u8]> {
    let without =
        |line: &'a [u8]| text::trim(line.split(|&byte| byte == b'#').next().unwrap_or(line));
    let lines = head.lines().filter(|line| !line.starts_with(b";") && !line.starts_with(b"//"));
    lines.map(without).filter(|line| !line.is_empty())
}

/// Whether all lines are made of entries, and not of so many each that they may
/// be columns.
pub(super) fn is_several(head: &Head<'_>) -> bool {
    // Almost all lists have one entry a line, which the first line shows.
    if said(head).next().is_none_or(|line| parts(line).nth(1).is_none()) {
        return false;
    }
    let (mut least, mut most, mut lines) = (usize::MAX, 0, 0_usize);
    for line in said(head) {
        let mut count = 0;
        if !parts(line).all(|word| {
            count += 1;
            parse_entry(word).is_ok()
        }) {
            return false;
        }
        (least, most, lines) = (least.min(count), most.max(count), lines + 1);
    }
    most >= SEVERAL_MIN && (lines == 1 || least < most)
}

/// Whether almost all lines are prefixes with notes that end in a bracket.
fn is_noted(head: &Head<'_>) -> bool {
    if !said(head).next().is_some_and(|line| line.ends_with(b")")) {
        return false;
    }
    let (mut noted, mut all) = (0_usize, 0_usize);
    for line in said(head) {
        all += 1;
        noted +=
            usize::from(line.ends_with(b")") && entry_of_noted(without_comment(line)).is_some());
    }
    noted > 0 && noted * 10 >= all * 9
}

/// The prefix before a note that says nothing of what becomes of it.
pub(super) fn entry_of_noted(line: &[u8]) -> Option<&[u8]> {
    const KEYWORDS: [&str; 10] =
        ["except", "not", "unless", "via", "dev", "but", "if", "to", "from", "only"];
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    let (entry, note) = line.split_at(end);
    let speaks = |word: &[u8]| {
        let word = word.strip_prefix(b"(").unwrap_or(word);
        let word = word.strip_suffix(b")").unwrap_or(word);
        let keyword = KEYWORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
        let marked = word.iter().any(|byte| b"=:|{}<>".contains(byte));
        let number = word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        keyword
            || marked
            || number && !word.is_empty()
            || is_welcoming(word)
            || verdict::plainly(word) == Some(WordVerdict::Exempts)
            || parse_entry(word).is_ok()
    };
    let clear = note.split(u8::is_ascii_whitespace).all(|word| !speaks(word));
    (entry.contains(&b'/') && clear && parse_entry(entry).is_ok()).then_some(entry)
}
