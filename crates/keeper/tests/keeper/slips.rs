//! Configurations that would empty a list by a slip, at a reload and at a start,
//! and how a person lets one through.

use std::collections::BTreeSet;

use blocklist::AnyPrefix;
use intake::{ListRules, Loss, NotAcceptable, WhenStale};
use keeper::{HoldReason, Report, Settings, SlipKind};

use crate::house::{Desk, Kind, feed, glob, list, net, nets, percent, rules, settings, table};

const FILES: [(&str, u8); 3] = [("a", 1), ("b", 2), ("c", 3)];

fn of(lists: &[ListRules]) -> Settings {
    settings(rules(lists))
}

/// A list `drop` of all three feeds.
fn desk() -> Desk {
    let files = FILES.map(|(name, number)| (name, net(number)));
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    Desk::with(of(&[list("drop", &["a", "b", "c"], &[])]), &files)
}

/// The same list with one address that feed `allow/x` keeps out.
fn with_exception() -> Desk {
    let rules = of(&[list("drop", &["a"], &["allow/*"])]);
    Desk::with(rules, &[("a", &net(1)), ("allow/x", "91.1.1.7\n")])
}

fn spared() -> BTreeSet<AnyPrefix> {
    let mut spared = nets(&[1]);
    spared.remove(&"91.1.1.7".parse().expect("an address"));
    spared
}

/// The desk after this configuration was proposed, and whether it was refused
/// for losing so many.
fn check(lists: &[ListRules], lost: Option<(u64, u32)>) -> Desk {
    let mut desk = desk();
    let before = desk.settings.clone();
    let word = desk.propose(&of(lists));
    desk.settle();
    let answer = desk.configured(word).expect("it is decided");
    match lost {
        None => assert_eq!(answer, Ok(())),
        Some((lost, percent)) => {
            let slips = answer.expect_err("it is refused");
            assert_eq!(slips.len(), 1);
            assert_eq!(slips[0].list, "drop");
            assert_eq!(slips[0].kind, SlipKind::Loses { had: 60, lost, percent });
            assert_eq!(desk.keeper.refused_configuration(), slips);
            assert_eq!(*desk.keeper.settings(), before, "the running one stays");
            desk.rests_with("drop", &nets(&[1, 2, 3]));
        }
    }
    desk
}

#[test]
fn a_glob_that_matches_nothing_any_more_is_refused() {
    let desk = check(&[list("drop", &["*.nets"], &[])], Some((60, 50)));
    assert!(desk.told(|report| matches!(report, Report::ConfigurationRefused { .. })));
}

