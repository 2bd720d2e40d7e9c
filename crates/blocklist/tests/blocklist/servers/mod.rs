//! The lists of servers, resolvers, routers and services that say what becomes
//! of an address: for each format samples of our own, read, refused and selected,
//! with all that comes of them; and that nothing else is taken for one of them.

mod documents;
mod lists;
mod programs;
mod written;

use blocklist::{
    Column, Condition, Feed, Format, FormatChoice, Limits, Options, detect, parse_with,
};

/// How a sample is read.
#[derive(Clone, Copy)]
enum How {
    /// As it is told from its content, which is this format, and the same by name.
    Found(Format),
    /// By the name of the format, which it is not told to be.
    Named(Format),
    /// As what it is told to be, whatever that is.
    Auto,
}
use How::{Auto, Found, Named};

/// All that came of a feed in one line: prefixes, what it exempts, what was left
/// out, rejects by line, and the doubt.
fn told(feed: &Feed) -> String {
    let mut told: Vec<String> = feed.prefixes.iter().map(|prefix| prefix.to_string()).collect();
    for (moment, prefixes) in &feed.ends {
        told.extend(prefixes.iter().map(|prefix| format!("{prefix} until {moment}")));
    }
    for (seconds, prefixes) in &feed.expiring {
        told.extend(prefixes.iter().map(|prefix| format!("{prefix} for {seconds}")));
    }
    for exempted in feed.exempted.iter().flat_map(blocklist::Prefixes::iter) {
        told.push(format!("not {exempted}"));
    }
    if feed.tally.ignored > 0 {
        told.push(format!("left out {}", feed.tally.ignored));
    }
    told.extend(
        feed.rejects.iter().map(|reject| format!("line {} {:?}", reject.line, reject.reason)),
    );
    for (is, word) in
        [(feed.shape.broken_document, "broken"), (feed.shape.over_entries_max, "full")]
    {
        told.extend(is.then(|| word.to_owned()));
    }
    told.extend(
        feed.doubt.iter().map(|doubt| format!("doubt in line {}: {}", doubt.line, doubt.why)),
    );
    told.join(", ")
}

/// Options as the configuration has them: `select`, `where`, `column`, `path`.
fn options(texts: &[(&str, &str)]) -> Options {
    let mut options = Options::default();
    for &(key, value) in texts {
        match key {
            "select" => options.select.push(value.to_owned()),
            "where" => options.conditions.push(value.parse::<Condition>().expect("a condition")),
            "column" => options.column = Some(Column::Name(value.to_owned())),
            "path" => options.path = Some(value.to_owned()),
            other => panic!("there is no option `{other}`"),
        }
    }
    options
}

fn read(how: How, keys: &[(&str, &str)], text: &str) -> Feed {
    let choice = match how {
        Named(format) => FormatChoice::Fixed(format),
        Found(_) | Auto => FormatChoice::Auto,
    };
    parse_with(text.as_bytes(), choice, &options(keys), &Limits::default())
}

/// What comes of a sample, with each kind of line end and a mark. A doubt need
/// only begin as wanted.
#[track_caller]
fn check_with(how: How, keys: &[(&str, &str)], text: &str, want: &str) {
    for (mark, end) in [("", "\n"), ("", "\r\n"), ("\u{feff}", "\n")] {
        let text = mark.to_owned() + &text.replace('\n', end);
        let feed = read(how, keys, &text);
        let got = told(&feed);
        let fits = if feed.doubt.is_some() {
            got.starts_with(want) && !want.is_empty()
        } else {
            got == want
        };
        assert!(fits, "{text}\n got {got}\nwant {want}");
        match how {
            Found(format) => assert_eq!(feed.format, format, "{text}"),
            Named(format) => assert_ne!(detect(text.as_bytes()), format, "{text}"),
            Auto => {}
        }
    }
}

#[track_caller]
fn check(how: How, text: &str, want: &str) {
    check_with(how, &[], text, want);
}
