//! The guards: what passes, what is refused, and whether the refusal tells
//! somebody what to do.

use blocklist::{
    Feed, Format, FormatChoice, Guard, GuardPolicy, Limits, Prefixes, Promise, Protect, Protection,
    Refusal, Tally, judge, parse,
};

/// A feed with so many addresses, and so many lines that are none.
fn feed(entries: u32, rejects: u32) -> Feed {
    let entry = |n: u32| format!("{}\n", std::net::Ipv4Addr::from(0x0100_0000 + 2 * n));
    let mut text: String = (0..entries).map(entry).collect();
    text.push_str(&"nonsense\n".repeat(rejects as usize));
    read(&text)
}

fn read(text: &str) -> Feed {
    parse(text.as_bytes(), Format::Plain, &Limits::default())
}

fn tally(entries: u64) -> Tally {
    Tally { entries, ipv4: entries, ..Tally::default() }
}

fn refusals(feed: &Feed, previous: Option<Tally>, policy: &GuardPolicy) -> Vec<Refusal> {
    let protect = Protection::default().of(&Protect::ALL);
    judge(feed, previous.as_ref(), policy, &protect).err().unwrap_or_default()
}

/// The refusals under the default policy, as sentences.
fn check(feed: &Feed, previous: Option<Tally>, want: &[&str]) {
    let got: Vec<String> =
        refusals(feed, previous, &GuardPolicy::default()).iter().map(ToString::to_string).collect();
    assert_eq!(got, want);
}

#[test]
fn a_good_feed_passes_with_and_without_a_version_before() {
    check(&feed(100, 0), None, &[]);
    check(&feed(100, 0), Some(tally(100)), &[]);
    check(&feed(100, 5), Some(tally(100)), &[]);
}

#[test]
fn an_empty_feed_is_refused_unless_it_may_be_empty() {
    let sentence = "expected at least one entry, found an empty file (allow-empty)";
    check(&read(""), Some(tally(1_000)), &[sentence]);
    check(&read(""), None, &[sentence]);
    let sentence = "expected at least one entry, found none in 2 lines (allow-empty)";
    check(&read("# head\n\n"), Some(tally(1_000)), &[sentence]);
    let policy = GuardPolicy { allow_empty: true, ..GuardPolicy::default() };
    assert_eq!(refusals(&read("# head\n"), Some(tally(1_000)), &policy), []);
}

/// A feed whose format is told from its content.
fn read_any(text: &str) -> Feed {
    parse(text.as_bytes(), FormatChoice::Auto, &Limits::default())
}

#[test]
fn a_feed_that_keeps_less_than_it_promises_is_refused() {
    let netset = |promised: u32, entries: u32| {
        let line = |n: u32| format!("{}\n", std::net::Ipv4Addr::from(0x0100_0000 + 2 * n));
        let lines: String = (0..entries).map(line).collect();
        read_any(&format!(
            "# ipv4 hash:net ipset\n# Entries : {promised} subnets, 9 unique IPs\n{lines}"
        ))
    };
    check(&netset(100, 100), None, &[]);
    check(&netset(100, 101), None, &[]);
    check(
        &netset(100, 99),
        None,
        &["expected the 100 entries that the feed says it has, found 99 (promise)"],
    );
    let drop = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n";
    let metadata = |records: u32| format!("{{\"type\":\"metadata\",\"records\":{records}}}");
    check(&read_any(&format!("{drop}{}", metadata(1))), None, &[]);
    check(
        &read_any(&format!("{drop}{}", metadata(2))),
        None,
        &["expected the 2 entries that the feed says it has, found 1, \
           and a last line without an end (promise)"],
    );
    // A rejected line came, whatever it is.
    let rejected = read(&format!("{}nonsense\n", "192.0.2.1\n".repeat(99)));
    let promised = Some(Promise { entries: 100 });
    let tally = Tally { promised, ..rejected.tally };
    check(&Feed { tally, ..rejected }, None, &[]);
}

#[test]
fn a_feed_that_breaks_off_is_refused() {
    let text = |last: &str| format!("{}{last}", "192.0.2.0/24\n".repeat(30));
    for whole in ["198.51.100.1", "198.51.100.0/24", "0.0.0.0/2", "# end", "198.51.", "x"] {
        check(&read(&(text(whole) + "\n")), None, &[]);
    }
    check(&read(&text("198.51.100.1")), None, &[]);
    check(&read(&text("# en")), None, &[]);
    let expected = "expected a last line that is an entry or has an end, \
                    found that line 31 breaks off";
    check(&read(&text("198.51.")), None, &[&format!("{expected}: `198.51.` (truncated)")]);
    // Perhaps the beginning of 198.51.100.0/24.
    check(&read(&text("198.51.100.0/2")), None, &[&format!("{expected} (truncated)")]);
    check(&read(&text("198.51.100.0/2\n192.0.2.1")), None, &[]);
}

