//! JSON feeds: what each kind of document means, whatever stands around it, and
//! what becomes of documents that are broken, hostile or somebody else's.

mod broken;
mod cloud;
mod crowdsec;
mod generic;
mod misp;
mod nft;
mod places;
mod written;

use blocklist::{Feed, Format, FormatChoice, Limits, Options, parse_with};

fn read(text: &str, format: impl Into<FormatChoice>, path: Option<&str>) -> Feed {
    let options = Options { path: path.map(str::to_owned), ..Options::default() };
    parse_with(text.as_bytes(), format, &options, &Limits::default())
}

/// All that a feed came to in one line: prefixes, those that end with the
/// seconds they have left, what was ignored, rejects by line, and what is wrong
/// with the document as a whole.
fn told(feed: &Feed) -> String {
    let mut told: Vec<String> = feed.prefixes.iter().map(|prefix| prefix.to_string()).collect();
    for (seconds, prefixes) in &feed.expiring {
        told.extend(prefixes.iter().map(|prefix| format!("{prefix} for {seconds}")));
    }
    if feed.tally.ignored > 0 {
        told.push(format!("ignored {}", feed.tally.ignored));
    }
    told.extend(feed.rejects.iter().map(|r| format!("line {} {:?}", r.line, r.reason)));
    assert_eq!(feed.rejects.len() as u64, feed.tally.rejected.min(20));
    for (is, word) in [
        (feed.shape.broken_document, "broken"),
        (feed.shape.error_document, "error"),
        (feed.shape.binary, "binary"),
        (feed.shape.over_entries_max, "too many"),
    ] {
        told.extend(is.then(|| word.to_owned()));
    }
    // Prefixes are displayed in their order, so a test need not know theirs.
    told.join(", ")
}

/// A document that is told to be of a format, and read as it, in any dress.
fn check(format: Format, text: &str, want: &str) {
    for dressed in [text.to_owned(), format!("\u{feff}{text}\n"), format!("{text} \r\n\t")] {
        // What a named format means is not in doubt.
        let undoubted = |choice| Feed { doubt: None, ..read(&dressed, choice, None) };
        let feed = undoubted(FormatChoice::Auto);
        assert_eq!((feed.format, told(&feed).as_str()), (format, want), "{dressed}");
        assert_eq!(undoubted(format.into()), feed, "{dressed}");
    }
}

/// A document that has to be said to be of a format.
fn check_as(format: Format, text: &str, want: &str) {
    assert_eq!(told(&read(text, format, None)), want, "{text}");
}
