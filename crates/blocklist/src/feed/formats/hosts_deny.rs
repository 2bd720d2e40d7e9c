//! `hosts.deny` of TCP wrappers: `DAEMONS : CLIENTS [: OPTIONS]`. Source:
//! `hosts_access(5)`, `hosts_options(5)`.
//!
//! * Clients are entries if they are addresses, prefixes or addresses with a
//!   mask, IPv6 in brackets, or the beginning of an address with a dot at its
//!   end: `192.0.`. Several stand with blanks or commas between them.
//! * IPv6 addresses without brackets are read as well, as `DenyHosts` and others
//!   write them, if nothing but options follows: `ALL: 2001:db8::1`.
//! * Names of hosts, `ALL`, `LOCAL` and the other wildcards, `@netgroup`,
//!   `user@host` and files are ignored: nothing here ever means everybody.
//! * What stands behind `EXCEPT` is an exception, but not to `ALL`. With the
//!   option `allow` the line allows; the first line that names an address counts.
//! * `hosts.allow` has the same lines and means the opposite. Where the comment at
//!   the top has that name, as distributions write it, all are exceptions.

use std::ops::ControlFlow;

use super::super::addresses::{beginning, is_everything, is_host_name, network};
use super::super::detect::{Head, Likeness};
use super::super::precedence::FirstMatch;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::{Entry, RejectReason};

const WILDCARDS: [&[u8]; 5] = [b"ALL", b"LOCAL", b"KNOWN", b"UNKNOWN", b"PARANOID"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let allows = bytes.windows(5).any(|word| word.eq_ignore_ascii_case(b"allow"));
    let mut rules = FirstMatch::new(allows);
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| match Rule::of(said) {
        Some(rule) => {
            if rule.has_verdict {
                visit.rules();
            }
            if !rule.is_of_daemons() {
                visit.doubt(line, Why::Structure("a key has a value"));
            }
            rule.tell(line, &mut rules, visit)
        }
        None => visit.read(line, Err(RejectReason::Foreign)),
    });
    if is_hosts_allow(bytes) {
        visit.all_welcome();
    }
    shape
}

/// Whether the comment at the top names the file `hosts.allow` before `hosts.deny`,
/// which has the same lines.
fn is_hosts_allow(bytes: &[u8]) -> bool {
    let comments = lines::all(bytes).take_while(|line| matches!(line, [] | [b'#', ..]));
    let named = |line: &[u8], name| memchr::memmem::find(line, name);
    let first = comments.into_iter().find_map(|line| {
        let at = [named(line, b"hosts.allow"), named(line, b"hosts.deny")];
        at.iter().any(Option::is_some).then_some(at)
    });
    matches!(first, Some([Some(_), None]))
        || matches!(first, Some([Some(allow), Some(deny)]) if allow < deny)
}

/// Sure if most lines have daemons, and clients that are not only names, or
/// everybody.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| {
        Rule::of(line).is_some_and(|rule| {
            let known = |word| matches!(client(word), Ok(Some(_))) || WILDCARDS.contains(&word);
            clients(rule.clients).any(known)
        })
    })
}

/// Daemons that ask TCP wrappers, beside those whose name begins with `in.` or
/// `rpc.`. Other words before a colon are keys of some other file.
const DAEMONS: [&[u8]; 41] = [
    b"ALL",
    b"sshd",
    b"sshd1",
    b"sshd2",
    b"sshdfwd-x11",
    b"ssh",
    b"dropbear",
    b"vsftpd",
    b"proftpd",
    b"pure-ftpd",
    b"wu-ftpd",
    b"ftpd",
    b"ftp",
    b"tftpd",
    b"telnetd",
    b"portmap",
    b"rpcbind",
    b"mountd",
    b"nfsd",
    b"statd",
    b"lockd",
    b"rquotad",
    b"ypserv",
    b"slapd",
    b"sendmail",
    b"exim",
    b"exim4",
    b"popa3d",
    b"pop3d",
    b"ipop3d",
    b"imapd",
    b"dovecot",
    b"cyrus",
    b"snmpd",
    b"smbd",
    b"nmbd",
    b"xinetd",
    b"stunnel",
    b"stunnel4",
    b"mysqld",
    b"sockd",
];

