//! The blacklist that sshguard keeps: `1767225600|100|4|192.0.2.1`, the time of
//! the attack, the number of the service, the family, the address. Source:
//! sshguard(8), option `-b`; `src/blocker/blocklist.c` writes the lines.
//!
//! * The family is 4 or 6, and is that of the address.
//! * An address is blocked for ever, whatever service was attacked. `#` begins a
//!   line of comment.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::words::number;
use super::super::{Limits, Options, Shape, lines};
use crate::{AnyRange, Entry, RejectReason, parse_entry};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    lines::each(bytes, limits, b"#", visit, |line, said, visit| visit.read(line, attacker(said)))
}

/// Sure if most lines are attackers.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| attacker(line).is_ok())
}

fn attacker(line: &[u8]) -> Result<Entry, RejectReason> {
    let fields: Vec<&[u8]> = line.split(|&byte| byte == b'|').collect();
    let &[time, service, family, address] = &fields[..] else { return Err(RejectReason::Foreign) };
    if number(time).is_none() || number(service).is_none() || !matches!(family, b"4" | b"6") {
        return Err(RejectReason::Foreign);
    }
    let entry = parse_entry(address)?;
    match (family, entry.range) {
        (b"4", AnyRange::V4(_)) | (b"6", AnyRange::V6(_)) => Ok(entry),
        _ => Err(RejectReason::Families),
    }
}
