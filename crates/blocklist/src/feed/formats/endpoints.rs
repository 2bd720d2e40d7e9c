//! Addresses with a port, and URLs with an address as host, one a line or in a
//! column or field: `192.0.2.1:443`, `[2001:db8::1]:443`,
//! `http://192.0.2.1:8080/x`. `ThreatFox`, `URLhaus` and others publish such
//! lists. Source: RFC 3986, section 3.2; <https://threatfox.abuse.ch/export/>,
//! <https://urlhaus.abuse.ch/api/>.
//!
//! * The address is an entry, whatever its port and path are: whoever names this
//!   format has decided that the whole host is meant. Addresses alone are entries
//!   too. Names of hosts are ignored: nobody is asked.
//! * With `column` the file is a table with commas, with `path` a document; then
//!   `where` takes some of the rows or records: `where = ["ioc_type = ip:port"]`.
//!   The header of a table may stand in its last comment.
//! * `#` begins a line of comment.
//!
//! A port is no part of what is blocked, so that the configuration has to name
//! the format: no file is taken for it.

use std::ops::ControlFlow;

use super::super::addresses::is_host_name;
use super::super::csv::Splitter;
use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, JsonPath, Paths, refuse};
use super::super::visit::{Line, Visit};
use super::super::{Column, Limits, Options, Shape, lines, text};
use crate::{AnyPrefix, Entry, RejectReason, parse_address};

/// Reads all lines, rows or values, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    match (options.path.as_deref().map(JsonPath::list), &options.column) {
        (Some(Err(_)), _) => refuse(bytes, limits, RejectReason::Path, visit),
        (Some(Ok(paths)), _) => {
            let paths = Paths::from(&paths[..]);
            let mut kind = DocumentKind::of(&paths, "the configured `path`");
            kind.records.conditions = &options.conditions;
            json::read(bytes, &kind, limits, visit, |_, raw, places, visit| {
                let value = json::text(raw);
                tell(places.line_of(raw.get()), value.as_deref().unwrap_or("").as_bytes(), visit)
            })
        }
        (None, Some(column)) => read_table(bytes, column, options, limits, visit),
        (None, None) => lines::each(bytes, limits, b"#", visit, tell_line),
    }
}

/// Never: see above.
pub(in super::super) const fn resembles(_: &Head<'_>) -> Likeness {
    Likeness::None
}

fn tell_line<'a, V: Visit>(line: Line<'a>, said: &'a [u8], visit: &mut V) -> ControlFlow<()> {
    tell(line, said, visit)
}

fn read_table(
    bytes: &[u8],
    column: &Column,
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut names: Vec<String> = Vec::new();
    let mut rows = false;
    let mut splitter = Splitter::new(b',');
    lines::each(bytes, limits, b"", visit, |line, said, visit| {
        let comment = said.strip_prefix(b"#").map(text::trim);
        let header = splitter.split(comment.unwrap_or(said));
        let place = |names: &[String], column: &Column| match column {
            Column::Number(number) => usize::from(*number).checked_sub(1),
            Column::Name(name) => names.iter().position(|known| known == name),
        };
        // The names stand in the last comment, or else in the first row.
        if comment.is_some()
            || !rows && matches!(column, Column::Name(_)) && place(&names, column).is_none()
        {
            if header.len() > 1 {
                names = header
                    .iter()
                    .map(|name| String::from_utf8_lossy(unquoted(name)).into_owned())
                    .collect();
            }
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        rows = true;
        let field =
            |column: &Column| place(&names, column).and_then(|at| header.get(at)).map(unquoted);
        let fits = options.conditions.iter().all(|condition| {
            let value = field(&Column::of(condition.field()));
            condition.fits(value.map(String::from_utf8_lossy).as_deref())
        });
        match field(column).filter(|field| !field.is_empty()) {
            _ if !fits => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            Some(value) => tell(line, value, visit),
            None => visit.read(line, Err(RejectReason::MissingField)),
        }
    })
}

/// A field without quotes that stand behind a blank, as abuse.ch writes them.
fn unquoted(field: &[u8]) -> &[u8] {
    let field = text::trim(field);
    field.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(field)
}

fn tell(line: Line<'_>, value: &[u8], visit: &mut impl Visit) -> ControlFlow<()> {
    let host = host(value);
    visit.read_unless(parse_address(host).is_err() && is_host_name(host), line, || {
        let entry = parse_address(host)?;
        Ok(Entry { range: AnyPrefix::host(entry).into(), masked: false })
    })
}

/// The host of a URL, or of what stands before a port.
fn host(value: &[u8]) -> &[u8] {
    let authority = match memchr::memmem::find(value, b"://") {
        Some(at) => {
            let rest = &value[at + 3..];
            let end = rest.iter().position(|byte| b"/?#\\".contains(byte)).unwrap_or(rest.len());
            let rest = &rest[..end];
            &rest[memchr::memrchr(b'@', rest).map_or(0, |at| at + 1)..]
        }
        None => value,
    };
    if let Some(inside) = authority.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', inside) else { return authority };
        return if is_port(&inside[end + 1..]) { &inside[..end] } else { authority };
    }
    match memchr::memchr(b':', authority) {
        Some(at) if is_port(&authority[at..]) => &authority[..at],
        _ => authority,
    }
}

/// Nothing, or a colon with a number behind it.
fn is_port(text: &[u8]) -> bool {
    let number = |port: &[u8]| {
        !port.is_empty() && str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok())
    };
    text.is_empty() || text.strip_prefix(b":").is_some_and(number)
}
