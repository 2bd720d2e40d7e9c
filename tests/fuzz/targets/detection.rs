//! Which format a text is taken for depends on neither chance, nor a byte order
//! mark, nor the kind of its line ends, and no plain list is taken for anything
//! that reads it otherwise without a doubt.
#![no_main]

use blocklist::{Feed, Format, FormatChoice, Limits, Options, detect, parse};

const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    if matches!(text, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        // Of UTF-16 the text counts that the bytes stand for.
        return;
    }
    let format = detect(text);
    assert_eq!(detect(text), format);
    assert_eq!(FormatChoice::Auto.for_bytes(text, &Options::default()), format);
    let limits = Limits::default();
    let feed = parse(text, FormatChoice::Auto, &limits);
    // Whoever names the format settles what is in doubt, and nothing else. Of
    // several doubts the first is told, which may be settled and another not.
    let named = parse(text, format, &limits);
    if let Some(left) = &named.doubt {
        let first = feed.doubt.as_ref().expect("a doubt that the format leaves is one without it");
        assert!(left == first || first.line <= left.line, "{left:?} before {first:?}");
    }
    // A list that says of itself that it welcomes whom it names blocks nobody,
    // unless somebody has named its format.
    let welcomes = feed.exempted.is_some() && named.exempted.is_none();
    if welcomes {
        assert!(feed.prefixes.is_empty(), "{feed:?}");
        assert_eq!(feed.exempted.as_ref(), Some(&named.prefixes));
    } else {
        assert_eq!(feed, Feed { doubt: feed.doubt.clone(), ..named });
    }
    if MARKS.iter().all(|mark| !text.starts_with(mark)) {
        assert_eq!(detect(&[MARKS[0], text].concat()), format, "with a mark");
    }
    if !text.contains(&b'\r') {
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        for end in ["\r\n", "\r"] {
            assert_eq!(detect(&lines.join(end.as_bytes())), format, "with {end:?}");
        }
    }
    let plain = parse(text, Format::Plain, &limits);
    if !welcomes && feed.doubt.is_none() && plain.tally.entries > 0 && plain.tally.rejected == 0 {
        assert_eq!(feed.prefixes, plain.prefixes, "a plain list taken for {format}");
        assert_eq!(feed.tally.rejected, 0, "a plain list taken for {format}");
    }
});