#[test]
fn a_feed_that_always_said_it_is_empty_may_be() {
    let numbers = "{\"asn\":64496,\"rir\":\"arin\"}\n{\"type\":\"metadata\",\"records\":1}\n";
    let empty = "expected at least one entry, found none in 2 lines (allow-empty)";
    check(&read_any(numbers), None, &[]);
    check(&read_any(numbers), Some(tally(0)), &[]);
    check(&read_any(numbers), Some(tally(1)), &[empty]);
    check(
        &read_any(&numbers.replace(":1}", ":2}")),
        None,
        &[empty, "expected the 1 entries that the feed says it has, found 0 (promise)"],
    );
}

#[test]
fn a_shrunken_feed_is_refused() {
    check(&feed(500, 0), Some(tally(1_000)), &[]);
    check(
        &feed(499, 0),
        Some(tally(1_000)),
        &["expected at most 50 % of the last good version's 1000 entries gone, \
           found 499 entries left (50.1 % gone) (shrink-percent-max)"],
    );
}

#[test]
fn a_grown_feed_is_refused() {
    check(&feed(500, 0), Some(tally(100)), &[]);
    check(
        &feed(501, 0),
        Some(tally(100)),
        &["expected at most 400 % more than the last good version's 100 entries, \
           found 501 entries (401.0 % more) (growth-percent-max)"],
    );
}

#[test]
fn a_small_feed_may_change_as_it_likes() {
    check(&feed(1, 0), Some(tally(15)), &[]);
    check(&feed(1_000, 0), Some(tally(15)), &[]);
    assert_eq!(refusals(&feed(1, 0), Some(tally(16)), &GuardPolicy::default()).len(), 1);
}

#[test]
fn repetitions_count_neither_as_growth_nor_against_shrinking() {
    let repeated = read(&"192.0.2.1\n192.0.2.2\n".repeat(500));
    let before = Tally { entries: 1_000, ipv4: 1_000, duplicates: 980, ..Tally::default() };
    let found: Vec<Guard> = refusals(&repeated, Some(before), &GuardPolicy::default())
        .iter()
        .map(|refusal| refusal.guard)
        .collect();
    assert_eq!(found, [Guard::Shrink], "two entries are left of twenty");
}

#[test]
fn a_feed_of_which_much_is_rejected_is_refused() {
    check(&feed(95, 5), None, &[]);
    check(
        &feed(95, 6),
        None,
        &["expected at most 5 % of the lines rejected, found 6 of 101 (6.0 %); the first is line \
           96, `nonsense`: neither an address, a prefix nor a range (rejected-percent-max)"],
    );
}

#[test]
fn a_web_page_is_refused_as_one_thing() {
    let page = "<!DOCTYPE html>\n<p>Your IP:\n203.0.113.9\n</p>\n";
    check(
        &read(page),
        Some(tally(1_000)),
        &["expected a list of addresses, or its `format` named, \
           found a web page: it begins with `<`, and entries in it: 1 (markup)"],
    );
    let policy = GuardPolicy { allow_empty: true, ..GuardPolicy::default() };
    assert_eq!(refusals(&read("<html></html>"), None, &policy)[0].guard, Guard::Markup);
    let list = format!("<generated>\n{}", "192.0.2.1\n".repeat(100));
    check(&read(&list), None, &[]);
}

#[test]
fn what_is_no_text_is_refused_as_one_thing() {
    check(
        &read("192.0.2.1\n\0\0\0"),
        Some(tally(1_000)),
        &["expected a text file, \
           found NUL bytes: binary data, or a file that a crash left incomplete (binary)"],
    );
    let utf16 = parse(b"\xff\xfe1\x00\x00", Format::Plain, &Limits::default());
    check(&utf16, None, &["expected ASCII or UTF-8 text, found broken UTF-16 text (binary)"]);
}

#[test]
fn a_feed_with_too_many_entries_is_refused() {
    let policy = GuardPolicy { entries_max: 99, ..GuardPolicy::default() };
    let found = refusals(&feed(100, 0), None, &policy);
    assert_eq!(found[0].to_string(), "expected at most 99 entries, found 100 (entries-max)");
    let limits = Limits { entries_max: 2, ..Limits::default() };
    let cut = parse(b"1.1.1.1\n1.1.1.2\n1.1.1.3\n", Format::Plain, &limits);
    let found = refusals(&cut, Some(tally(1_000)), &GuardPolicy { entries_max: 2, ..policy });
    let sentence =
        "expected at most 2 entries, found more: reading stopped in line 3 (entries-max)";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [sentence]);
}

