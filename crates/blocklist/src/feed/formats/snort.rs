//! Rules of Snort and Suricata that name addresses: `alert ip [192.0.2.1,…] any
//! -> $HOME_NET any (…)`. Source:
//! <https://docs.suricata.io/en/latest/rules/intro.html>.
//!
//! * A rule about all ports of all hosts but the named ones makes entries of
//!   these, whichever side they are on; one about some ports is ignored, since
//!   it is about a part only. So are rules without addresses and disabled ones.
//! * `!` in a list makes an exception, as does the action `pass`. A side that is
//!   negated as a whole names everybody else, and is ignored with its rule.
//! * Lines may be as long as [`LINE_BYTES_MAX`]: a rule may have thousands of
//!   addresses.

use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use crate::RejectReason;

/// The longest rule, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

const ACTIONS: [&[u8]; 10] = [
    b"alert",
    b"drop",
    b"reject",
    b"rejectsrc",
    b"rejectdst",
    b"rejectboth",
    b"block",
    b"sdrop",
    b"log",
    PASS,
];
const PASS: &[u8] = b"pass";
/// Options with a value that say something about the rule, or how often to tell
/// of what it found. By all others, but for [`is_harmless`], it looks closer.
const HARMLESS: [&[u8]; 13] = [
    b"msg",
    b"reference",
    b"classtype",
    b"priority",
    b"sid",
    b"gid",
    b"rev",
    b"metadata",
    b"threshold",
    b"detection_filter",
    b"flow",
    b"tag",
    b"target",
];
/// Protocols by which rules about addresses go.
const PROTOCOLS: [&[u8]; 5] = [b"ip", b"tcp", b"udp", b"icmp", b"pkthdr"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    let line_bytes_max = limits.line_bytes_max.max(LINE_BYTES_MAX);
    let limits = Limits { line_bytes_max, ..*limits };
    lines::each(bytes, &limits, b"#", visit, |line, said, visit| match header(said) {
        None => visit.read(line, Err(RejectReason::Foreign)),
        Some(header) => header.tell(line, visit),
    })
}

/// Sure if most lines are rules.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| header(line).is_some())
}

/// A rule without its options.
struct Header<'a> {
    action: &'a [u8],
    protocol: &'a [u8],
    source: &'a [u8],
    source_port: &'a [u8],
    target: &'a [u8],
    target_port: &'a [u8],
    options: &'a [u8],
}

fn header(line: &[u8]) -> Option<Header<'_>> {
    let mut rest = line;
    let mut word = || {
        rest = rest.trim_ascii_start();
        let (word, after) = rest.split_at(word_bytes(rest)?);
        rest = after;
        Some(word)
    };
    let (action, protocol) = (word()?, word()?);
    let (source, source_port, direction) = (word()?, word()?, word()?);
    let (target, target_port) = (word()?, word()?);
    let options = match rest.trim_ascii() {
        [] => &b""[..],
        [b'(', options @ .., b')'] => options,
        _ => return None,
    };
    let header = Header { action, protocol, source, source_port, target, target_port, options };
    let known = ACTIONS.contains(&action) && matches!(direction, b"->" | b"<>" | b"=>");
    known.then_some(header)
}

/// How long the next word is: until a blank that is in no brackets.
fn word_bytes(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.checked_sub(1)?,
            b'(' if depth == 0 && at > 0 => return Some(at),
            _ if byte.is_ascii_whitespace() && depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0 && !text.is_empty()).then_some(text.len())
}

impl Header<'_> {
    fn tell(&self, line: Line<'_>, visit: &mut impl Visit) -> ControlFlow<()> {
        let whole = self.source_port == b"any"
            && self.target_port == b"any"
            && PROTOCOLS.contains(&self.protocol)
            && options(self.options).all(is_harmless);
        let side = match (is_open(self.source), is_open(self.target)) {
            (false, true) => Some(self.source),
            (true, false) => Some(self.target),
            _ => None,
        };
        match side {
            Some(side) if whole && !side.starts_with(b"!") => {
                addresses(side, self.action == PASS, line, visit)
            }
            Some(_) if !whole => {
                visit.narrower(line);
                ControlFlow::Continue(())
            }
            _ => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
        }
    }
}

/// The options of a rule: what stands between semicolons that are neither
/// quoted nor escaped.
fn options(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |&byte| {
        let literal = std::mem::take(&mut escaped);
        escaped = byte == b'\\' && !literal;
        quoted ^= byte == b'"' && !literal;
        byte == b';' && !quoted && !literal
    })
}

/// Whether a rule with this option is about all packets all the same. Marks may
/// be set but not asked for, and SYN packets stand for what begins with them.
/// An option without a value only says more of one that has one.
fn is_harmless(option: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b':', option) else { return true };
    let (name, value) = (option[..at].trim_ascii(), option[at + 1..].trim_ascii());
    match name {
        b"flowbits" | b"xbits" => value.starts_with(b"set") || value == b"noalert",
        b"flags" | b"tcp.flags" => matches!(value, b"S" | b"S,12" | b"S,CE" | b"S+"),
        _ => HARMLESS.contains(&name),
    }
}

/// Whether a side is nobody in particular: `any`, or a variable such as
/// `$HOME_NET`.
fn is_open(side: &[u8]) -> bool {
    side == b"any" || side.starts_with(b"$") || side.starts_with(b"!$")
}

/// The addresses of a list, in which others may be nested.
fn addresses(side: &[u8], passes: bool, line: Line<'_>, visit: &mut impl Visit) -> ControlFlow<()> {
    // Of every open list, whether it is negated.
    let mut negated: Vec<bool> = Vec::new();
    let mut rest = side;
    while let Some(&first) = rest.first() {
        let end = rest.iter().position(|byte| b"[],".contains(byte)).unwrap_or(rest.len());
        let (word, after) = (rest[..end].trim_ascii(), &rest[end..]);
        let (word, inverted) = match word.strip_prefix(b"!") {
            Some(word) => (word.trim_ascii_start(), true),
            None => (word, false),
        };
        match after.first() {
            Some(b'[') if word.is_empty() => negated.push(inverted),
            _ if word.is_empty() && first == b']' => {
                negated.pop();
            }
            _ if word.is_empty() => {}
            _ if word.starts_with(b"$") || word == b"any" => visit.ignore(line),
            _ => {
                let out = passes || inverted || negated.contains(&true);
                match network(word) {
                    Ok(entry) if is_everything(entry) => visit.ignore(line),
                    Ok(entry) if out => visit.exception(line, entry)?,
                    read => visit.read(line, read)?,
                }
                if after.first() == Some(&b']') {
                    negated.pop();
                }
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    ControlFlow::Continue(())
}
