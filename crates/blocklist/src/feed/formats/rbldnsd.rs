//! Zone files of rbldnsd in its `ip4set`, `ip4trie`, `ip6trie` and `ip6tset`
//! forms, as UCEPROTECT and others publish them. Source: rbldnsd(8).
//!
//! * `#` and `;` begin a line of comment, `$` a directive, `:` the answer that
//!   the entries after it get. None of them is an entry.
//! * Anything else is an entry, and behind it, after a blank, the answer for it:
//!   `192.0.2.1 :127.0.0.2:text`. With `!` before it, it is an exception.
//! * rbldnsd also takes short forms, `192.0.2` for a prefix of 24 and
//!   `192.0.2.1-9` for a range. They are rejected: too much else looks so.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::parse_entry;

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut answer: Option<&[u8]> = None;
    lines::each(bytes, limits, b"#;", visit, |line, said, visit| {
        // Zones of several lists have an answer for each of them.
        if said[0] == b':' && answer.replace(said).is_some_and(|before| before != said) {
            let names = "each with an answer of its own".to_owned();
            visit.doubt(line, Why::Sets { names, example: "list:127.0.0.2".to_owned() });
        }
        meaning(line, said, visit)
    })
}

/// Sure if there is an answer line or a zone's head, and entries after it.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let zone = |line: &[u8]| {
        let directive = [&b"$SOA"[..], b"$NS", b"$DATASET", b"$TTL"];
        line.starts_with(b":127.") || directive.iter().any(|word| line.starts_with(word))
    };
    let known = |line: &[u8]| match line[0] {
        b'$' | b':' => true,
        b'!' => parse_entry(first_word(line[1..].trim_ascii_start())).is_ok(),
        _ => parse_entry(first_word(line)).is_ok(),
    };
    if head.lines().any(zone) { head.most(b"#;", known) } else { Likeness::None }
}

fn meaning(line: Line<'_>, said: &[u8], visit: &mut impl Visit) -> ControlFlow<()> {
    match said[0] {
        b'$' | b':' => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        b'!' => match parse_entry(first_word(said[1..].trim_ascii_start())) {
            Ok(entry) => visit.exception(line, entry),
            Err(reason) => visit.read(line, Err(reason)),
        },
        _ => visit.read(line, parse_entry(first_word(said))),
    }
}

fn first_word(text: &[u8]) -> &[u8] {
    text.split(u8::is_ascii_whitespace).next().unwrap_or(text)
}
