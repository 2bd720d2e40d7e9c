//! The members of a list as text, in pieces, so that a million of them take no
//! more memory than a few.

use std::fmt;
use std::io::Write as _;

use super::keys::octet_keys;
use super::octets::OctetText;
use super::{ExportFormat, Exported};
use crate::{Address, Prefix, PrefixSet};

/// Bytes that become one piece, a line more or less.
const PIECE_BYTES: usize = 64 * 1024;

/// Hands the text of a list to `sink`, piece by piece and in order, and says what
/// is in it. The same members make the same text. Of `apache-sdbm`, which is no text,
/// these are the keys: for the files themselves see [`super::export_sdbm()`].
///
/// # Errors
/// What `sink` returns.
pub fn export<E>(
    format: ExportFormat,
    list: &str,
    ipv4: &PrefixSet<u32>,
    ipv6: &PrefixSet<u128>,
    sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Exported, E> {
    let mut text = Text { piece: Vec::with_capacity(PIECE_BYTES + 256), sink };
    match format {
        ExportFormat::NginxGeo => ranges(ipv4, &mut text)?,
        ExportFormat::ApacheTxt | ExportFormat::ApacheSdbm => keys(ipv4, &mut text)?,
        ExportFormat::HaproxyAcl | ExportFormat::Plain => {
            lines(ipv4, &mut text)?;
            lines(ipv6, &mut text)?;
        }
        ExportFormat::Json => {
            // Names of lists have no character that JSON would escape.
            text.add(format_args!("{{\"list\":\"{list}\",\"ipv4\":["))?;
            items(ipv4, &mut text)?;
            text.add(format_args!("],\"ipv6\":["))?;
            items(ipv6, &mut text)?;
            text.add(format_args!("]}}\n"))?;
        }
    }
    text.end()?;
    Ok(counted(ipv4, ipv6, format.takes_ipv6()))
}

/// What is in an export of these members.
pub(super) fn counted(ipv4: &PrefixSet<u32>, ipv6: &PrefixSet<u128>, takes_ipv6: bool) -> Exported {
    let count = |prefixes: usize| u64::try_from(prefixes).unwrap_or(u64::MAX);
    let [ipv4, ipv6] = [apart(ipv4).count(), apart(ipv6).count()].map(count);
    if takes_ipv6 {
        Exported { prefixes: ipv4 + ipv6, left_out: 0 }
    } else {
        Exported { prefixes: ipv4, left_out: ipv6 }
    }
}

/// Text on its way.
struct Text<S> {
    piece: Vec<u8>,
    sink: S,
}

impl<S: FnMut(&[u8]) -> Result<(), E>, E> Text<S> {
    fn add(&mut self, text: fmt::Arguments<'_>) -> Result<(), E> {
        // Memory takes whatever is written.
        let _ = self.piece.write_fmt(text);
        self.end_if_long()
    }

    fn join<const N: usize>(&mut self, parts: [&[u8]; N]) -> Result<(), E> {
        for part in parts {
            self.piece.extend_from_slice(part);
        }
        self.end_if_long()
    }

    fn end_if_long(&mut self) -> Result<(), E> {
        if self.piece.len() < PIECE_BYTES { Ok(()) } else { self.end() }
    }

    fn end(&mut self) -> Result<(), E> {
        (self.sink)(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

/// The prefixes that are within no other one. In the order of a set a prefix
/// stands before those within it.
pub(super) fn apart<A: Address>(set: &PrefixSet<A>) -> impl Iterator<Item = Prefix<A>> + '_ {
    let mut last = None;
    set.iter().filter(move |prefix| {
        let is_apart = last.is_none_or(|last| prefix.first() > last);
        if is_apart {
            last = Some(prefix.last());
        }
        is_apart
    })
}

fn lines<A: Address, S, E>(set: &PrefixSet<A>, text: &mut Text<S>) -> Result<(), E>
where
    S: FnMut(&[u8]) -> Result<(), E>,
{
    apart(set).try_for_each(|prefix| text.add(format_args!("{prefix}\n")))
}

fn items<A: Address, S, E>(set: &PrefixSet<A>, text: &mut Text<S>) -> Result<(), E>
where
    S: FnMut(&[u8]) -> Result<(), E>,
{
    let mut comma = "";
    apart(set).try_for_each(|prefix| {
        text.add(format_args!("{comma}\n\"{prefix}\""))?;
        comma = ",";
        Ok(())
    })
}

/// Ranges that do not touch each other.
fn ranges<S, E>(set: &PrefixSet<u32>, text: &mut Text<S>) -> Result<(), E>
where
    S: FnMut(&[u8]) -> Result<(), E>,
{
    let mut range: Option<(u32, u32)> = None;
    for prefix in apart(set) {
        range = match range {
            Some((first, last)) if last.checked_add(1) == Some(prefix.first()) => {
                Some((first, prefix.last()))
            }
            before => {
                before.map_or(Ok(()), |range| put_range(range, text))?;
                Some((prefix.first(), prefix.last()))
            }
        };
    }
    range.map_or(Ok(()), |range| put_range(range, text))
}

fn put_range<S, E>((first, last): (u32, u32), text: &mut Text<S>) -> Result<(), E>
where
    S: FnMut(&[u8]) -> Result<(), E>,
{
    let [first, last] = [first, last].map(|address| OctetText::of(address, 4));
    text.join([first.as_bytes(), b"-", last.as_bytes(), b" 1;\n"])
}

/// Keys of whole octets.
fn keys<S, E>(set: &PrefixSet<u32>, text: &mut Text<S>) -> Result<(), E>
where
    S: FnMut(&[u8]) -> Result<(), E>,
{
    octet_keys(set).try_for_each(|key| text.join([key.text().as_bytes(), b" 1\n"]))
}
