//! Compressed feeds: good ones of every kind, and all that a stranger may send
//! instead.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

use blocklist::{Format, FormatChoice, Guard, Limits, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::super::{Store, Taken, expand, read_path};
use super::{Home, Reading, name};

const BYTES_MAX: u64 = 64 << 20;
const FEED: &[u8] = b"192.0.2.1\n2001:db8::/32\n";
const KINDS: [&str; 5] = ["gzip", "zstd", "xz", "bzip2", "zip"];

fn compress(kind: &str, bytes: &[u8]) -> Vec<u8> {
    match kind {
        "gzip" => {
            let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            file.write_all(bytes).expect("written");
            file.finish().expect("finished")
        }
        "zstd" => compress_to_vec(bytes, CompressionLevel::Fastest),
        "xz" => {
            let options = lzma_rust2::XzOptions::with_preset(6);
            let mut file = lzma_rust2::XzWriter::new(Vec::new(), options).expect("begun");
            file.write_all(bytes).expect("written");
            file.finish().expect("finished")
        }
        "bzip2" => {
            let mut file = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            file.write_all(bytes).expect("written");
            file.finish().expect("finished")
        }
        "zip" => zip(&[("feed.txt", CompressionMethod::DEFLATE, bytes)]),
        _ => panic!("no such kind: {kind}"),
    }
}

/// A zip file with these members. A name with a slash at its end is a
/// directory's.
fn zip(members: &[(&str, CompressionMethod, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for &(path, method, bytes) in members {
        if path.ends_with('/') {
            archive.new_dir(path).create().expect("a directory");
            continue;
        }
        let (mut member, config) =
            archive.new_file(path).compression_method(method).start().expect("a member");
        let level = flate2::Compression::best();
        let descriptor = if method == CompressionMethod::DEFLATE {
            let mut data = config.wrap(flate2::write::DeflateEncoder::new(&mut member, level));
            data.write_all(bytes).expect("written");
            let (deflated, descriptor) = data.finish().expect("finished");
            deflated.finish().expect("finished");
            descriptor
        } else {
            let mut data = config.wrap(&mut member);
            data.write_all(bytes).expect("written");
            data.finish().expect("finished").1
        };
        member.finish(descriptor).expect("finished");
    }
    archive.finish().expect("finished")
}

/// What a file expands to, or why it does not, without what a decoder adds.
fn check(what: &str, file: &[u8], want: Result<&[u8], &str>) {
    let got = expand(file.to_vec(), BYTES_MAX).map_err(|refusal| {
        assert_eq!(refusal.guard, Guard::Readable, "{what}");
        refusal.found
    });
    match want {
        Ok(want) => assert_eq!(got.as_deref(), Ok(want), "{what}"),
        Err(want) => {
            let found = got.expect_err(what);
            assert!(found.starts_with(want), "{what}: {found}");
        }
    }
}

#[test]
fn what_is_compressed_is_expanded_once_and_text_is_left_alone() {
    for kind in KINDS {
        check(kind, &compress(kind, FEED), Ok(FEED));
        let large: Vec<u8> =
            (0..200_000_u32).flat_map(|n| format!("{n:x}\n").into_bytes()).collect();
        check(kind, &compress(kind, &large), Ok(&large));
        check(kind, &compress(kind, b""), Ok(b""));
        for outer in KINDS {
            let nested = compress(outer, &compress(kind, FEED));
            check(kind, &nested, Err(&format!("a {outer} file with a {kind} file in it")));
        }
    }
    for text in [FEED, b"", b"BZh9 is no address\n", b"PK\n", b"\x1f", b"(\xb5/", b"LZIP list\n"] {
        check("text", text, Ok(text));
    }
}

#[test]
fn several_files_of_a_kind_one_behind_the_other_are_one() {
    for kind in ["gzip", "zstd", "xz", "bzip2"] {
        let twice = [compress(kind, FEED), compress(kind, b"192.0.2.2\n")].concat();
        check(kind, &twice, Ok(b"192.0.2.1\n2001:db8::/32\n192.0.2.2\n"));
    }
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let frame = compress("zstd", FEED);
    check("skipped first", &[&skipped[..], &frame].concat(), Ok(FEED));
    check("skipped last", &[&frame, &skipped[..]].concat(), Ok(FEED));
    check("only skipped", skipped, Ok(b""));
    let short = b"\x50\x2a\x4d\x18\xff\xff\xff\xffabc";
    check("skipped too far", short, Err("a zstd file that is damaged"));
}

#[test]
fn what_is_cut_off_or_followed_by_something_is_damaged() {
    for kind in KINDS {
        let damaged = format!("a {kind} file that is damaged: ");
        let whole = compress(kind, &FEED.repeat(20));
        for end in 10..whole.len() {
            check(kind, &whole[..end], Err(&damaged));
        }
        for garbage in [&b"x"[..], b"192.0.2.1\n", b"<html>", &[0; 4], &[0xff; 600]] {
            // Xz may be padded with zeros to a multiple of four (section 2.2).
            if kind == "xz" && garbage == [0; 4] {
                continue;
            }
            check(kind, &[&whole, garbage].concat(), Err(&damaged));
        }
    }
}

#[test]
fn a_checksum_that_is_wrong_is_noticed() {
    for kind in KINDS {
        let feed: Vec<u8> = (0..2_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let whole = compress(kind, &feed);
        for at in (20..whole.len() - 60).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            // Some bytes say nothing: names, times, comments.
            if let Ok(got) = expand(changed, BYTES_MAX) {
                assert_eq!(got, feed, "{kind}: byte {at}");
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let (zeros, lines) = (vec![0; 16 << 20], vec![b'\n'; 16 << 20]);
    for kind in KINDS {
        let found = format!("a {kind} file with NUL bytes in it");
        check(kind, &compress(kind, &zeros), Err(&found));
        let bomb = compress(kind, &lines);
        let most = (bomb.len() * 200).max(1 << 20);
        let found =
            format!("a {kind} file of {} bytes that expands to more than {most} bytes", bomb.len());
        check(kind, &bomb, Err(&found));
        let lines = compress(kind, &b"192.0.2.1\n".repeat(100_000));
        let all = expand(lines.clone(), BYTES_MAX).expect("within the limits").len();
        assert_eq!(all, 1_000_000, "{kind}");
        let refusal = expand(lines, 999_999).expect_err(kind);
        assert_eq!(refusal.expected, "at most 999999 bytes when expanded", "{kind}");
    }
    let empty: Vec<u8> = compress("gzip", b"").repeat(100_000);
    check("members without content", &empty, Ok(b""));
}

#[test]
fn a_zip_file_has_one_file_in_it() {
    let deflate = CompressionMethod::DEFLATE;
    let store = CompressionMethod::STORE;
    check("stored", &zip(&[("a", store, FEED)]), Ok(FEED));
    check("in a folder", &zip(&[("a/", store, b""), ("a/b.csv", deflate, FEED)]), Ok(FEED));
    let damaged = |why: &str| format!("a zip file that is damaged: {why}");
    let check = |what, file: &[u8], why| check(what, file, Err(&damaged(why)));
    check("nothing", &zip(&[]), "there is no file in it");
    check("a folder", &zip(&[("a/", store, b"")]), "there is no file in it");
    let two = zip(&[("a", store, FEED), ("b", deflate, FEED)]);
    check("two", &two, "there is more than one file in it");
    let mut encrypted = zip(&[("a", store, FEED)]);
    let directory = encrypted.windows(4).position(|w| w == b"PK\x01\x02").expect("a directory");
    encrypted[directory + 8] |= 1;
    check("encrypted", &encrypted, "it is encrypted");
    let mut method = zip(&[("a", store, FEED)]);
    method[directory + 10] = 9;
    check("deflate64", &method, "its method is neither deflate nor store");
}

#[test]
fn archives_of_other_kinds_are_named() {
    let mut tar = vec![0; 1_024];
    tar[..4].copy_from_slice(b"feed");
    tar[257..262].copy_from_slice(b"ustar");
    check("tar", &tar, Err("a tar file"));
    check("tar.gz", &compress("gzip", &tar), Err("a gzip file with a tar file in it"));
    check("7z", b"7z\xbc\xaf\x27\x1c\0\x04", Err("a 7z file"));
    check("rar", b"Rar!\x1a\x07\x01\0", Err("a rar file"));
    check("lz4", b"\x04\x22\x4d\x18\x64", Err("a lz4 file"));
}

#[test]
fn a_dictionary_larger_than_any_honest_one_is_not_made() {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 1 << 30;
    let mut file = lzma_rust2::XzWriter::new(Vec::new(), options).expect("begun");
    file.write_all(FEED).expect("written");
    let file = file.finish().expect("finished");
    check("xz", &file, Err("a xz file that is damaged: "));
    // A window of two gigabytes: exponent 21 above 1 KiB.
    let frame = [b"\x28\xb5\x2f\xfd\x00".as_slice(), &[21 << 3], b"\x01\0\0"].concat();
    check("zstd", &frame, Err("a zstd file that is damaged: "));
}

fn reading(home: &Home, store: &Store) -> Taken {
    Reading { format: FormatChoice::Auto, ..Reading::default() }.against(home, store, "feed")
}

#[test]
fn the_last_good_copy_is_the_expanded_feed_however_it_comes() {
    let home = Home::new();
    let mut store = Store::open(&home.state()).expect("a store");
    let path = home.feeds().join("feed");
    fs::write(&path, compress("gzip", FEED)).expect("a file");
    let Taken::New { feed, draft, .. } = reading(&home, &store) else { panic!("not new") };
    assert_eq!((feed.format, feed.tally.entries), (Format::Plain, 2));
    store.keep(draft.expect("room"), SystemTime::now()).expect("kept");
    let kept = store.copies().load(&name("feed")).expect("good").expect("there");
    assert_eq!(kept.bytes, FEED);
    for kind in KINDS {
        fs::write(&path, compress(kind, FEED)).expect("a file");
        assert!(matches!(reading(&home, &store), Taken::Same(_)), "{kind}");
        let read =
            read_path(&path, FormatChoice::Auto, &Options::default(), &Limits::default(), 1 << 20);
        assert_eq!(read.expect("a feed").tally.entries, 2, "{kind}");
    }
    fs::write(&path, FEED).expect("a file");
    assert!(matches!(reading(&home, &store), Taken::Same(_)));
    fs::write(&path, &compress("xz", FEED)[..40]).expect("a file");
    match reading(&home, &store) {
        Taken::Refused(refusal) => assert_eq!(refusal.guard, Guard::Readable),
        other => panic!("{other:?}"),
    }
    let nowhere = read_path(
        Path::new("/dev/null"),
        FormatChoice::Auto,
        &Options::default(),
        &Limits::default(),
        9,
    );
    assert_eq!(nowhere.expect("a feed").tally.entries, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn what_is_compressed_is_read_back(bytes in vec(any::<u8>(), 0..5_000)) {
        // Whatever begins like an archive is not taken for text.
        let text = [b"#", bytes.as_slice()].concat();
        for kind in KINDS {
            prop_assert_eq!(expand(compress(kind, &text), BYTES_MAX), Ok(text.clone()));
        }
    }

    #[test]
    fn no_archive_is_too_strange(
        which in 0..KINDS.len(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = compress(KINDS[which], &FEED.repeat(30));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Ok(got) = expand(file, BYTES_MAX) {
            prop_assert!(got.len() as u64 <= BYTES_MAX);
        }
    }
}
