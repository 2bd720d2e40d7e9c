//! What is said of facts: everything that is not as it should be, and short
//! however much there is of it.

use std::time::SystemTime;

use blocklist::{FeedName, Format, Guard, Limits, Refusal, parse};
use intake::{Age, Identity, Version};

use super::*;
use crate::snapshot::{FeedFacts, SnapshotFacts, Surroundings, VersionFacts};
use crate::view::StatusView;

fn feed(age: Age, is_refused: bool) -> FeedFacts {
    let refusal = Refusal { guard: Guard::Markup, expected: "a list".into(), found: "HTML".into() };
    let parsed = parse(b"192.0.2.1\n", Format::Plain, &Limits::default());
    let (id, then) = (Identity([0; 3]), SystemTime::UNIX_EPOCH);
    FeedFacts {
        version: Some(VersionFacts(Version::new(id, parsed, then, then))),
        can_be_accepted: false,
        loss: None,
        unkept: None,
        refusals: is_refused.then_some(refusal).into_iter().collect(),
        since: SystemTime::UNIX_EPOCH,
        is_gone: false,
        age,
    }
}

fn facts(feeds: impl IntoIterator<Item = (String, FeedFacts)>) -> SnapshotFacts {
    let feeds = feeds.into_iter();
    let feeds = feeds.map(|(name, feed)| (FeedName::new(&name).expect("a name"), feed));
    SnapshotFacts { in_sync: true, feeds: feeds.collect(), ..SnapshotFacts::nothing() }
}

#[test]
fn everything_that_is_not_as_it_should_be_is_said() {
    let feeds = [
        ("old".to_owned(), feed(Age::Stale, false)),
        ("older".to_owned(), feed(Age::Dropped, false)),
        ("bad".to_owned(), feed(Age::Fresh, true)),
        ("good".to_owned(), feed(Age::Fresh, false)),
    ];
    let facts = SnapshotFacts {
        scan_failure: Some("no such directory".into()),
        troubles: vec!["set denyset-drop-v4: busy".into()],
        surroundings: Surroundings {
            confirm_until: None,
            reload_refused: Some("reload refused: no".into()),
            unreadable: vec!["secret/".into()],
            unwatched: Some("no watches left".into()),
            silent: Some("NFS does not tell".into()),
            unfinished: vec![FeedName::new("new").expect("a name")],
            others: vec!["the gateways are not known".into()],
            bypasses: Vec::new(),
            ..Surroundings::default()
        },
        ..facts(feeds)
    };
    let degraded = StatusView::of(&facts, 0).degraded;
    let want = [
        "reload refused: no; the configuration of before stays in force",
        "no such directory",
        "set denyset-drop-v4: busy",
        "the folder secret/ of feeds-dir cannot be read",
        "no watches left",
        "the gateways are not known",
        "feed bad is refused: expected a list, found HTML (markup)",
        "feed old is older than its max-age, it stays in force",
        "feed older is older than its max-age, it is not in force",
    ];
    assert_eq!(degraded.len(), want.len(), "{degraded:#?}");
    for (sentence, want) in degraded.iter().zip(want) {
        assert!(sentence.contains(want), "{sentence} in place of {want}");
    }
    let unfinished = "feed new is still being written to, what it has so far is in force";
    assert_eq!(StatusView::of(&facts, 0).remarks, ["NFS does not tell", unfinished]);
    assert!(status_line(&facts).starts_with("reload refused: no; in sync"));
}

#[test]
fn four_thousand_bad_feeds_are_told_in_a_few_lines() {
    let many = (0..4_000).map(|number| match number % 4 {
        0 => (format!("old{number}"), feed(Age::Stale, false)),
        1 => (format!("good{number}"), feed(Age::Fresh, false)),
        _ => (format!("bad{number}"), feed(Age::Fresh, true)),
    });
    let view = StatusView::of(&facts(many), 0);
    assert_eq!(view.feeds.len(), 4_000, "the document has all of them");
    assert_eq!(view.degraded.len(), 21);
    assert_eq!(view.degraded[20], "and 1000 old feeds and 1980 refused feeds more");
    let text = view.to_string();
    assert!(text.lines().count() < 100, "{text}");
    let last = text.lines().last().expect("there is one");
    let want =
        "and 1000 current, 1960 refused, 1000 stale; `denyset status --format json` names all";
    assert_eq!(last, want);
    let first = text.lines().nth(1).expect("a second line");
    assert_eq!(first, "degraded: and 1000 old feeds and 1980 refused feeds more");
}
