//! Access lists of Cisco PIX, ASA and IOS: `deny ip host 192.0.2.1 any`, also
//! with `access-list NAME [extended]` or a number before it. Source: Cisco ASA
//! Series command reference, `access-list extended`; Cisco IOS Security command
//! reference, `access-list`.
//!
//! * An entry is what is denied all IP traffic to anywhere: `host ADDRESS`,
//!   `ADDRESS MASK`, or an IPv6 prefix. PIX and ASA write masks as netmasks, IOS
//!   inverted; which one it is shows in the first bit. `0.0.0.0` is all
//!   addresses to the former and one to the latter, and is rejected.
//! * `permit` of that kind decides as well: the first line that names an address
//!   counts, and behind `permit ip any any` nothing of that list is denied. Lines
//!   about some protocol, port or destination are ignored, as are `any` and
//!   remarks.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::precedence::FirstMatch;
use super::super::visit::Visit;
use super::super::words::{number, words};
use super::super::{Limits, Options, Shape, lines};
use crate::token::ipv4;
use crate::{AnyPrefix, Entry, Prefix, RejectReason};

const ANY: [&[u8]; 3] = [b"any", b"any4", b"any6"];
/// What may follow without making a line narrower.
const HARMLESS: [&[u8]; 2] = [b"log", b"log-input"];

/// What a line says of an address.
struct Said {
    entry: Entry,
    denies: bool,
}

/// The lists that permit everybody from some line on.
#[derive(Default)]
struct Open {
    lists: BTreeSet<Vec<u8>>,
    /// The list that this line is of.
    list: Vec<u8>,
}

impl Open {
    /// Whether the list that a line is of permits everybody before it.
    fn before(&mut self, line: &[u8]) -> bool {
        let mut words = words(line).peekable();
        let name = match words.peek() {
            Some(&b"access-list") => words.nth(1),
            Some(&(b"ip" | b"ipv6")) => words.last(),
            _ => None,
        };
        if let Some(name) = name {
            self.list.clear();
            self.list.extend_from_slice(name);
        }
        let before = self.lists.contains(&self.list);
        if !before && permits_all(line) {
            self.lists.insert(self.list.clone());
        }
        before
    }
}

/// Whether a line is `permit ip any any`.
fn permits_all(line: &[u8]) -> bool {
    let mut words = words(line).skip_while(|word| *word != b"permit").skip(1);
    matches!(words.next(), Some(b"ip" | b"ipv6"))
        && words.next() == Some(b"any")
        && words.next() == Some(b"any")
        && words.all(|word| HARMLESS.contains(&word))
}

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let permits = memchr::memmem::find(bytes, b"permit").is_some();
    let mut rules = FirstMatch::new(permits);
    let mut open = Open::default();
    lines::each(bytes, limits, b"#!", visit, |line, said, visit| match access(said) {
        Ok(_) if permits && open.before(said) => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        Ok(Some(said)) if said.denies => rules.block(line, said.entry, visit),
        Ok(Some(said)) => rules.allow(line, said.entry, visit),
        // A source with a protocol, a port or a destination.
        Ok(None) if words(said).any(|word| network(word).is_ok()) => {
            visit.narrower(line);
            ControlFlow::Continue(())
        }
        Ok(None) => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        Err(reason) => visit.read(line, Err(reason)),
    })
}

/// Sure if most lines are of an access list.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#!", |line| access(line).is_ok())
}

/// What a line denies or permits altogether.
fn access(line: &[u8]) -> Result<Option<Said>, RejectReason> {
    let mut words = words(line).peekable();
    if words.next_if(|word| *word == b"access-list").is_some() {
        words.next().ok_or(RejectReason::Foreign)?;
        words.next_if(|word| *word == b"line");
    }
    if words.next_if(|word| [&b"ip"[..], b"ipv6"].contains(word)).is_some() {
        // The head of a named list.
        let head = words.next() == Some(b"access-list");
        return if head { Ok(None) } else { Err(RejectReason::Foreign) };
    }
    words.next_if(|word| number(word).is_some());
    words.next_if(|word| *word == b"extended");
    let denies = match words.next().unwrap_or_default() {
        b"deny" => true,
        b"permit" => false,
        b"remark" => return Ok(None),
        _ => return Err(RejectReason::Foreign),
    };
    match words.next().ok_or(RejectReason::MissingField)? {
        b"ip" | b"ipv6" => {}
        protocol if protocol.iter().all(u8::is_ascii_alphabetic) => return Ok(None),
        _ => return Err(RejectReason::Foreign),
    }
    let source = words.next().ok_or(RejectReason::MissingField)?;
    let entry = match source {
        _ if ANY.contains(&source) => return Ok(None),
        b"object-group" | b"object" | b"interface" => return Ok(None),
        b"host" => network(words.next().ok_or(RejectReason::MissingField)?)?,
        _ if source.contains(&b':') => network(source)?,
        _ => masked(source, words.next().ok_or(RejectReason::MissingField)?)?,
    };
    let everywhere = ANY.contains(&words.next().ok_or(RejectReason::MissingField)?);
    let whole = everywhere && words.all(|word| HARMLESS.contains(&word));
    Ok(Some(Said { entry, denies }).filter(|said| whole && !is_everything(said.entry)))
}

/// An address with a netmask, or with the inverse of one.
fn masked(address: &[u8], mask: &[u8]) -> Result<Entry, RejectReason> {
    let (address, mask) = (ipv4::parse(address)?, ipv4::parse(mask)?);
    let netmask = if mask >> 31 == 1 { mask } else { !mask };
    let length = ipv4::mask_length(netmask).filter(|_| mask != 0).ok_or(RejectReason::Netmask)?;
    let prefix = Prefix::containing(address, length);
    Ok(Entry { range: AnyPrefix::from(prefix).into(), masked: prefix.first() != address })
}
