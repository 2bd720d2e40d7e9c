//! The DROP lists of Spamhaus as text: a prefix a line, with its number in the
//! SBL as comment, `192.0.2.0/24 ; SBL000001`, under lines that begin with
//! `;`. Source: <https://www.spamhaus.org/drop/drop.txt>. The lines are those
//! of the plain format, and read as such.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape};
use super::plain;

/// Reads all lines as plain ones.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    plain::read(bytes, options, limits, visit)
}

/// Only a plain list in which the comments are references to the SBL.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let reference = |line: &[u8]| {
        let comment = memchr::memchr(b';', line).map(|at| line[at + 1..].trim_ascii_start());
        comment.is_some_and(|comment| comment.starts_with(b"SBL"))
    };
    if head.most(b";#", reference) == Likeness::Sure {
        plain::resembles(head)
    } else {
        Likeness::None
    }
}
