//! Lines found in a kept copy are those that a reading of the whole finds.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

use blocklist::{Format, Limits, Options, exemption_with, parse_with, sources_with};

use super::{Home, name};
use crate::{CopyError, Manner, Store};

/// A store in which this text is the last good copy of `feed`.
fn keep(home: &Home, text: &[u8], format: Format) -> Store {
    let mut store = Store::open(&home.state()).expect("a store");
    let options = Options::default();
    let parsed = parse_with(text, format, &options, &Limits::default());
    let drafts = store.drafts().clone();
    let written = SystemTime::UNIX_EPOCH;
    let manner = Manner { format, detected: false, options: &options };
    let laid_down = drafts.lay_down(&name("feed"), manner, text, written).expect("a draft");
    store.keep(laid_down.counted(parsed.tally), written).expect("kept");
    store
}

fn check(text: &[u8], format: Format, addresses: &[&str]) {
    let home = Home::new();
    let store = keep(&home, text, format);
    let copy = store.copies().look_into(&name("feed")).expect("good").expect("there");
    let (limits, options) = (Limits::default(), Options::default());
    for address in addresses {
        let address = address.parse().expect("an address");
        let want = sources_with(text, format, &options, &limits, address);
        let found = copy.sources(&limits, address).expect("it can be read");
        assert_eq!(found, want, "{address} in {} bytes of {format}", text.len());
        let want = exemption_with(text, format, &options, &limits, address);
        assert_eq!(copy.exemption(&limits, address).expect("it can be read"), want, "{address}");
    }
}

/// More lines than fit a piece; some name their address a second time.
fn many(end: &str) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..60_000_u32 {
        let [_, b, c, d] = number.to_be_bytes();
        write!(text, "45.{b}.{c}.{d} # {number}{end}").expect("memory takes it");
        if number % 1_000 == 0 {
            write!(text, "{end}45.{b}.{c}.{d}/31{end}").expect("memory takes it");
        }
    }
    text
}

const SOME: [&str; 6] =
    ["45.0.0.0", "45.0.0.1", "45.0.100.77", "45.0.234.95", "45.0.195.80", "192.0.2.1"];

#[test]
fn lines_are_found_wherever_a_piece_ends() {
    check(&many("\n"), Format::Plain, &SOME);
    check(&many("\r\n"), Format::Plain, &SOME);
    // No piece has an end of a line that it could be cut at.
    check(&many("\r"), Format::Plain, &SOME);
    let mut unfinished = many("\n");
    unfinished.extend(b"192.0.2.1");
    check(&unfinished, Format::Firehol, &SOME);
    check(b"\xef\xbb\xbf45.0.0.0\n", Format::Plain, &SOME);
    check(b"", Format::Plain, &SOME);
}

#[test]
fn what_stands_only_at_the_beginning_means_nothing_within() {
    let mut text = many("\n");
    // In front of every line: one of them begins a piece.
    text = text.split_inclusive(|&byte| byte == b'\n').fold(Vec::new(), |mut all, line| {
        all.extend(b"\xef\xbb\xbf");
        all.extend(line);
        all
    });
    check(&text, Format::Plain, &SOME);
}

#[test]
fn documents_are_read_as_a_whole() {
    let saved = b"create x hash:net family inet\nadd x 45.0.0.0/24\nadd x 45.0.0.1 nomatch\n";
    check(saved, Format::Ipset, &SOME);
    let mut json = b"[".to_vec();
    for number in 0..30_000_u32 {
        let [_, b, c, d] = number.to_be_bytes();
        writeln!(json, "\"45.{b}.{c}.{d}\",").expect("memory takes it");
    }
    json.extend(b"\"192.0.2.1\"]");
    check(&json, Format::Json, &SOME);
    check(b"", Format::Ipset, &SOME);
}

#[test]
fn a_copy_that_is_not_what_was_written_is_an_error() {
    let home = Home::new();
    let store = keep(&home, b"45.0.0.1\n45.0.0.2\n", Format::Plain);
    assert!(store.copies().look_into(&name("other")).expect("no copy").is_none());
    let folder = fs::read_dir(home.state().join("feeds")).expect("a folder");
    let path = folder.map(|entry| entry.expect("an entry").path()).next().expect("a copy");
    let file = OpenOptions::new().write(true).open(&path).expect("it can be opened");
    let length = file.metadata().expect("a length").len();
    file.write_all_at(b"9", length - 2).expect("damaged");
    let found = store.copies().look_into(&name("feed"));
    assert!(matches!(found, Err(CopyError::Checksum)), "{found:?}");
    file.set_len(length - 1).expect("cut");
    let found = store.copies().look_into(&name("feed"));
    assert!(matches!(found, Err(CopyError::Length { .. })), "{found:?}");
}

#[test]
fn a_copy_that_is_open_stays_what_it_is() {
    let home = Home::new();
    let store = keep(&home, b"45.0.0.1\n", Format::Plain);
    let copy = store.copies().look_into(&name("feed")).expect("good").expect("there");
    drop(store);
    let store = keep(&home, b"45.0.0.2\n", Format::Plain);
    let sources = copy.sources(&Limits::default(), "45.0.0.1".parse().expect("an address"));
    assert_eq!(sources.expect("it can be read").len(), 1);
    let newer = store.copies().look_into(&name("feed")).expect("good").expect("there");
    assert_ne!(copy.header().version(), newer.header().version());
}
