//! This host's own addresses, gateways and resolvers, which change at every
//! moment and win at every one.

use std::collections::BTreeSet;

use blocklist::{AnyPrefix, Protect, Protection};
use intake::Loss;
use keeper::{Event, HoldReason, Report, Settings};
use reconcile::{KernelErrorKind, Op, Stage};

use crate::house::{Desk, Kind, at, feed, list, net, nets, own, rules, settings};

const OURS: &str = "91.1.1.7";

fn lists() -> Settings {
    settings(rules(&[list("drop", &["*"], &["allow/*"])]))
}

fn desk() -> Desk {
    Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))])
}

/// These networks without our address.
fn spared(numbers: &[u8]) -> BTreeSet<AnyPrefix> {
    let mut spared = nets(numbers);
    assert!(spared.remove(&OURS.parse().expect("an address")));
    spared
}

#[test]
fn an_address_that_the_host_gets_leaves_the_sets() {
    let mut desk = desk();
    desk.host_is(own(&[OURS]));
    assert!(!desk.keeper.in_sync(), "it is still in one");
    desk.settle();
    desk.rests_with("drop", &spared(&[1, 2]));
    assert!(desk.told(|report| matches!(report, Report::HostChanged)));
    let protected = |report: &Report| matches!(report, Report::ListComposed { protected: 1, .. });
    assert!(desk.told(protected));
}

#[test]
fn an_address_that_the_host_gives_up_is_blocked_again() {
    let mut desk = desk();
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.host_is(own(&[]));
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn gateways_and_resolvers_are_kept_out_like_own_addresses() {
    for category in [Protect::Own, Protect::Gateways, Protect::Resolvers] {
        let mut desk = desk();
        let mut protection = Protection::default();
        protection.set(category, [OURS.parse().expect("an address")]);
        desk.host_is(protection);
        desk.settle();
        desk.rests_with("drop", &spared(&[1, 2]));
    }
}

#[test]
fn what_a_list_does_not_protect_is_not_kept_out_of_it() {
    let mut desk = desk();
    let mut protection = Protection::default();
    protection.set(Protect::LinkLocal, [OURS.parse().expect("an address")]);
    desk.host_is(protection);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_host_that_says_the_same_again_makes_no_work() {
    let mut desk = desk();
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.reports.clear();
    let generation = desk.keeper.generation();
    desk.host_is(own(&[OURS]));
    assert!(desk.pending.is_empty() && desk.reports.is_empty());
    assert_eq!(desk.keeper.generation(), generation);
}

#[test]
fn a_wide_entry_loses_our_address_and_no_other() {
    let mut desk = Desk::with(lists(), &[("a", "91.1.1.0/24\n")]);
    desk.host_is(own(&[OURS]));
    desk.settle();
    let holds = |text: &str| {
        let address = text.parse().expect("an address");
        desk.held("drop").iter().any(|member| member.contains(address))
    };
    assert!(!holds(OURS));
    for other in ["91.1.1.0", "91.1.1.6", "91.1.1.8", "91.1.1.255"] {
        assert!(holds(other), "{other}");
    }
    assert!(desk.keeper.in_sync());
}

#[test]
fn an_ipv6_address_of_ours_leaves_the_other_set() {
    let mut desk = Desk::with(lists(), &[("a", "2001:db8::1\n2001:db8::2\n")]);
    desk.host_is(own(&["2001:db8::1"]));
    desk.settle();
    let set = desk.set("drop", blocklist::Family::Ipv6);
    assert_eq!(desk.host.members(&set).map(BTreeSet::len), Some(1));
    assert!(desk.keeper.in_sync());
}

#[test]
fn our_address_does_not_wait_for_feeds_that_are_being_read() {
    let mut desk = desk();
    desk.write("a", &net(1));
    desk.settle_but(&[Kind::Read]);
    desk.host_is(own(&[OURS]));
    desk.settle_but(&[Kind::Read]);
    desk.expect("drop", &spared(&[1, 2]));
}

#[test]
fn what_was_put_together_before_the_host_changed_is_not_in_force() {
    let mut desk = desk();
    desk.write("a", &(net(1) + &net(3)));
    desk.settle_but(&[Kind::Compose]);
    let old = desk.take(Kind::Compose);
    desk.host_is(own(&[OURS]));
    desk.answer(old);
    assert!(!desk.waits(Kind::Converge), "the old one is not written");
    desk.settle();
    desk.rests_with("drop", &spared(&[1, 2, 3]));
}

#[test]
fn of_two_changes_of_the_host_the_last_counts() {
    let mut desk = desk();
    desk.host_is(own(&[OURS]));
    let old = desk.take(Kind::Compose);
    desk.host_is(own(&["91.1.2.1"]));
    desk.settle();
    desk.answer(old);
    desk.settle();
    let mut want = nets(&[1, 2]);
    want.remove(&"91.1.2.1".parse().expect("an address"));
    desk.rests_with("drop", &want);
}

#[test]
fn a_host_that_changes_while_the_kernel_is_written_is_heard_right_after() {
    let mut desk = desk();
    desk.write("c", &net(3));
    desk.settle_but(&[Kind::Converge]);
    desk.host_is(own(&[OURS]));
    desk.settle_but(&[Kind::Converge]);
    let old = desk.take(Kind::Converge);
    desk.answer(old);
    assert!(!desk.keeper.in_sync());
    desk.settle();
    desk.rests_with("drop", &spared(&[1, 2, 3]));
}

#[test]
fn a_host_that_changes_while_the_kernel_is_observed_is_heard_right_after() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    let look = desk.take(Kind::Observe);
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.answer(look);
    desk.settle();
    desk.rests_with("drop", &spared(&[1, 2]));
}

#[test]
fn our_address_leaves_a_list_that_is_held_add_only() {
    let mut desk = desk();
    desk.site.put("a", "", desk.now.wall);
    desk.site.damaged.insert(feed("a"), Loss::Missing);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.expect("drop", &spared(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))), "it is held all the same");
}

