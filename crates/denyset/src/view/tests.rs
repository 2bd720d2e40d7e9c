//! Each document once as JSON, key by key, and once as text, to the letter.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

/// A document prints as this text and this JSON, and reads back as itself.
fn check<T>(view: &T, text: &str, json: &str)
where
    T: Serialize + DeserializeOwned + Display + PartialEq + std::fmt::Debug,
{
    assert_eq!(view.to_string(), text);
    let want: serde_json::Value = serde_json::from_str(json).expect("the test's JSON is good");
    let found = serde_json::to_value(view).expect("a document is JSON");
    assert_eq!(found, want);
    let back: T = serde_json::from_value(found).expect("it reads back");
    assert_eq!(&back, view);
}

fn moment(text: &str) -> Moment {
    text.parse().expect("a good moment")
}

fn refusal() -> RefusalView {
    RefusalView {
        feed: "a b".into(),
        guard: "shrink-percent-max".into(),
        expected: "at most 50 % gone".into(),
        found: "1 entry left".into(),
        accept: Some(accept_command("a b")),
    }
}

#[test]
fn check_shows_feeds_lists_and_problems() {
    let good = CheckedFeed {
        feed: "drop.netset".into(),
        format: "plain".into(),
        entries: 3,
        ipv4: 2,
        ipv6: 1,
        duplicates: 1,
        masked: 1,
        exceptions: 4,
        ..CheckedFeed::default()
    };
    let bad = CheckedFeed {
        feed: "page".into(),
        format: "plain".into(),
        rejected: 2,
        refused: Some("a web page".into()),
        rejects: vec![RejectView { line: 1, text: "<html>\u{1b}".into(), reason: "no".into() }],
        ..CheckedFeed::default()
    };
    let lengths = BTreeMap::from([(24, 1), (32, 1)]);
    let set = CheckedFamily { members: 2, addresses: "257".into(), lengths, miss_ns: 160 };
    let none = CheckedFamily { addresses: "0".into(), ..CheckedFamily::default() };
    let list = CheckedList { list: "drop".into(), ipv4: set, ipv6: none };
    let view = CheckView {
        feeds: vec![good, bad],
        lists: vec![list],
        problems: vec!["oh".into()],
        remarks: vec!["hm".into()],
        warnings: vec!["ho".into()],
    };
    assert!(!view.is_good());
    check(
        &view,
        "\
feed         format  entries  ipv4  ipv6  duplicates  rejected  verdict
drop.netset  plain         3     2     1           1         0  good
page         plain         0     0     0           0         2  refused
drop.netset: 1 with host bits cleared, 4 exempted by the feed
page: refused: a web page
page:1: no: <html>\\u{1b}
page: and 1 more rejected lines

list  family  members  addresses  lengths
drop  ipv4          2        257        2
drop  ipv6          0          0        0
problem: oh
remark: hm
warning: ho
",
        r#"{
            "feeds": [
                {"feed": "drop.netset", "format": "plain", "entries": 3, "ipv4": 2, "ipv6": 1,
                 "duplicates": 1, "masked": 1, "expiring": 0, "exceptions": 4, "ignored": 0,
                 "rejected": 0, "refused": null, "rejects": []},
                {"feed": "page", "format": "plain", "entries": 0, "ipv4": 0, "ipv6": 0,
                 "duplicates": 0, "masked": 0, "expiring": 0, "exceptions": 0, "ignored": 0,
                 "rejected": 2, "refused": "a web page",
                 "rejects": [{"line": 1, "text": "<html>\u001b", "reason": "no"}]}
            ],
            "lists": [{
                "list": "drop",
                "ipv4": {"members": 2, "addresses": "257", "lengths": {"24": 1, "32": 1}, "miss-ns": 160},
                "ipv6": {"members": 0, "addresses": "0", "lengths": {}, "miss-ns": 0}
            }],
            "problems": ["oh"],
            "remarks": ["hm"], "warnings": ["ho"]
        }"#,
    );
}

#[test]
fn nothing_to_check_is_good() {
    let text = "good\n";
    check(
        &CheckView::default(),
        text,
        r#"{"feeds": [], "lists": [], "problems": [], "remarks": [], "warnings": []}"#,
    );
}

#[test]
fn a_plan_shows_every_set_and_what_was_refused() {
    let set = PlannedSet {
        set: "denyset-drop-v4".into(),
        route: RouteName::InPlace,
        add: 10,
        delete: 2,
        members: 1_000_000,
        lengths: [(24, 1), (32, 999_999)].into(),
        miss_ns: 160,
        memory_bytes: 640,
        reason: "few changes".into(),
    };
    let view = PlanView {
        in_sync: false,
        sets: vec![set],
        rules: Vec::new(),
        refusals: vec![refusal()],
        warnings: Vec::new(),
    };
    check(
        &view,
        "\
changes are pending

set              route     add  delete  members  lengths  miss-ns  reason
denyset-drop-v4  in-place   10       2  1000000        2      160  few changes
refused: a b: shrink-percent-max: 1 entry left; allowed is at most 50 % gone
  to let it through once: denyset accept 'a b'
",
        r#"{
            "in-sync": false,
            "sets": [{"set": "denyset-drop-v4", "route": "in-place", "add": 10, "delete": 2,
                      "members": 1000000, "lengths": {"24": 1, "32": 999999},
                      "miss-ns": 160, "memory-bytes": 640,
                      "reason": "few changes"}],
            "rules": [],
            "refusals": [{"feed": "a b", "guard": "shrink-percent-max",
                          "expected": "at most 50 % gone", "found": "1 entry left",
                          "accept": "denyset accept 'a b'"}],
            "warnings": []
        }"#,
    );
}