#[test]
fn a_list_may_lose_as_much_as_its_guard_allows_and_no_more() {
    let desk = check(&[list("drop", &["a", "b"], &[])], None);
    desk.rests_with("drop", &nets(&[1, 2]));
    check(&[list("drop", &["a"], &[])], Some((40, 50)));
    check(&[percent(list("drop", &["a", "b"], &[]), 10)], Some((20, 10)));
    let desk = check(&[percent(list("drop", &["a"], &[]), 70)], None);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_hundred_percent_is_a_word_that_a_list_may_become_empty() {
    let desk = check(&[percent(list("drop", &["x"], &[]), 100)], None);
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn what_an_allow_takes_out_counts_as_lost_like_anything() {
    check(&[list("drop", &["a", "b", "c"], &["91.1.0.0/16"])], Some((60, 50)));
    let desk = check(&[list("drop", &["a", "b", "c"], &["91.1.3.0/24"])], None);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_feed_that_goes_from_one_list_to_another_is_lost_to_the_first() {
    let lists = [list("drop", &["a"], &[]), list("more", &["b", "c"], &[])];
    check(&lists, Some((40, 50)));
}

#[test]
fn a_table_that_drops_feeds_for_their_age_is_a_slip_like_any() {
    let mut desk = desk();
    let mut other = rules(&[list("drop", &["a", "b", "c"], &[])]);
    other.tables.push(table("*", 10, WhenStale::Drop));
    let word = desk.propose(&settings(other));
    desk.settle();
    assert!(matches!(desk.configured(word), Some(Err(_))));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_list_that_is_taken_out_of_the_file_was_meant() {
    let desk = check(&[], None);
    assert_eq!(desk.host.names().count(), 0);
    assert!(desk.keeper.in_sync());
}

#[test]
fn a_word_lets_a_slip_through_once() {
    let mut desk = desk();
    let slip = of(&[list("drop", &["x"], &[])]);
    let word = desk.propose(&slip);
    desk.settle();
    assert!(matches!(desk.configured(word), Some(Err(_))));
    let word = desk.insist(&slip);
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    assert!(desk.keeper.refused_configuration().is_empty(), "nothing is refused any more");
    desk.rests_with("drop", &nets(&[]));
    let back = desk.propose(&of(&[list("drop", &["a", "b", "c"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(back), Some(Ok(())));
    let again = desk.propose(&slip);
    desk.settle();
    assert!(matches!(desk.configured(again), Some(Err(_))), "it was for once");
}

#[test]
fn a_good_configuration_ends_that_an_earlier_one_was_refused() {
    let mut desk = desk();
    desk.propose(&of(&[list("drop", &["x"], &[])]));
    desk.settle();
    assert_eq!(desk.keeper.refused_configuration().len(), 1);
    desk.propose(&of(&[list("drop", &["a", "b", "c"], &[])]));
    assert!(desk.keeper.refused_configuration().is_empty());
}

#[test]
fn every_list_that_would_lose_too_much_is_named() {
    let mut desk = Desk::with(
        of(&[list("one", &["a"], &[]), list("two", &["b"], &[]), list("three", &["c"], &[])]),
        &[("a", &net(1)), ("b", &net(2)), ("c", &net(3))],
    );
    let lists = [list("one", &["x"], &[]), list("two", &["b"], &[]), list("three", &["y"], &[])];
    let word = desk.propose(&of(&lists));
    desk.settle();
    let slips = desk.configured(word).expect("decided").expect_err("refused");
    let named: Vec<_> = slips.iter().map(|slip| slip.list.as_str()).collect();
    assert_eq!(named, ["one", "three"]);
}

#[test]
fn a_refused_configuration_leaves_nothing_to_be_done_and_nothing_out_of_sync() {
    let mut desk = desk();
    desk.propose(&of(&[list("drop", &["x"], &[])]));
    desk.settle();
    let generation = desk.keeper.generation();
    desk.pass(120);
    assert_eq!(desk.keeper.generation(), generation);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

/// What becomes of the exception when its list says this.
fn check_exception(lists: &[ListRules], refused: bool, held: &BTreeSet<AnyPrefix>) {
    let mut desk = with_exception();
    desk.rests_with("drop", &spared());
    let word = desk.propose(&of(lists));
    desk.settle();
    let slips = desk.configured(word).expect("decided").err().unwrap_or_default();
    assert_eq!(!slips.is_empty(), refused, "{slips:?}");
    if let Some(slip) = slips.first() {
        assert_eq!(slip.kind, SlipKind::NoException(glob("alow/*")));
    }
    desk.rests_with("drop", held);
}

#[test]
fn an_allow_glob_that_matches_nothing_any_more_is_refused() {
    check_exception(&[list("drop", &["a"], &["alow/*"])], true, &spared());
}

#[test]
fn an_allow_glob_of_an_optional_list_may_match_nothing() {
    let optional = ListRules { optional: true, ..list("drop", &["a"], &["alow/*"]) };
    check_exception(&[optional], false, &nets(&[1]));
}

#[test]
fn another_glob_that_still_takes_the_exception_in_is_no_slip() {
    check_exception(&[list("drop", &["a"], &["alow/*", "**/x"])], false, &spared());
}

#[test]
fn an_exception_that_is_taken_out_with_its_glob_was_meant() {
    check_exception(&[list("drop", &["a"], &[])], false, &nets(&[1]));
}

#[test]
fn a_glob_that_never_matched_may_stay() {
    let rules = of(&[list("drop", &["a"], &["allow/*"])]);
    let mut desk = Desk::with(rules, &[("a", &net(1))]);
    let word = desk.propose(&of(&[list("drop", &["a", "b"], &["allow/*"])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
}

#[test]
fn a_word_lets_a_lost_exception_through() {
    let mut desk = with_exception();
    let word = desk.insist(&of(&[list("drop", &["a"], &["alow/*"])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[1]));
}

/// A desk whose process was not there when the file got this configuration.
fn start_with(mut desk: Desk, lists: &[ListRules]) -> Desk {
    desk.settings = of(lists);
    desk.restart();
    desk.settle();
    desk
}

#[test]
fn a_start_over_full_sets_with_a_slip_in_the_configuration_holds_them() {
    let mut desk = start_with(desk(), &[list("drop", &["*.nets"], &[])]);
    assert_eq!(desk.why("drop"), Some(HoldReason::TakenOut { had: 60, lost: 60 }));
    desk.expect("drop", &nets(&[1, 2, 3]));
    assert!(!desk.keeper.in_sync());
    desk.pass(10_000);
    desk.expect("drop", &nets(&[1, 2, 3]));
    assert!(desk.told(|report| matches!(report, Report::ListHeld { .. })));
}

#[test]
fn a_list_that_is_held_for_a_slip_still_takes_in_what_is_new() {
    let mut desk = start_with(desk(), &[list("drop", &["*.nets"], &[])]);
    desk.write("new.nets", &net(9));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2, 3, 9]));
    assert!(!desk.keeper.in_sync());
}

#[test]
fn a_start_with_a_change_that_the_guard_allows_takes_it_over() {
    let desk = start_with(desk(), &[list("drop", &["a", "b"], &[])]);
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_word_on_losses_lets_the_slip_of_a_start_through() {
    let mut desk = start_with(desk(), &[list("drop", &["a"], &[])]);
    desk.expect("drop", &nets(&[1, 2, 3]));
    let word = desk.accept_losses();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
    assert!(desk.told(|report| matches!(report, Report::ListFree { .. })));
}

#[test]
fn the_slip_of_a_start_is_mended_by_the_right_configuration() {
    let mut desk = start_with(desk(), &[list("drop", &["*.nets"], &[])]);
    let word = desk.propose(&of(&[list("drop", &["a", "b", "c"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_doubt_is_not_forgotten_by_another_start() {
    let mut desk = start_with(desk(), &[list("drop", &["*.nets"], &[])]);
    assert!(desk.makeup("drop").deny.contains(&feed("a")), "it is written down as it was");
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::TakenOut { had: 60, lost: 60 }));
    desk.expect("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_start_without_an_exception_that_was_there_freezes_the_list() {
    let mut desk = start_with(with_exception(), &[list("drop", &["a"], &["alow/*"])]);
    assert_eq!(desk.why("drop"), Some(HoldReason::NoException(glob("alow/*"))));
    desk.write("a", &(net(1) + &net(2)));
    desk.settle();
    desk.expect("drop", &spared());
    assert!(!desk.keeper.in_sync());
    desk.accept_losses();
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_start_whose_allow_takes_the_lists_own_feeds_holds_it() {
    for allow in ["**", "b", "[a-c]"] {
        let lists = [list("drop", &["a", "b", "c"], &[allow])];
        let mut desk = start_with(desk(), &lists);
        let gone =
            if allow == "b" { None } else { Some(HoldReason::TakenOut { had: 60, lost: 60 }) };
        assert_eq!(desk.why("drop"), gone, "{allow}");
        let left = if gone.is_some() { nets(&[1, 2, 3]) } else { nets(&[1, 3]) };
        desk.expect("drop", &left);
        desk.restart();
        desk.settle();
        desk.expect("drop", &left);
        let word = desk.accept_losses();
        desk.settle();
        let nothing = Err(NotAcceptable::Nothing);
        assert_eq!(desk.accepted(word), Some(if gone.is_some() { Ok(()) } else { nothing }));
        desk.rests_with("drop", &if gone.is_some() { nets(&[]) } else { left });
    }
}

#[test]
fn an_exception_that_was_one_before_is_none_of_a_slip() {
    let mut desk = with_exception();
    desk.write("allow/x", "91.1.1.7\n91.1.1.8\n");
    let mut desk = start_with(desk, &[list("drop", &["x"], &["**"])]);
    let mut left = spared();
    left.remove(&"91.1.1.8".parse().expect("an address"));
    desk.expect("drop", &left);
    assert!(matches!(desk.why("drop"), Some(HoldReason::TakenOut { .. })));
    desk.pass(10_000);
    desk.expect("drop", &left);
}

/// A desk whose process was not there when feeds came to be dropped at this age
/// in seconds, and when that had been another one.
fn start_with_ages(before: Option<u64>, after: u64) -> Desk {
    let with_age = |age: Option<u64>| {
        let mut rules = rules(&[list("drop", &["a", "b", "c"], &[])]);
        rules.tables.extend(age.map(|age| table("*", age, WhenStale::Drop)));
        settings(rules)
    };
    let files = FILES.map(|(name, number)| (name, net(number)));
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let mut desk = Desk::with(with_age(before), &files);
    desk.settings = with_age(Some(after));
    desk
}

#[test]
fn a_start_whose_configuration_drops_full_lists_for_their_age_holds_them() {
    for before in [None, Some(100_000)] {
        let mut desk = start_with_ages(before, 10);
        desk.restart();
        desk.settle();
        assert_eq!(
            desk.why("drop"),
            Some(HoldReason::TakenOut { had: 60, lost: 60 }),
            "{before:?}"
        );
        desk.pass(10_000);
        desk.expect("drop", &nets(&[1, 2, 3]));
        assert!(!desk.keeper.in_sync());
        desk.restart();
        desk.settle();
        desk.expect("drop", &nets(&[1, 2, 3]));
        desk.accept_losses();
        desk.settle();
        desk.rests_with("drop", &nets(&[]));
        desk.restart();
        desk.settle();
        desk.rests_with("drop", &nets(&[]));
    }
}

#[test]
fn a_start_that_drops_a_few_for_their_age_takes_that_over() {
    let mut desk = start_with_ages(None, 5_000);
    desk.write("a", &(net(1) + "91.2.1.1\n"));
    desk.write("b", &(net(2) + "91.2.1.2\n"));
    desk.settle();
    desk.lapse(4_500);
    desk.restart();
    desk.settle();
    let mut kept = nets(&[1, 2]);
    kept.extend(
        ["91.2.1.1", "91.2.1.2"].map(|text| text.parse::<AnyPrefix>().expect("an address")),
    );
    desk.rests_with("drop", &kept);
}

#[test]
fn what_has_become_too_old_while_nobody_was_there_goes_at_the_next_start() {
    let mut desk = start_with_ages(Some(5_000), 5_000);
    desk.lapse(6_000);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), None, "it was to be dropped at that age all the time");
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn what_would_have_been_dropped_as_well_by_the_age_before_is_no_slip() {
    let mut desk = start_with_ages(Some(5_000), 2_000);
    desk.lapse(6_000);
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn a_list_that_a_start_holds_for_an_age_is_free_when_its_feeds_are_written() {
    let mut desk = start_with_ages(None, 5_000);
    desk.lapse(6_000);
    desk.restart();
    desk.settle();
    assert!(desk.why("drop").is_some());
    for (name, number) in FILES {
        desk.write(name, &(net(number) + "91.2.1.1\n"));
        desk.settle();
    }
    let mut kept = nets(&[1, 2, 3]);
    kept.insert("91.2.1.1".parse().expect("an address"));
    desk.rests_with("drop", &kept);
}

#[test]
fn feeds_that_were_ignored_count_for_a_configuration_that_takes_them_in() {
    let rules_of = |feed: &str, ignored: &[&str]| {
        let mut rules = rules(&[list("drop", &[feed], &[])]);
        rules.ignore = ignored.iter().map(|text| glob(text)).collect();
        settings(rules)
    };
    let all = net(1) + &net(2);
    let mut desk = Desk::with(rules_of("a", &["new*"]), &[("a", &all), ("new.txt", &all)]);
    let word = desk.propose(&rules_of("new*", &[]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())), "the same is in them");
    desk.rests_with("drop", &nets(&[1, 2]));
    let word = desk.propose(&rules_of("new*", &["new*"]));
    desk.settle();
    assert!(matches!(desk.configured(word), Some(Err(_))), "and nothing in what is ignored");
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn losses_are_accepted_only_where_there_are_some() {
    let mut desk = desk();
    let word = desk.accept_losses();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    let mut desk = start_with(desk, &[list("drop", &["a"], &[])]);
    let (first, second) = (desk.accept_losses(), desk.accept_losses());
    assert_eq!(desk.accepted(first), Some(Ok(())));
    assert_eq!(desk.accepted(second), Some(Err(NotAcceptable::Nothing)), "only once");
}

#[test]
fn a_configuration_is_tried_by_what_the_files_say_now() {
    let mut desk = desk();
    desk.site.put("new", &(net(1) + &net(2) + &net(3)), desk.now.wall);
    let word = desk.propose(&of(&[list("drop", &["new"], &[])]));
    desk.settle_but(&[Kind::Try]);
    assert!(desk.waits(Kind::Try), "its feed has been read by then");
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())), "it would lose nothing");
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn what_a_held_list_keeps_counts_as_lost_when_its_lost_feed_is_taken_out() {
    let mut desk = Desk::with(
        of(&[list("drop", &["a", "b"], &[])]),
        &[("a", &(net(1) + &net(2) + &net(3))), ("b", &net(4))],
    );
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("a"), Loss::Missing);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
    let word = desk.propose(&of(&[list("drop", &["x", "b"], &[])]));
    desk.settle();
    let slips = desk.configured(word).expect("decided").expect_err("refused");
    assert_eq!(slips[0].kind, SlipKind::Loses { had: 80, lost: 60, percent: 50 });
    desk.expect("drop", &nets(&[1, 2, 3, 4]));
    let word = desk.insist(&of(&[list("drop", &["x", "b"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[4]));
}

#[test]
fn what_a_held_list_keeps_is_not_lost_to_a_configuration_that_leaves_its_feeds_alone() {
    let mut desk = Desk::with(
        of(&[list("drop", &["a", "b"], &[])]),
        &[("a", &(net(1) + &net(2) + &net(3))), ("b", &net(4)), ("c", &net(5))],
    );
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("a"), Loss::Missing);
    desk.restart();
    desk.settle();
    let word = desk.propose(&of(&[list("drop", &["a", "b", "c"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.expect("drop", &nets(&[1, 2, 3, 4, 5]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
}

#[test]
fn a_state_directory_that_cannot_be_read_keeps_a_configuration_no_longer_than_a_while() {
    let mut desk = desk();
    desk.site.recall_fails = Some("input/output error".to_owned());
    let word = desk.propose(&of(&[list("drop", &["a", "b"], &[])]));
    desk.settle();
    desk.pass(14);
    assert_eq!(desk.configured(word), None);
    desk.pass(1);
    assert_eq!(desk.configured(word), Some(Ok(())));
}

#[test]
fn a_lost_exception_is_not_let_go_by_a_glob_that_matches_nothing() {
    let mut desk = with_exception();
    desk.site.put("allow/x", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("allow/x"), Loss::Missing);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::UnprovenException(feed("allow/x"))));
    let word = desk.propose(&of(&[list("drop", &["a"], &["alow/*"])]));
    desk.settle();
    let slips = desk.configured(word).expect("decided").expect_err("refused");
    assert_eq!(slips[0].kind, SlipKind::NoException(glob("alow/*")));
    desk.expect("drop", &spared());
}

#[test]
fn a_feed_that_takes_the_place_of_a_lost_one_frees_the_list_without_a_word() {
    let mut desk = Desk::with(
        of(&[list("drop", &["a", "b"], &[])]),
        &[("a", &(net(1) + &net(2) + &net(3))), ("b", &net(4))],
    );
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("a"), Loss::Missing);
    desk.restart();
    desk.settle();
    desk.site.put("mirror", &(net(1) + &net(2)), desk.now.wall);
    let word = desk.propose(&of(&[list("drop", &["mirror", "b"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())), "a quarter of it is lost");
    desk.rests_with("drop", &nets(&[1, 2, 4]));
}

#[test]
fn a_list_that_is_put_in_anew_is_not_held_against_what_it_was_before() {
    let mut desk = desk();
    desk.restart();
    desk.settle();
    desk.propose(&of(&[]));
    desk.settle();
    let word = desk.propose(&of(&[list("drop", &["a"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[1]));
}