/// A line in its parts.
struct Rule<'a> {
    daemons: &'a [u8],
    clients: &'a [u8],
    allows: bool,
    /// Whether an option says what becomes of the clients.
    has_verdict: bool,
}

impl<'a> Rule<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(Some(line));
        let daemons = fields.next()?.trim_ascii();
        let bare = fields.0.and_then(bare_ipv6);
        let clients = match bare {
            Some((client, rest)) => {
                fields = Fields(rest);
                client
            }
            None => fields.next()?,
        };
        let daemon = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.@, \t".contains(byte);
        let named = daemons.first().is_some_and(u8::is_ascii_alphabetic);
        let mut verdict = None;
        for option in fields.map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"allow") || option.eq_ignore_ascii_case(b"deny") {
                verdict.get_or_insert(option.eq_ignore_ascii_case(b"allow"));
            }
        }
        let (allows, has_verdict) = (verdict == Some(true), verdict.is_some());
        (named && daemons.iter().all(daemon)).then_some(Self {
            daemons,
            clients,
            allows,
            has_verdict,
        })
    }

    /// Whether all daemons are some that ask TCP wrappers.
    fn is_of_daemons(&self) -> bool {
        clients(self.daemons).all(|daemon| {
            let name = daemon.split(|&byte| byte == b'@').next().unwrap_or(daemon);
            let service = name.starts_with(b"in.") || name.starts_with(b"rpc.");
            service || name == b"EXCEPT" || DAEMONS.contains(&name)
        })
    }

    fn tell(
        self,
        line: Line<'_>,
        rules: &mut FirstMatch,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let (mut excepted, mut everybody) = (false, false);
        for word in clients(self.clients) {
            if word == b"EXCEPT" {
                excepted = !excepted;
                continue;
            }
            everybody |= word == b"ALL";
            match client(word) {
                Err(reason) => visit.reject(line, reason),
                Ok(Some(entry)) if !excepted && self.allows => rules.allow(line, entry, visit)?,
                Ok(Some(entry)) if !excepted => rules.block(line, entry, visit)?,
                Ok(Some(entry)) if !everybody && !self.allows => visit.exception(line, entry)?,
                Ok(_) => visit.ignore(line),
            }
        }
        ControlFlow::Continue(())
    }
}

/// An IPv6 address or prefix without brackets at the beginning of a text, and
/// the options behind it, if it is the only client.
fn bare_ipv6(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let text = text.trim_ascii();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = (&text[..end], text[end..].trim_ascii_start());
    // The colon before options may stand right behind the address.
    let closed = word.strip_suffix(b":").filter(|_| !word.ends_with(b"::"));
    let options = match (closed, rest.strip_prefix(b":")) {
        (Some(_), _) => Some(rest),
        (None, Some(options)) => Some(options),
        (None, None) if rest.is_empty() => None,
        (None, None) => return None,
    };
    let client = closed.unwrap_or(word);
    (client.contains(&b':') && network(client).is_ok()).then_some((client, options))
}

/// The parts of a line between colons that are in no brackets.
struct Fields<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let mut inside = false;
        let end = rest.iter().position(|&byte| {
            inside = byte == b'[' || inside && byte != b']';
            byte == b':' && !inside
        });
        self.0 = end.map(|end| &rest[end + 1..]);
        Some(end.map_or(rest, |end| &rest[..end]))
    }
}

fn clients(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
    words.filter(|word| !word.is_empty())
}

/// What a pattern names, if it is about addresses and not about everybody.
fn client(word: &[u8]) -> Result<Option<Entry>, RejectReason> {
    let named = WILDCARDS.contains(&word)
        || word.contains(&b'@')
        || matches!(word, [b'/', _, ..] | [b'.', ..])
        || is_host_name(word);
    if named {
        return Ok(None);
    }
    let entry = match (beginning(word), bracketed(word)) {
        (Some(entry), _) => entry,
        (None, Some(address)) => network(&address)?,
        (None, None) => network(word)?,
    };
    Ok(Some(entry).filter(|&entry| !is_everything(entry)))
}

/// `[2001:db8::]/32` without its brackets.
fn bracketed(word: &[u8]) -> Option<Vec<u8>> {
    let inside = word.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', inside)?;
    let (address, length) = (&inside[..end], &inside[end + 1..]);
    let fits = address.contains(&b':') && (length.is_empty() || length.starts_with(b"/"));
    fits.then(|| [address, length].concat())
}
