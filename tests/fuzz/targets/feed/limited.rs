//! Limits bound what they are for, and change nothing else.

use blocklist::{Feed, Limits};

use crate::{Case, numbers};

pub(crate) fn check(case: &Case, whole: &Feed) {
    check_texts(case, whole);
    for entries_max in [0, 1, 3] {
        check_entries(case, whole, entries_max);
    }
    let short_lines = Limits { line_bytes_max: 16, ..Limits::default() };
    let feed = case.read(&short_lines);
    numbers::check(&feed, &short_lines);
    numbers::check_shape(&feed, case.bytes);
}

/// What is kept for people has no influence on what is blocked.
fn check_texts(case: &Case, whole: &Feed) {
    let limits =
        Limits { rejects_kept: 2, text_bytes_max: 5, sources_kept: 1, ..Limits::default() };
    let feed = case.read(&limits);
    numbers::check(&feed, &limits);
    assert_eq!(feed.tally, whole.tally);
    assert_eq!(feed.shape, whole.shape);
    assert_eq!(feed.prefixes, whole.prefixes);
    assert_eq!((&feed.expiring, &feed.ends), (&whole.expiring, &whole.ends));
    for (one, other) in feed.rejects.iter().zip(&whole.rejects) {
        assert_eq!((one.line, one.reason), (other.line, other.reason));
    }
}

/// Either everything was within the limit, or reading stopped at it.
fn check_entries(case: &Case, whole: &Feed, entries_max: u64) {
    let limits = Limits { entries_max, ..Limits::default() };
    let feed = case.read(&limits);
    numbers::check(&feed, &limits);
    assert!(feed.tally.entries + feed.tally.exceptions <= entries_max, "{:?}", feed.tally);
    if !feed.shape.over_entries_max {
        assert_eq!(&feed, whole, "within the limit nothing changes");
    }
    if feed.tally.exceptions == 0 {
        let lasting: usize = feed.ending().map(|prefixes| prefixes.len()).sum();
        assert!((feed.prefixes.len() + lasting) as u64 <= entries_max);
    }
}
