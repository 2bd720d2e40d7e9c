//! The corpus as rows: what a line is, and what each program makes of it. It
//! knows how the file is written, and no program.

use std::fmt::Write as _;

/// What stands in the columns where nothing was made of a line without a word
/// about it, where somebody complained, and where a name was looked up.
pub(crate) const NOTHING: &str = "nothing";
pub(crate) const ERROR: &str = "error";
pub(crate) const LOOKS_UP: &str = "looks up";
/// Before denyset's reason.
pub(crate) const REJECT: &str = "reject: ";

/// The names of the columns of the peers.
pub(crate) const PEERS: [&str; 3] = ["ipset", "iprange", "inet_aton"];

const FILE: &str = include_str!("corpus.tsv");

/// One line, and what becomes of it.
pub(crate) struct Row {
    /// Where it stands in the file.
    pub(crate) number: usize,
    /// As it is written in the file.
    pub(crate) escaped: &'static str,
    /// The line itself, without its end.
    pub(crate) text: Vec<u8>,
    /// What denyset must make of it.
    pub(crate) denyset: &'static str,
    /// What each of the [`PEERS`] makes of it.
    pub(crate) peers: [&'static str; 3],
}

impl Row {
    /// The addresses that the line names, if it is an entry.
    pub(crate) fn entry(&self) -> Option<&'static str> {
        Some(self.denyset).filter(|meaning| *meaning != NOTHING && !meaning.starts_with(REJECT))
    }

    /// The reason for which it must be rejected.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.denyset.strip_prefix(REJECT)
    }

    /// How many lines that are not blank it is to a program for which a
    /// carriage return ends one.
    pub(crate) fn lines(&self) -> usize {
        self.text.split(|&byte| byte == b'\r').filter(|line| !line.is_empty()).count()
    }

    /// The row as it would stand in the file with these peers.
    pub(crate) fn with(&self, peers: &[String; 3]) -> String {
        [&[self.escaped, self.denyset][..], &peers.each_ref().map(String::as_str)]
            .concat()
            .join("\t")
    }
}

/// All rows of the file.
pub(crate) fn rows() -> Vec<Row> {
    let lines = (1..).zip(FILE.lines()).filter(|(_, line)| line.contains('\t'));
    lines.map(|(number, line)| row(number, line)).collect()
}

fn row(number: usize, line: &'static str) -> Row {
    let columns: Vec<_> = line.split('\t').collect();
    let [escaped, denyset, peers @ ..] = &columns[..] else { panic!("{number}: {line}") };
    let peers = peers.try_into().unwrap_or_else(|_| panic!("{number}: five columns: {line}"));
    let text = unescaped(escaped).unwrap_or_else(|| panic!("{number}: an escape: {escaped}"));
    Row { number, escaped, text, denyset, peers }
}

/// The bytes that are written as `\\`, `\t`, `\r`, `\xHH`, `\u{HHHH}`, or as
/// themselves; `\{N}` has the character before it stand N times.
fn unescaped(written: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut last = Vec::new();
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first == '\\' {
            (last, rest) = escape(rest, &last)?;
        } else {
            last = first.to_string().into_bytes();
        }
        bytes.extend_from_slice(&last);
    }
    Some(bytes)
}

/// The bytes that an escape adds after `last`, and what follows it.
fn escape<'a>(written: &'a str, last: &[u8]) -> Option<(Vec<u8>, &'a str)> {
    let (kind, rest) = written.split_at_checked(1)?;
    Some(match kind {
        "\\" => (b"\\".to_vec(), rest),
        "t" => (b"\t".to_vec(), rest),
        "r" => (b"\r".to_vec(), rest),
        "x" => {
            let (digits, rest) = rest.split_at_checked(2)?;
            (vec![u8::from_str_radix(digits, 16).ok()?], rest)
        }
        "u" => {
            let (digits, rest) = rest.strip_prefix('{')?.split_once('}')?;
            let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            (character.to_string().into_bytes(), rest)
        }
        "{" => {
            let (times, rest) = rest.split_once('}')?;
            (last.repeat(times.parse::<usize>().ok()?.checked_sub(1)?), rest)
        }
        _ => return None,
    })
}

/// A part of the corpus as a feed file, each line with its end.
pub(crate) fn feed<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<u8> {
    rows.into_iter().flat_map(|row| [&row.text[..], b"\n"].concat()).collect()
}

/// Rows for a message, as many as can be read.
pub(crate) fn shown(rows: &[String]) -> String {
    let mut text = String::new();
    for row in rows.iter().take(100) {
        let _ = writeln!(text, "{row}");
    }
    text
}

#[test]
fn an_escape_stands_for_its_bytes() {
    let check = |written, want: Option<&[u8]>| assert_eq!(unescaped(written).as_deref(), want);
    check("192.0.2.1", Some(b"192.0.2.1"));
    check(r"\x20a\tb\r\\\xff\x00", Some(b" a\tb\r\\\xff\0"));
    check(r"\u{feff}1\u{a0}", Some("\u{feff}1\u{a0}".as_bytes()));
    check(r"1a\{3}b", Some(b"1aaab"));
    check(r"\x20\{2}", Some(b"  "));
    check("", Some(b""));
    for wrong in [r"\", r"\n", r"\x2", r"\xg0", r"\u{}", r"\u{d800}", r"\u41", r"\{0}"] {
        check(wrong, None);
    }
}
