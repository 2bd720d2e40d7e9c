//! Response policy zones, as far as they are about who asks:
//! `32.1.2.0.192.rpz-client-ip CNAME rpz-drop.` Source: draft-vixie-dnsop-dns-rpz,
//! sections 3 and 4.
//!
//! * The name begins with the length of the prefix, behind it stand the octets or
//!   words of the address from the last to the first; `zz` stands for `::`.
//! * `CNAME .`, `CNAME *.` and `CNAME rpz-drop.` are entries, whatever else is
//!   answered, `rpz-passthru.` and `rpz-tcp-only.` too, is an exception; the most
//!   specific prefix counts.
//! * Records about names, servers and answers (`rpz-ip`, `rpz-nsdname`, …) are
//!   ignored, but show that the zone is not of clients alone. The head of the zone
//!   and directives (`$TTL`) are ignored too. `;` begins a comment.
//!   `$INCLUDE` is in doubt: what that file says is not here.

use std::ops::ControlFlow;

use super::super::addresses::is_everything;
use super::super::detect::{Head, Likeness};
use super::super::precedence::MostSpecific;
use super::super::visit::{Line, Visit};
use super::super::words::words;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{Entry, RejectReason, parse_entry};

/// The label that stands behind the address of who asks.
const CLIENT: &[u8] = b".rpz-client-ip";

/// Reads all lines, and tells who is kept out.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let mut members = MostSpecific::default();
    let mut shape = lines::each(bytes, limits, b";", visit, |line, said, visit| {
        if said.starts_with(b"$INCLUDE") {
            visit.doubt(line, Why::Elsewhere("`$INCLUDE`"));
        }
        let Some((owner, target)) = record(said) else {
            if is_trigger(said) {
                let what = "a record is about something else than who asks";
                visit.doubt(line, Why::Structure(what));
            }
            visit.ignore(line);
            return ControlFlow::Continue(());
        };
        match client(owner) {
            Ok(entry) => meaning(line, entry, target, &mut members, visit),
            Err(reason) => visit.read(line, Err(reason)),
        }
    });
    shape.over_entries_max |= members.finish(visit).is_break();
    shape
}

/// Sure if a record is about who asks, and nothing stands there that no zone has.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if head.lines().any(|line| record(line).is_some_and(|(owner, _)| client(owner).is_ok())) {
        Likeness::Sure
    } else {
        Likeness::None
    }
}

/// The name in front of the label, and the target of the record's CNAME.
fn record(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = words(line);
    let owner = parts.next()?;
    let end = memchr::memmem::find(owner, CLIENT)?;
    let behind = owner[end + CLIENT.len()..].first();
    let mut kind = parts.next().unwrap_or_default();
    while kind.iter().all(u8::is_ascii_digit) && !kind.is_empty()
        || kind.eq_ignore_ascii_case(b"IN")
    {
        kind = parts.next().unwrap_or_default();
    }
    let cname = kind.eq_ignore_ascii_case(b"CNAME");
    let target = parts.next().filter(|_| cname).unwrap_or_default();
    matches!(behind, None | Some(b'.')).then_some((&owner[..end], target))
}

/// Whether a record that is not about who asks says what is answered.
fn is_trigger(line: &[u8]) -> bool {
    words(line).skip(1).any(|word| word.eq_ignore_ascii_case(b"CNAME"))
}

/// `24.0.2.0.192` and `32.zz.db8.2001`.
fn client(owner: &[u8]) -> Result<Entry, RejectReason> {
    let owner = str::from_utf8(owner).map_err(|_| RejectReason::NotAnAddress)?;
    let labels: Vec<&str> = owner.split('.').collect();
    let (length, address) = labels.split_first().ok_or(RejectReason::MissingField)?;
    let mut address: Vec<&str> = address.iter().rev().copied().collect();
    let ipv6 = address.len() > 4 || address.contains(&"zz");
    if !ipv6 {
        return parse_entry(format!("{}/{length}", address.join(".")).as_bytes());
    }
    // What stands for a gap at either end has a colon of its own.
    let gap = |at: Option<&&str>| at == Some(&"zz");
    let (begins, ends) = (gap(address.first()), gap(address.last()));
    address.iter_mut().filter(|label| **label == "zz").for_each(|label| *label = "");
    let colons = |there: bool| if there { ":" } else { "" };
    let text = format!("{}{}{}", colons(begins), address.join(":"), colons(ends));
    parse_entry(format!("{text}/{length}").as_bytes())
}

fn meaning<'a>(
    line: Line<'a>,
    entry: Entry,
    target: &[u8],
    members: &mut MostSpecific<'a>,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let target = target.to_ascii_lowercase();
    match &target[..] {
        _ if is_everything(entry) => visit.ignore(line),
        b"." | b"*." | b"rpz-drop." | b"rpz-drop" => {
            members.block(0, entry.range);
            return visit.entry(line, entry);
        }
        // Whatever else is answered, it is no refusal.
        _ => members.pass(0, entry.range, line),
    }
    ControlFlow::Continue(())
}