#[test]
fn routes_have_the_same_names_in_text_and_json() {
    for route in [
        RouteName::None,
        RouteName::Create,
        RouteName::InPlace,
        RouteName::Swap,
        RouteName::Destroy,
    ] {
        assert_eq!(serde_json::to_value(route).expect("JSON"), route.to_string());
    }
    for state in
        [FileStanding::Current, FileStanding::Refused, FileStanding::Stale, FileStanding::Gone]
    {
        assert_eq!(serde_json::to_value(state).expect("JSON"), state.to_string());
    }
    for verdict in [AddressVerdict::Blocked, AddressVerdict::Allowed, AddressVerdict::Unlisted] {
        assert_eq!(serde_json::to_value(verdict).expect("JSON"), verdict.to_string());
    }
}

#[test]
fn an_outcome_shows_what_failed_and_why() {
    let set = SetOutcome {
        set: "denyset-drop-v6".into(),
        route: RouteName::Swap,
        added: 5,
        deleted: 0,
        members: 5,
        error: Some("busy".into()),
    };
    let view = OutcomeView { in_sync: false, sets: vec![set], ..OutcomeView::default() };
    check(
        &view,
        "\
not in sync

set              route  added  deleted  members  result
denyset-drop-v6  swap       5        0        5  failed
error: denyset-drop-v6: busy
",
        r#"{
            "in-sync": false,
            "sets": [{"set": "denyset-drop-v6", "route": "swap", "added": 5, "deleted": 0,
                      "members": 5, "error": "busy"}],
            "refusals": [], "problems": []
        }"#,
    );
}

fn drop_set() -> SetStatus {
    SetStatus {
        set: "denyset-drop-v4".into(),
        list: "drop".into(),
        family: "ipv4".into(),
        members: 12,
        lengths: [(32, 12)].into(),
        miss_ns: 80,
        references: 1,
        admits: false,
        last_applied: Some(moment("2026-11-23T08:00:00Z")),
        last_verified: None,
    }
}

#[test]
fn status_shows_what_is_wrong_before_what_is_there() {
    let set = drop_set();
    let feed = FeedStatus {
        feed: "drop.netset".into(),
        format: "plain".into(),
        entries: 12,
        rejected: 0,
        state: FileStanding::Refused,
        since: moment("2026-11-23T07:00:00Z"),
        last_good: Some(moment("2026-11-22T07:00:00Z")),
        refused: Some("too small".into()),
        accept: Some(accept_command("drop.netset")),
    };
    let view = StatusView {
        confirm_until: None,
        in_sync: true,
        degraded: vec!["the feeds directory is gone".into()],
        remarks: vec!["NFS does not tell".into()],
        warnings: Vec::new(),
        generation: 3,
        uptime_seconds: 93_784,
        sets: vec![set],
        rules: vec![RuleStatus {
            rule: "drop".into(),
            set: "denyset-drop-v4".into(),
            in_place: true,
            packets: Some(3),
            bytes: Some(108),
        }],
        feeds: vec![feed],
        ..StatusView::default()
    };
    check(
        &view,
        "\
in sync, generation 3, up 1 d 2 h
degraded: the feeds directory is gone
remark: NFS does not tell
refused: drop.netset: too small
  to let it through once: denyset accept drop.netset

set              list  family  members  lengths  miss-ns  references  last-applied          last-verified
denyset-drop-v4  drop  ipv4         12        1       80           1  2026-11-23T08:00:00Z  -

rule: drop asks denyset-drop-v4, in place, 3 packets, 108 bytes

feed         format  entries  rejected  state    since
drop.netset  plain        12         0  refused  2026-11-23T07:00:00Z
",
        r#"{
            "in-sync": true,
            "confirm-until": null,
            "degraded": ["the feeds directory is gone"],
            "remarks": ["NFS does not tell"], "warnings": [],
            "generation": 3,
            "uptime-seconds": 93784,
            "sets": [{"set": "denyset-drop-v4", "list": "drop", "family": "ipv4", "members": 12,
                      "lengths": {"32": 12}, "miss-ns": 80, "references": 1, "admits": false,
                      "last-applied": "2026-11-23T08:00:00Z", "last-verified": null}],
            "rules": [{"rule": "drop", "set": "denyset-drop-v4", "in-place": true,
                       "packets": 3, "bytes": 108}],
            "feeds": [{"feed": "drop.netset", "format": "plain", "entries": 12, "rejected": 0,
                       "state": "refused", "since": "2026-11-23T07:00:00Z",
                       "last-good": "2026-11-22T07:00:00Z",
                       "refused": "too small", "accept": "denyset accept drop.netset"}],
            "exports": [], "refusals": [],
            "applies": {"count": 0, "total-us": 0, "within": []}
        }"#,
    );
}

