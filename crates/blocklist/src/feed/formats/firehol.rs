//! The `.ipset` and `.netset` files of FireHOL: plain lists under a header of
//! comments that says how many lines there should be.
//!
//! The header has a line `# ipv4 hash:net ipset` (or `hash:ip`), and one with
//! the promise, `# Entries         : 2892 subnets, 619304666 unique IPs` in a
//! netset, where each subnet has a line, and `# Entries         : 100 unique
//! IPs` in an ipset, where each address has one. Source: the files, and
//! `update-ipsets` of FireHOL, which writes them.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, text};
use super::plain;

/// How many lines the header may have.
const HEADER_LINES_MAX: usize = 200;

/// Reads the promise, and all lines as plain ones.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let first_lines = lines::all(bytes).take(HEADER_LINES_MAX);
    let mut header = first_lines.take_while(|line| matches!(text::trim(line), [] | [b'#', ..]));
    if let Some(entries) = header.find_map(promise) {
        visit.promise(entries);
    }
    plain::read(bytes, options, limits, visit)
}

/// Only what reads like a plain list has one of these headers.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let kind = |line: &[u8]| line.starts_with(b"# ipv") && line.ends_with(b" ipset");
    if head.lines().any(kind) && head.lines().any(|line| promise(line).is_some()) {
        plain::resembles(head)
    } else {
        Likeness::None
    }
}

/// The number behind `# Entries :`, which is the subnets' if there are any.
fn promise(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?;
    let said = line.trim().strip_prefix('#')?.trim_start().strip_prefix("Entries")?;
    let said = said.trim_start().strip_prefix(':')?.trim_start();
    let (number, unit) = said.split_once(' ')?;
    (unit.starts_with("subnets") || unit.starts_with("unique IPs")).then(|| number.parse().ok())?
}
