//! What a person is told of how a feed is read: why it has its format, and what
//! its lines are taken for.

use blocklist::{Format, FormatChoice, Limits, Options, describe};

fn check(text: &str, choice: impl Into<FormatChoice>, why: &str, lines: &[(u64, &str)]) {
    let told = describe(text.as_bytes(), choice, &Options::default(), &Limits::default());
    assert!(told.why.contains(why), "{}", told.why);
    let found: Vec<(u64, &str)> =
        told.lines.iter().map(|line| (line.line, line.taken_for.as_str())).collect();
    assert_eq!(found, lines, "{text}");
}

#[test]
fn every_line_is_told_what_it_is_taken_for() {
    check(
        "allow 192.0.2.1;\ndeny 192.0.2.0/24;\n\n# x\ndeny all;\n",
        FormatChoice::Auto,
        "read as nginx: almost all",
        &[
            (1, "an exception, 192.0.2.1"),
            (2, "an entry, 192.0.2.0/24"),
            (3, "blank"),
            (4, "a comment, or a part of something larger"),
            (5, "of the format, and names nobody to block"),
        ],
    );
    check(
        "192.0.2.256\n",
        Format::Plain,
        "read as plain, which the configuration names",
        &[(1, "rejected: an octet is above 255")],
    );
}

#[test]
fn behind_the_first_lines_each_kind_is_told_of_once() {
    let many = "192.0.2.1\n".repeat(25) + "192.0.2.7/24\n192.0.2.8/24\n";
    let told =
        describe(many.as_bytes(), FormatChoice::Auto, &Options::default(), &Limits::default());
    let last = told.lines.last().map(|line| (line.line, line.taken_for.as_str()));
    assert_eq!(last, Some((26, "an entry, 192.0.2.0/24, host bits cleared")));
    assert_eq!(told.lines.len(), 21);
}