#[test]
fn uptime_is_told_in_its_two_largest_units() {
    let check = |uptime_seconds: u64, want: &str| {
        let text = StatusView { uptime_seconds, ..StatusView::default() }.to_string();
        assert_eq!(text, format!("not in sync, generation 0, up {want}\n"));
    };
    check(0, "0 s");
    check(61, "1 min 1 s");
    check(7_260, "2 h 1 min");
    check(86_400, "1 d 0 h");
}

fn source(line: u64) -> SourceView {
    SourceView { feed: "drop.netset".into(), line, text: "192.0.2.0/24 # x".into() }
}

#[test]
fn why_names_the_line_that_blocks() {
    let answer = ListAnswer {
        list: "drop".into(),
        prefix: Some("192.0.2.0/24".into()),
        sources: vec![source(7)],
        allow: None,
    };
    let view = WhyView {
        address: "192.0.2.1".into(),
        verdict: AddressVerdict::Blocked,
        lists: vec![answer],
        kernel: Some(true),
        notes: Vec::new(),
        rules: Vec::new(),
        decides: None,
        connections: None,
    };
    check(
        &view,
        "\
192.0.2.1 is blocked
list drop blocks it by 192.0.2.0/24
  drop.netset:7: 192.0.2.0/24 # x
the kernel agrees: a set holds it
",
        r#"{
            "address": "192.0.2.1", "verdict": "blocked",
            "lists": [{"list": "drop", "prefix": "192.0.2.0/24",
                       "sources": [{"feed": "drop.netset", "line": 7, "text": "192.0.2.0/24 # x"}],
                       "allow": null}],
            "kernel": true, "notes": [], "rules": [], "decides": null, "connections": null
        }"#,
    );
}

#[test]
fn why_names_what_allows() {
    let allowed = |allow: AllowView, text: &str, json: &str| {
        let answer = ListAnswer {
            list: "drop".into(),
            prefix: None,
            sources: vec![source(7)],
            allow: Some(allow),
        };
        let view = WhyView {
            address: "192.0.2.1".into(),
            verdict: AddressVerdict::Allowed,
            lists: vec![answer],
            kernel: None,
            notes: Vec::new(),
            rules: Vec::new(),
            decides: None,
            connections: None,
        };
        let text = format!(
            "192.0.2.1 is allowed\nlist drop allows it by {text}\n  \
             drop.netset:7: 192.0.2.0/24 # x\nthe kernel was not asked\n"
        );
        let json = format!(
            r#"{{"address": "192.0.2.1", "verdict": "allowed", "kernel": null, "notes": [],
            "rules": [], "decides": null, "connections": null,
            "lists": [{{"list": "drop", "prefix": null, "allow": {json},
            "sources": [{{"feed": "drop.netset", "line": 7, "text": "192.0.2.0/24 # x"}}]}}]}}"#
        );
        check(&view, &text, &json);
    };
    allowed(
        AllowView::Feed(SourceView { feed: "allow/us".into(), line: 1, text: "192.0.2.1".into() }),
        "allow/us:1: 192.0.2.1",
        r#"{"feed": "allow/us", "line": 1, "text": "192.0.2.1"}"#,
    );
    allowed(
        AllowView::Literal { literal: "192.0.2.1".into() },
        "allow = \"192.0.2.1\"",
        r#"{"literal": "192.0.2.1"}"#,
    );
    allowed(
        AllowView::Protect { protect: "own".into() },
        "protect = \"own\"",
        r#"{"protect": "own"}"#,
    );
}

#[test]
fn a_kernel_that_disagrees_is_told_with_what_to_do() {
    let view = |verdict, kernel| WhyView {
        address: "2001:db8::1".into(),
        verdict,
        lists: Vec::new(),
        kernel: Some(kernel),
        notes: Vec::new(),
        rules: Vec::new(),
        decides: None,
        connections: None,
    };
    let check = |verdict, kernel, want: &str| {
        let text = view(verdict, kernel).to_string();
        assert_eq!(text.lines().last(), Some(want));
    };
    let repairs = "`denyset resync` repairs";
    check(AddressVerdict::Unlisted, false, "the kernel agrees: no set holds it");
    let held = format!("the kernel does not agree: a set holds it; {repairs}");
    check(AddressVerdict::Allowed, true, &held);
    let missing = format!("the kernel does not agree: no set holds it; {repairs}");
    check(AddressVerdict::Blocked, false, &missing);
}

#[test]
fn a_document_is_written_with_the_end_of_its_last_line() {
    let check = |format, want: &str| {
        let mut out = Vec::new();
        write(&mut out, &CheckView::default(), format).expect("memory takes it");
        assert_eq!(String::from_utf8(out).expect("text"), want);
    };
    check(Format::Text, "good\n");
    check(
        Format::Json,
        "{\n  \"feeds\": [],\n  \"lists\": [],\n  \"problems\": [],\n  \"remarks\": [],\n  \"warnings\": []\n}\n",
    );
}