#[test]
fn a_feed_that_covers_the_internet_is_refused() {
    let found = |text: &str| -> Vec<(Guard, String)> {
        let found = refusals(&read(text), None, &GuardPolicy::default());
        found.into_iter().map(|refusal| (refusal.guard, refusal.found)).collect()
    };
    let covering = |share: &str| vec![(Guard::Coverage, share.to_owned())];
    // Without what is protected: 0/8, 10/8, 127/8, 224/4 and the smaller ones.
    assert_eq!(found("0.0.0.0/0"), covering("92.6 %"));
    assert_eq!(found("0.0.0.0 - 115.155.0.0\n115.155.0.2 - 255.255.255.255\n"), covering("92.6 %"));
    assert_eq!(found("64.0.0.0/2\n"), []);
    assert_eq!(found("64.0.0.0/2")[0].0, Guard::Truncated);
    assert_eq!(found("64.0.0.0/2\n16.0.0.0\n"), []);
    assert_eq!(found("128.0.0.0/2\n16.0.0.0/8\n"), covering("25.4 %"));
    // The private networks do not count, they are taken out anyway.
    assert_eq!(found("128.0.0.0/2\n10.0.0.0/8\n224.0.0.0/4\n"), []);
    assert_eq!(found("::/0"), covering("100.0 %"));
    assert_eq!(found("fc00::/7\nfe80::/10\nff00::/8\n::1\n"), []);
    assert_eq!(found("2000::/5\n"), []);
    assert_eq!(found("2000::/4\n"), covering("50.0 %"));
}

#[test]
fn a_first_version_is_judged_by_all_but_the_comparing_guards() {
    let guards = |feed: &Feed| -> Vec<Guard> {
        let found = refusals(feed, None, &GuardPolicy::default());
        found.iter().map(|refusal| refusal.guard).collect()
    };
    assert_eq!(guards(&feed(100_000, 0)), []);
    assert_eq!(guards(&feed(0, 9)), [Guard::Empty, Guard::Rejected]);
    assert_eq!(guards(&read("0.0.0.0/0\n::/0\n")), [Guard::Coverage; 2]);
}

#[test]
fn the_share_of_a_space_does_not_depend_on_protection_being_there() {
    let whole = judge(&read("0.0.0.0/0"), None, &GuardPolicy::default(), &Prefixes::new());
    assert_eq!(whole.expect_err("all of it")[0].found, "100.0 %");
}

#[test]
fn percentages_beyond_a_hundred_are_no_limit_at_all() {
    let policy = GuardPolicy {
        rejected_percent_max: u32::MAX,
        shrink_percent_max: u32::MAX,
        growth_percent_max: u32::MAX,
        coverage_percent_max: u32::MAX,
        allow_empty: true,
        entries_max: u64::MAX,
    };
    assert_eq!(refusals(&feed(0, 100), Some(tally(u64::MAX)), &policy), []);
    assert_eq!(refusals(&read("0.0.0.0/0\n::/0"), Some(tally(u64::MAX)), &policy), []);
}

#[test]
fn every_guard_has_a_name_of_its_own() {
    use Guard::{
        Binary, Coverage, Empty, Entries, Growth, Kept, Markup, Promise, Readable, Rejected,
        Shrink, Stable, Truncated, Withdrawal,
    };
    let acceptable = [Empty, Promise, Truncated, Rejected, Shrink, Growth, Coverage, Withdrawal];
    let final_ones = [Markup, Binary, Entries, Readable, Stable, Kept];
    assert!(acceptable.iter().all(|guard| guard.can_be_accepted()));
    assert!(!final_ones.iter().any(|guard| guard.can_be_accepted()));
    let keys: std::collections::BTreeSet<_> =
        acceptable.iter().chain(&final_ones).map(|guard| guard.key()).collect();
    assert_eq!(keys.len(), 14);
}

#[test]
fn a_document_that_is_broken_or_an_error_is_refused_for_good() {
    let many: Vec<String> = (0..100).map(|n| format!("\"198.51.100.{n}\"")).collect();
    let whole = format!("[{}]\n", many.join(",\n"));
    check(&read_any(&whole), None, &[]);
    let cut = &whole[..whole.len() - 8];
    check(
        &read_any(cut),
        None,
        &[
            "expected a whole document, found it is not JSON from here on in line 100, `\"198.51.1` \
           (document)",
        ],
    );
    check(
        &read_any("{\"errors\":[{\"detail\":\"too often\",\"status\":429}]}"),
        None,
        &["expected a list, found a server's error message and no list in line 1, \
           `{\"errors\":[{\"detail\":\"too often\",\"status\":429}]}` (document)"],
    );
    assert!(!Guard::Document.can_be_accepted());
    check(
        &parse(b"", Format::Json, &Limits::default()),
        None,
        &["expected at least one entry, found an empty file (allow-empty)"],
    );
}
