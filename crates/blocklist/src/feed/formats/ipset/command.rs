//! One command of ipset(8), whether it stands in a file for `ipset restore` or
//! in a shell script. Knows what the words are, not what follows from them.

use super::super::super::words::{is_torn, number, unquoted, words};
use super::kept::SetsChange;
use crate::RejectReason;

/// What a set of some type holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum SetKind {
    /// Addresses and nothing else: `hash:ip`, `hash:net`, `bitmap:ip` and their
    /// old names. What was not created in the file is taken for such a set.
    #[default]
    Addresses,
    /// Addresses with a port, a mark, an interface, or under a mask with gaps:
    /// to block the address would block more than is in the set.
    MoreThanAddresses,
    /// Ports, other sets, or hardware addresses.
    WithoutAddresses,
}

/// What is one element of a set of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum Grain {
    /// Nobody knows.
    #[default]
    Unknown,
    Networks,
    Addresses,
}

/// A set, as far as its entries depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Created {
    pub kind: SetKind,
    pub grain: Grain,
    /// The seconds that an entry has if it does not say.
    pub timeout: Option<u64>,
    /// The prefix length to which the kernel shortens entries.
    pub netmask: Option<u8>,
}

/// An entry and what stands beside it.
pub(in super::super) struct Added<'a> {
    pub entry: &'a [u8],
    pub timeout: Option<u64>,
    pub nomatch: bool,
}

/// What a line does.
pub(super) enum IpsetCommand<'a> {
    Create(&'a [u8], Created),
    Add(&'a [u8], Added<'a>),
    Delete(&'a [u8], &'a [u8]),
    Change(SetsChange<'a>),
    /// Something without a say about which entries there are.
    Other,
}

/// How a command may begin that is [`IpsetCommand::Other`].
const OTHERS: [&[u8]; 15] = [
    b"COMMIT",
    b"save",
    b"-S",
    b"--save",
    b"list",
    b"-L",
    b"--list",
    b"test",
    b"-T",
    b"--test",
    b"restore",
    b"-R",
    b"--restore",
    b"version",
    b"help",
];

/// Options without a value that may stand anywhere.
const FLAGS: [&[u8]; 7] = [b"-exist", b"--exist", b"-!", b"-quiet", b"-q", b"forceadd", b"-file"];

/// Reads a line that is neither blank nor a comment.
pub(super) fn command(line: &[u8]) -> Result<IpsetCommand<'_>, RejectReason> {
    let mut words = words(line).filter(|word| !FLAGS.contains(word)).peekable();
    let is_program = |word: &[u8]| word == b"ipset" || word.ends_with(b"/ipset");
    words.next_if(|word| *word == b"sudo");
    let shell = words.next_if(|word| is_program(word)).is_some();
    match words.next().unwrap_or_default() {
        b"create" | b"n" | b"-N" | b"--create" => {
            let name = words.next().ok_or(RejectReason::Foreign)?;
            let kind = words.next().ok_or(RejectReason::Foreign)?;
            Ok(IpsetCommand::Create(unquoted(name), created(kind, words)?))
        }
        b"add" | b"-A" | b"--add" => {
            let name = words.next().ok_or(RejectReason::Foreign)?;
            let entry = words.next().ok_or(RejectReason::MissingField)?;
            Ok(IpsetCommand::Add(unquoted(name), added(entry, words, shell)?))
        }
        b"del" | b"-D" | b"--del" => {
            let name = words.next().ok_or(RejectReason::Foreign)?;
            let entry = words.next().ok_or(RejectReason::MissingField)?;
            let entry = added(entry, words, shell)?.entry;
            Ok(IpsetCommand::Delete(unquoted(name), entry))
        }
        b"flush" | b"-F" | b"--flush" | b"destroy" | b"x" | b"-X" | b"--destroy" => {
            let name = words.next().map(bare).filter(|name| !is_shell(name));
            Ok(IpsetCommand::Change(SetsChange::Empty(name)))
        }
        b"swap" | b"w" | b"-W" | b"--swap" => {
            let [one, other] = [words.next(), words.next()].map(|word| word.map(bare));
            let both = one.zip(other).ok_or(RejectReason::Foreign)?;
            Ok(IpsetCommand::Change(SetsChange::Swap(both.0, both.1)))
        }
        b"rename" | b"e" | b"-E" | b"--rename" => {
            let [from, to] = [words.next(), words.next()].map(|word| word.map(bare));
            let both = from.zip(to).ok_or(RejectReason::Foreign)?;
            Ok(IpsetCommand::Change(SetsChange::Rename(both.0, both.1)))
        }
        word if OTHERS.contains(&word) => Ok(IpsetCommand::Other),
        _ => Err(RejectReason::Foreign),
    }
}

/// The name of a set without what a shell has around it.
fn bare(word: &[u8]) -> &[u8] {
    unquoted(word.strip_suffix(b";").unwrap_or(word))
}

pub(in super::super) fn created<'a>(
    kind: &[u8],
    mut words: impl Iterator<Item = &'a [u8]>,
) -> Result<Created, RejectReason> {
    let grain = match kind {
        b"hash:net" | b"nethash" => Grain::Networks,
        _ => Grain::Addresses,
    };
    let kind = match kind {
        b"hash:ip" | b"hash:net" | b"bitmap:ip" | b"iphash" | b"nethash" | b"ipmap" | b"iptree"
        | b"iptreemap" => SetKind::Addresses,
        b"bitmap:port" | b"list:set" | b"hash:mac" | b"portmap" | b"setlist" => {
            SetKind::WithoutAddresses
        }
        _ => SetKind::MoreThanAddresses,
    };
    let mut created = Created { kind, grain, ..Created::default() };
    while let Some(word) = words.next() {
        let mut value = || words.next().and_then(number).ok_or(RejectReason::Number);
        match word {
            b"timeout" | b"--timeout" => created.timeout = Some(value()?),
            b"netmask" | b"--netmask" => {
                let length =
                    u8::try_from(value()?).ok().filter(|length| (1..=128).contains(length));
                created.netmask = Some(length.ok_or(RejectReason::Number)?);
            }
            b"bitmask" => created.kind = SetKind::MoreThanAddresses,
            _ => {}
        }
    }
    Ok(created)
}

pub(in super::super) fn added<'a>(
    entry: &'a [u8],
    mut words: impl Iterator<Item = &'a [u8]>,
    shell: bool,
) -> Result<Added<'a>, RejectReason> {
    let ended = entry.strip_suffix(b";").filter(|_| shell);
    let entry = unquoted(ended.unwrap_or(entry));
    let mut added = Added { entry, timeout: None, nomatch: false };
    if ended.is_some() {
        return Ok(added);
    }
    while let Some(word) = words.next() {
        match word {
            b"nomatch" => added.nomatch = true,
            b"timeout" | b"--timeout" => {
                let value = words.next().map(|value| value.strip_suffix(b";").unwrap_or(value));
                added.timeout = Some(value.and_then(number).ok_or(RejectReason::Number)?);
            }
            b"packets" | b"bytes" | b"comment" | b"skbmark" | b"skbprio" | b"skbqueue" => {
                words.next().filter(|value| !is_torn(value)).ok_or(RejectReason::Trailing)?;
            }
            _ if shell && is_shell(word) => break,
            _ => return Err(RejectReason::Trailing),
        }
    }
    Ok(added)
}

/// Whether a word ends a command or sends its output somewhere.
fn is_shell(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"1").or_else(|| word.strip_prefix(b"2")).unwrap_or(word);
    word.first().is_some_and(|first| b">&|;#".contains(first))
}