#[test]
fn our_address_leaves_a_list_that_is_frozen() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("allow/x", "91.1.1.20\n")]);
    desk.site.put("allow/x", "", desk.now.wall);
    desk.site.damaged.insert(feed("allow/x"), Loss::Missing);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::UnprovenException(feed("allow/x"))));
    desk.host_is(own(&[OURS]));
    desk.settle();
    let mut want = spared(&[1]);
    want.remove(&"91.1.1.20".parse().expect("an address"));
    desk.expect("drop", &want);
}

#[test]
fn our_address_leaves_the_sets_though_the_feeds_cannot_be_scanned_at_a_start() {
    let mut desk = desk();
    desk.site.scan_fails = Some("no such directory".to_owned());
    desk.restart();
    desk.settle();
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.expect("drop", &spared(&[1, 2]));
}

#[test]
fn an_address_that_is_known_before_the_start_is_in_none_of_the_sets_after_it() {
    let mut desk = desk();
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.host.ops.clear();
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &spared(&[1, 2]));
    assert!(desk.host.ops.is_empty(), "nothing had to be changed: {:?}", desk.host.ops);
}

#[test]
fn an_address_that_comes_in_the_middle_of_a_start_is_in_none_of_the_sets_after_it() {
    for stage in [Kind::Recall, Kind::Scan, Kind::Read, Kind::Keep, Kind::Compose, Kind::Observe] {
        let mut desk = Desk::new(lists());
        desk.site.put("a", &net(1), at(999_000));
        desk.settle_but(&[stage]);
        assert!(desk.waits(stage));
        desk.host_is(own(&[OURS]));
        desk.settle();
        desk.rests_with("drop", &spared(&[1]));
        let added = desk.host.ops.iter().any(|op| match op {
            Op::Add { chunk, .. } => chunk.iter().any(|one| one.to_string() == OURS),
            _ => false,
        });
        assert!(!added, "it was never in any, though it came at {stage:?}");
    }
}

#[test]
fn our_address_leaves_as_soon_as_the_kernel_can_be_written_again() {
    let mut desk = desk();
    desk.host.fail(Stage::Delete, KernelErrorKind::Memory);
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.pass(5);
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync(), "and until then it is said");
    desk.host.mend();
    desk.pass(60);
    desk.rests_with("drop", &spared(&[1, 2]));
}

#[test]
fn a_host_that_changes_while_a_configuration_is_tried_counts_for_the_new_one_too() {
    let mut desk = desk();
    let word = desk.propose(&settings(rules(&[list("drop", &["a"], &["allow/*"])])));
    desk.settle_but(&[Kind::Try]);
    desk.host_is(own(&[OURS]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &spared(&[1]));
}

#[test]
fn every_list_is_put_together_anew_by_its_own_protection() {
    let mut careless = list("more", &["*"], &[]);
    let mut inner = (*careless.list).clone();
    inner.protect.clear();
    careless.list = std::sync::Arc::new(inner);
    let both = [list("drop", &["*"], &[]), careless];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1))]);
    desk.host_is(own(&[OURS]));
    desk.settle();
    desk.rests_with("drop", &spared(&[1]));
    desk.rests_with("more", &nets(&[1]));
}

#[test]
fn what_a_feed_covers_is_counted_without_the_hosts_own_of_the_moment() {
    let mut strict = rules(&[list("drop", &["*"], &[])]);
    strict.guard.coverage_percent_max = 0;
    strict.protect = vec![Protect::Own];
    let mut desk = Desk::with(settings(strict), &[]);
    desk.write("a", OURS);
    desk.settle();
    let refused = |desk: &Desk| desk.keeper.intake().feeds()[&feed("a")].refusals().len();
    assert_eq!(refused(&desk), 1, "one address is more than none");
    desk.host_is(own(&[OURS]));
    desk.write("a", OURS);
    desk.settle();
    assert_eq!(refused(&desk), 0, "it is taken out anyway");
}
