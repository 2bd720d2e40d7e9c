//! What a feed is judged by: defaults, lists and tables, and which of them wins.

use std::sync::Arc;
use std::time::Duration;

use blocklist::{Allow, Glob, GuardPolicy, List, Protect};
use intake::{FeedTable, GuardOverrides, ListRules, Rules, WhenStale};

use crate::desk::feed;

fn glob(text: &str) -> Glob {
    Glob::new(text).expect("a glob")
}

/// A list of these feeds with these guards.
fn list(name: &str, feeds: &str, guard: GuardOverrides) -> ListRules {
    let list = List {
        name: name.to_owned(),
        feeds: vec![glob(feeds)],
        allow: Vec::new(),
        protect: Vec::new(),
    };
    ListRules { list: Arc::new(list), guard, optional: false }
}

fn table(matches: &str, guard: GuardOverrides) -> FeedTable {
    FeedTable { matches: glob(matches), guard, max_age: None, when_stale: None }
}

fn shrink(percent: u32) -> GuardOverrides {
    GuardOverrides { shrink_percent_max: Some(percent), ..GuardOverrides::default() }
}

fn protect(categories: &[Protect]) -> GuardOverrides {
    GuardOverrides { protect: Some(categories.to_vec()), ..GuardOverrides::default() }
}

/// How much feed `a` may shrink by these rules.
fn check(lists: &[ListRules], tables: &[FeedTable], percent: u32) {
    let rules = Rules { lists: lists.to_vec(), tables: tables.to_vec(), ..Rules::default() };
    assert_eq!(rules.guard_for(&feed("a")).shrink_percent_max, percent);
}

#[test]
fn a_table_wins_over_the_list_and_the_list_over_the_defaults() {
    let plain = || list("one", "a", GuardOverrides::default());
    let own = || list("one", "a", shrink(30));
    check(&[plain()], &[], GuardPolicy::default().shrink_percent_max);
    check(&[own()], &[], 30);
    check(&[own()], &[table("a", shrink(90))], 90);
    check(&[plain()], &[table("a", shrink(90))], 90);
}

#[test]
fn of_several_lists_the_strictest_counts_guard_by_guard() {
    check(&[list("one", "a", shrink(30)), list("two", "*", shrink(10))], &[], 10);
    let lax = GuardOverrides {
        allow_empty: Some(true),
        growth_percent_max: Some(9_000),
        ..GuardOverrides::default()
    };
    let one = list("one", "a", GuardOverrides { growth_percent_max: Some(5), ..lax.clone() });
    let rules = Rules { lists: vec![one, list("two", "a", lax)], ..Rules::default() };
    let guard = rules.guard_for(&feed("a"));
    assert_eq!((guard.growth_percent_max, guard.allow_empty), (5, true));
}

#[test]
fn how_much_is_exempted_is_asked_only_by_a_table_or_where_it_is_blocked() {
    let check = |lists: &[ListRules], tables: &[FeedTable], coverage: u32, growth: u32| {
        let rules = Rules { lists: lists.to_vec(), tables: tables.to_vec(), ..Rules::default() };
        let guard = rules.guard_for(&feed("a"));
        assert_eq!((guard.coverage_percent_max, guard.growth_percent_max), (coverage, growth));
        assert_eq!(guard.shrink_percent_max, GuardPolicy::default().shrink_percent_max);
    };
    let excepting = |name: &str| {
        let denies = list(name, "b", GuardOverrides::default());
        let list = List { allow: vec![Allow::Feeds(glob("a"))], ..List::clone(&denies.list) };
        ListRules { list: Arc::new(list), ..denies }
    };
    let denying = list("two", "a", GuardOverrides::default());
    let defaults = GuardPolicy::default();
    let (coverage, growth) = (defaults.coverage_percent_max, defaults.growth_percent_max);
    check(&[excepting("one")], &[], 100, u32::MAX);
    check(&[excepting("one"), denying], &[], coverage, growth);
    let says = GuardOverrides { coverage_percent_max: Some(7), ..GuardOverrides::default() };
    check(&[excepting("one")], &[table("a", says)], 7, u32::MAX);
}

#[test]
fn a_list_that_does_not_take_a_feed_in_has_no_say_in_it() {
    check(&[list("one", "a", shrink(30)), list("two", "b", shrink(10))], &[], 30);
}

#[test]
fn of_several_tables_the_last_that_sets_a_guard_counts() {
    let one = || list("one", "a", GuardOverrides::default());
    check(&[one()], &[table("*", shrink(90)), table("a", shrink(20))], 20);
    check(&[one()], &[table("*", shrink(90)), table("a", GuardOverrides::default())], 90);
    check(&[one()], &[table("a", shrink(20)), table("b", shrink(90))], 20);
}

#[test]
fn what_does_not_count_as_covered_is_what_all_lists_of_a_feed_take_out() {
    let own = protect(&[Protect::Own, Protect::Private]);
    let one = list("one", "a", own.clone());
    let two = list("two", "a", protect(&[Protect::Private]));
    let of = |lists: Vec<ListRules>, tables: Vec<FeedTable>| {
        let protect = vec![Protect::Own, Protect::Loopback];
        Rules { lists, tables, protect, ..Rules::default() }.protect_for(&feed("a"))
    };
    assert_eq!(of(vec![one.clone()], vec![]), [Protect::Own, Protect::Private]);
    assert_eq!(of(vec![one.clone(), two.clone()], vec![]), [Protect::Private]);
    let plain = list("three", "a", GuardOverrides::default());
    assert_eq!(of(vec![one.clone(), plain.clone()], vec![]), [Protect::Own]);
    assert_eq!(of(vec![plain], vec![]), [Protect::Own, Protect::Loopback]);
    assert_eq!(of(vec![one, two], vec![table("a", own)]), [Protect::Own, Protect::Private]);
}

#[test]
fn how_old_a_feed_may_be_and_what_becomes_of_it_are_said_apart() {
    let aged = |matches: &str, hours: u64| FeedTable {
        max_age: Some(Duration::from_secs(hours * 3_600)),
        ..table(matches, GuardOverrides::default())
    };
    let drops = |matches: &str| FeedTable {
        when_stale: Some(WhenStale::Drop),
        ..table(matches, GuardOverrides::default())
    };
    let of = |tables: Vec<FeedTable>| {
        let rules = Rules { tables, ..Rules::default() };
        rules.max_age_for(&feed("a")).map(|(age, fate)| (age.as_secs() / 3_600, fate))
    };
    assert_eq!(of(vec![]), None);
    assert_eq!(of(vec![drops("*")]), None, "nothing is too old");
    assert_eq!(of(vec![aged("*", 5)]), Some((5, WhenStale::Keep)));
    assert_eq!(of(vec![aged("*", 5), aged("a", 7)]), Some((7, WhenStale::Keep)));
    assert_eq!(of(vec![drops("a"), aged("*", 5)]), Some((5, WhenStale::Drop)));
    assert_eq!(of(vec![drops("b"), aged("*", 5)]), Some((5, WhenStale::Keep)));
}

#[test]
fn what_a_list_may_lose_by_its_configuration_is_its_own_guard_and_no_tables() {
    let tables = vec![table("*", shrink(90))];
    let rules = Rules { tables, ..Rules::default() };
    assert_eq!(rules.shrink_percent_of(&list("one", "a", shrink(30))), 30);
    assert_eq!(rules.shrink_percent_of(&list("one", "a", GuardOverrides::default())), 50);
}
