//! The page says what is so, and nothing of what it shows becomes markup.

use super::*;

fn shown(status: &str, change: impl Fn(&mut PageContent<'_>)) -> String {
    let status = StatusDocument::read(status.as_bytes()).expect("a document");
    let hits = HitsDocument::read(br#"{"feeds": [{"feed": "f", "rule": "r", "share": 12.34}]}"#);
    let hits = hits.expect("a document");
    let mut shown = PageContent {
        now: 1_000,
        status: Some(&status),
        hits: Some(&hits),
        ..PageContent::default()
    };
    change(&mut shown);
    page(&shown)
}

fn check(page: &str, want: &[&str], never: &[&str]) {
    for text in want {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    for text in never {
        assert!(!page.contains(text), "{text} is in {page}");
    }
}

#[test]
fn the_state_is_never_better_than_it_is() {
    let good = r#"{"in-sync": true}"#;
    check(&shown(good, |_| ()), &["In sync: the kernel"], &["Not in sync", "does not answer"]);
    check(&shown("{}", |_| ()), &["Not in sync"], &["In sync:"]);
    let degraded = r#"{"in-sync": true, "degraded": ["the disk is full"]}"#;
    check(&shown(degraded, |_| ()), &["In sync, and degraded", "the disk is full"], &[]);
    let silent = shown(good, |shown| shown.silence = Some("no such socket"));
    check(&silent, &["does not answer", "no such socket"], &["In sync"]);
    check(&shown(good, |shown| shown.status = None), &["Nothing was heard"], &["In sync"]);
}

#[test]
fn lists_feeds_and_refusals_are_there() {
    let status = r#"{"in-sync": true, "generation": 7,
        "sets": [{"set": "x-v4", "list": "x", "family": "ipv4", "members": 1234567}],
        "rules": [{"rule": "r", "set": "x-v4", "packets": 12345}],
        "feeds": [{"feed": "f", "state": "refused", "entries": 3, "last-good": "1970-01-01T00:00:00Z",
                   "refused": "too few", "accept": "denyset accept f"}]}"#;
    check(
        &shown(status, |_| ()),
        &[
            "1\u{202f}234\u{202f}567",
            "12\u{202f}345",
            "16 min ago",
            "too few",
            "<pre tabindex=\"0\">denyset accept f</pre>",
            "12.3 %",
            "nothing is known yet",
        ],
        &[],
    );
}

#[test]
fn nothing_that_is_shown_becomes_markup_or_a_script() {
    let evil = "<script>alert(1)</script>\\\" onload=\\\"x";
    let status = format!(
        r#"{{"degraded": ["{evil}"], "sets": [{{"list": "{evil}", "family": "{evil}"}}],
            "feeds": [{{"feed": "{evil}", "state": "{evil}", "format": "{evil}",
                        "refused": "{evil}", "accept": "{evil}"}}]}}"#
    );
    let why = format!(
        r#"{{"address": "{evil}", "verdict": "{evil}", "lists": [{{"list": "{evil}",
            "sources": [{{"feed": "{evil}", "line": 1, "text": "{evil}"}}], "allow": "{evil}"}}]}}"#
    );
    let page = shown(&status, |shown| {
        shown.silence = Some("<script>");
        shown.asked = Some(("\"><script>".to_owned(), Ok(why.clone())));
    });
    check(&page, &["&lt;script&gt;"], &["<script", "\" onload", "style=", "http"]);
    let failed = shown("{}", |shown| {
        shown.asked = Some((String::new(), Err("<script>".to_owned())));
    });
    check(&failed, &["role=\"alert\">&lt;script&gt;"], &["<script"]);
}
