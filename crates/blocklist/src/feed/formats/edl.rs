//! External dynamic lists as firewalls take them: an address, and behind it, set
//! off by a mark, words about it: `192.0.2.0/24 - Example Ltd.` Source: the
//! administrator's guides of PAN-OS, "Formatting Guidelines for an External
//! Dynamic List": an address, a prefix or a range, a blank, and a comment. The
//! mark is asked for by us.
//!
//! * The marks are `-`, `--`, `|` and `:`, between blanks, and the same one in the
//!   whole file. `#`, `;` and `//` begin a comment as in plain lists.
//! * Words are letters, digits and what stands in names and sentences. Without a
//!   mark before them, with quotes, brackets, addresses or another mark among
//!   them, or as numbers alone they may be fields of anything, so that no file with
//!   such lines is taken for one of these.
//! * A word that says not to block puts the file in doubt.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::verdict::{self, WordVerdict};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::{Entry, RejectReason, parse_entry};

const MARKS: [&[u8]; 4] = [b"-", b"--", b"|", b":"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut mark = None;
    lines::each(bytes, limits, b"#;", visit, |line, said, visit| {
        meaning(line, said, &mut mark, visit)
    })
}

/// Sure if all lines are entries, and more than half have a mark and words.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let (mut marked, mut all) = (0_usize, 0_usize);
    let comment = |line: &&[u8]| b"#;".contains(&line[0]) || line.starts_with(b"//");
    for line in head.lines().filter(|line| !comment(line)) {
        match parts(line) {
            Ok((_, Some((_, words)))) if are_words(words) => marked += 1,
            Ok((_, None)) => {}
            _ => return Likeness::None,
        }
        all += 1;
    }
    if marked * 2 > all { Likeness::Sure } else { Likeness::None }
}

type Parts<'a> = (Entry, Option<(&'a [u8], &'a [u8])>);

/// The entry, and the mark and the words behind it.
fn parts(line: &[u8]) -> Result<Parts<'_>, RejectReason> {
    let line = match memchr::memchr2(b'#', b';', line) {
        Some(at) if at > 0 && line[at - 1].is_ascii_whitespace() => text::trim(&line[..at]),
        _ => line,
    };
    if let Ok(entry) = parse_entry(line) {
        return Ok((entry, None));
    }
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (first, rest) = (&line[..end], line[end..].trim_ascii_start());
    let entry = parse_entry(first)?;
    let end = rest.iter().position(u8::is_ascii_whitespace).ok_or(RejectReason::Trailing)?;
    let mark =
        MARKS.into_iter().find(|&mark| mark == &rest[..end]).ok_or(RejectReason::Trailing)?;
    Ok((entry, Some((mark, rest[end..].trim_ascii_start()))))
}

fn meaning(
    line: Line<'_>,
    said: &[u8],
    first: &mut Option<&'static [u8]>,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    if said.starts_with(b"//") {
        visit.ignore(line);
        return ControlFlow::Continue(());
    }
    let (entry, behind) = match parts(said) {
        Ok(parts) => parts,
        Err(reason) => {
            if reason == RejectReason::Trailing {
                visit.doubt(line, Why::Structure("words stand behind an address"));
            }
            return visit.read(line, Err(reason));
        }
    };
    if let Some((mark, words)) = behind {
        let known = MARKS.into_iter().find(|&known| known == mark).unwrap_or_default();
        if *first.get_or_insert(known) != known {
            visit.doubt(line, Why::Structure("words are set off by several marks"));
        }
        if let Some(why) = about(words) {
            visit.doubt(line, why);
        }
    }
    visit.entry(line, entry)
}

/// Whether it is words that stand behind a mark, and not fields of some record.
fn are_words(words: &[u8]) -> bool {
    let known = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || !byte.is_ascii()
            || b"().,-_&/'+:".contains(byte)
    };
    let named = words.iter().any(u8::is_ascii_alphabetic);
    let marks = words.split(u8::is_ascii_whitespace).any(|word| MARKS.contains(&word));
    let apart = |byte: &u8| byte.is_ascii_whitespace() || b",;|()[]".contains(byte);
    let addresses = words.split(apart).any(|word| parse_entry(word).is_ok());
    named && !marks && !addresses && words.first() != Some(&b'-') && words.iter().all(known)
}

/// What is in the words that may make the line something else.
fn about(words: &[u8]) -> Option<Why> {
    if !are_words(words) {
        return Some(Why::Structure("what stands behind an address may be fields"));
    }
    let exempts = |word| verdict::plainly(word) == Some(WordVerdict::Exempts);
    let says = words.split(|byte| !byte.is_ascii_alphanumeric()).any(exempts);
    says.then_some(Why::Structure("a word behind an address says not to block it"))
}
