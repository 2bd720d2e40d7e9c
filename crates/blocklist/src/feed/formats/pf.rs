//! Files of tables of pf, as `pfctl -t NAME -T replace -f FILE` and `persist
//! file` take them. Source: pf.conf(5), "TABLES"; pfctl(8).
//!
//! * Addresses and prefixes, several to a line if blanks stand between them; `#`
//!   begins a comment. With `!` before it, an entry takes addresses out: the
//!   most specific one counts.
//! * Names of hosts and interfaces, and `self`, are ignored: nobody is asked.
//!
//! Other programs write exceptions as `!` too and mean them otherwise, so that
//! no file is taken for one of pf: the configuration has to name the format.

use std::ops::ControlFlow;

use super::super::addresses::{is_host_name, network};
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};

/// Reads all lines, and tells who is in the table.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut members = MostSpecific::default();
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let said = &said[..memchr::memchr(b'#', said).unwrap_or(said.len())];
        let mut negated = false;
        for word in said.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let rest = word.strip_prefix(b"!");
            negated ^= rest.is_some();
            let word = rest.unwrap_or(word);
            if word.is_empty() {
                continue;
            }
            let passes = std::mem::take(&mut negated);
            match network(word) {
                Ok(entry) if passes => members.pass(0, entry.range, line),
                Ok(entry) => {
                    members.block(0, entry.range);
                    visit.entry(line, entry)?;
                }
                Err(_) if is_host_name(word) => visit.ignore(line),
                Err(reason) => visit.reject(line, reason),
            }
        }
        ControlFlow::Continue(())
    });
    shape.over_entries_max |= members.finish(visit).is_break();
    shape
}

/// Never: see above.
pub(in super::super) const fn resembles(_: &Head<'_>) -> Likeness {
    Likeness::None
}
