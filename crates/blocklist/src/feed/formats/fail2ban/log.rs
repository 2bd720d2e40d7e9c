//! The log of fail2ban, in which a later word on an address takes back an
//! earlier one. Knows no other output of it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::super::super::visit::{Line, Visit};
use crate::{AnyRange, Entry, RejectReason, parse_entry};

/// An address in a jail.
type Place<'a> = (&'a [u8], AnyRange);

/// What a line says of an address.
struct Word<'a> {
    jail: &'a [u8],
    entry: Entry,
    bans: bool,
}

/// What the log says, each address in each jail once.
#[derive(Default)]
pub(super) struct BanLog<'a> {
    /// The last ban, or `None` once it was taken back.
    last: HashMap<Place<'a>, Option<(Line<'a>, Entry)>>,
}

/// Whether a line is one of fail2ban's log.
pub(super) fn is_line(line: &[u8]) -> bool {
    memchr::memmem::find(line, b"fail2ban.").is_some()
        || memchr::memmem::find(line, b"fail2ban[").is_some()
        || !matches!(said(line), Ok(None))
}

impl<'a> BanLog<'a> {
    pub(super) fn line(&mut self, line: Line<'a>, text: &'a [u8], visit: &mut impl Visit) {
        match said(text) {
            Ok(Some(Word { jail, entry, bans })) => {
                self.last.insert((jail, entry.range), bans.then_some((line, entry)));
                if !bans {
                    visit.ignore(line);
                }
            }
            Ok(None) if is_line(text) => visit.ignore(line),
            Ok(None) => visit.reject(line, RejectReason::Foreign),
            Err(reason) => visit.reject(line, reason),
        }
    }

    pub(super) fn finish(self, visit: &mut impl Visit) -> ControlFlow<()> {
        let mut bans: Vec<_> = self.last.into_values().flatten().collect();
        bans.sort_unstable_by_key(|(line, _)| line.number());
        bans.into_iter().try_for_each(|(line, entry)| visit.entry(line, entry))
    }
}

/// `None` if the line is not about an address that is banned, or was.
fn said(line: &[u8]) -> Result<Option<Word<'_>>, RejectReason> {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut jail: &[u8] = b"";
    while let Some(word) = words.next() {
        let named = word.starts_with(b"[") && word.ends_with(b"]");
        let bans = match word {
            b"Restore" | b"Increase" if !jail.is_empty() && words.next() == Some(b"Ban") => true,
            b"Ban" if !jail.is_empty() => true,
            b"Unban" if !jail.is_empty() => false,
            _ => {
                jail = if named { word } else { b"" };
                continue;
            }
        };
        let entry = parse_entry(words.next().ok_or(RejectReason::MissingField)?)?;
        let ended = words.next().is_none_or(|after| word == b"Increase" && after.starts_with(b"("));
        return if ended {
            Ok(Some(Word { jail, entry, bans }))
        } else {
            Err(RejectReason::Trailing)
        };
    }
    Ok(None)
}
