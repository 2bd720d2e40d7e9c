//! What ops do to sets, as `ipset save` prints it afterwards.

use std::ops::ControlFlow;

use blocklist::Family;
use lab::generate::RandomNumbers;
use lab::members::SortedPrefixes as Seen;
use lab::witness::{self, ipset, saved_set};
use reconcile::{
    CHUNK_MAX, Kernel as _, KernelErrorKind, Observe, Op, Presence, Series, SetName, WriteOrder,
};

use crate::ground::{add, chunk, delete, give_up_rights, members, on_own_ground, swap, v4, v6};

/// The set holds exactly these members.
#[track_caller]
fn check(set: &SetName, text: &str) {
    witness::members(set.as_str()).expect(&Seen::of(text));
}

#[test]
fn a_presized_set_takes_every_member_of_one_writer_and_keeps_its_size() {
    on_own_ground(|ground| {
        let seen: Seen = RandomNumbers::seeded(1).addresses(100_000, 2).into_iter().collect();
        for (set, hashsize) in [(v4("large"), 1 << 16), (v6("large"), 1 << 16)] {
            let wanted = members(set.family(), &seen);
            ground.loads(&set, &wanted, hashsize);
            witness::members(set.as_str()).expect(&seen.family(set.family() == Family::Ipv4));
            let header = ground.kernel.header(&set).expect("readable").expect("there");
            assert_eq!(header.capacity.hashsize, hashsize);
            assert_eq!(header.elements as usize, wanted.len());
        }
    });
}

#[test]
fn a_created_set_has_the_kernels_bucket_size_and_our_mark_and_nothing_else() {
    on_own_ground(|ground| {
        let set = v6("new");
        let spec = ground.spec(&set, 1 << 10, 5_000);
        ground.does(&Op::Create(spec.clone()));
        let initval = format!("0x{:08x}", spec.initval);
        assert_eq!(
            saved_set(set.as_str()).expect("there").create,
            format!(
                "hash:net family inet6 hashsize 1024 maxelem 5000 bucketsize 12 initval {initval}"
            )
        );
    });
}

#[test]
fn a_set_with_a_large_table_is_created_and_takes_members_like_any_other() {
    on_own_ground(|ground| {
        let set = v4("wide");
        let spec = ground.spec(&set, 1 << 20, 5_000);
        ground.does(&Op::Create(spec));
        ground.does(&add(&set, "192.0.2.1\n198.51.100.0/24", Presence::New));
        check(&set, "192.0.2.1\n198.51.100.0/24");
        let header = ground.kernel.header(&set).expect("readable").expect("there");
        assert_eq!(header.capacity.hashsize, 1 << 20);
    });
}

#[test]
fn a_creation_never_takes_what_is_there_for_its_own() {
    on_own_ground(|ground| {
        ground.creates_with(&v4("ours"), "192.0.2.1");
        ipset("create denyset-theirs-v4 hash:net family inet6");
        for set in [v4("ours"), v4("theirs")] {
            let before = saved_set(set.as_str());
            let spec = ground.spec(&set, 64, 1_000);
            ground.fails(&Op::Create(spec), KernelErrorKind::Exists);
            assert_eq!(saved_set(set.as_str()), before);
        }
    });
}

#[test]
fn a_batch_that_fails_in_the_middle_names_the_member_and_keeps_those_before() {
    on_own_ground(|ground| {
        let set = v4("batch");
        ground.creates_with(&set, "192.0.2.2");
        let all = "192.0.2.1 192.0.2.2 192.0.2.3";
        let error = ground.fails(&add(&set, all, Presence::New), KernelErrorKind::Exists);
        assert_eq!(error.member.map(|member| member.to_string()).as_deref(), Some("192.0.2.2"));
        check(&set, "192.0.2.1 192.0.2.2");
        ground.does(&add(&set, all, Presence::Any));
        check(&set, all);
    });
}

#[test]
fn a_series_that_meets_a_member_of_somebody_elses_ends_there_and_names_it() {
    on_own_ground(|ground| {
        let set = v6("series");
        let seen: Seen = RandomNumbers::seeded(3).addresses(40_000, 1).into_iter().collect();
        let wanted = members(set.family(), &seen);
        let place = 20 * CHUNK_MAX + 7;
        let spec = ground.spec(&set, 1 << 15, 50_000);
        ground.does(&Op::Create(spec));
        let foreign = wanted.at(place).to_string();
        ipset(&format!("add {set} {foreign}"));
        let series = Series::add(&set, &wanted, WriteOrder::SORTED, Presence::New);
        let mut done = 0;
        let mut count = |_: &Op| {
            done += 1;
            ControlFlow::Continue(())
        };
        let error = ground.kernel.execute_series(&series, 0, &mut count).expect_err("it is there");
        assert_eq!(error.kind, KernelErrorKind::Exists);
        assert_eq!(error.member.map(|member| member.to_string()), Some(foreign));
        assert_eq!(done, 20);
        let header = ground.kernel.header(&set).expect("readable").expect("there");
        assert_eq!(header.elements as usize, place + 1);
    });
}

#[test]
fn a_series_can_be_ended_behind_any_op_and_goes_on_from_there() {
    on_own_ground(|ground| {
        let set = v6("parts");
        let seen: Seen = RandomNumbers::seeded(4).addresses(40_000, 1).into_iter().collect();
        let wanted = members(set.family(), &seen);
        let spec = ground.spec(&set, 1 << 15, 50_000);
        ground.does(&Op::Create(spec));
        let series = Series::add(&set, &wanted, WriteOrder::SORTED, Presence::New);
        let mut next = 0;
        while next < series.len() {
            let end = next + 15;
            let mut some = |_: &Op| {
                next += 1;
                if next < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let from = end - 15;
            ground.kernel.execute_series(&series, from, &mut some).expect("all are new");
            let header = ground.kernel.header(&set).expect("readable").expect("there");
            assert_eq!(header.elements as usize, wanted.len().min(next * CHUNK_MAX));
        }
        witness::members(set.as_str()).expect(&seen);
        let mut all = |_: &Op| ControlFlow::Continue(());
        let series = Series::delete(&set, &wanted, WriteOrder::SORTED);
        ground.kernel.execute_series(&series, 0, &mut all).expect("all are there");
        check(&set, "");
    });
}

#[test]
fn a_full_set_says_so_and_at_which_member() {
    on_own_ground(|ground| {
        let set = v6("full");
        let spec = ground.spec(&set, 64, 2);
        ground.does(&Op::Create(spec));
        let three = add(&set, "2001:db8::1 2001:db8::2 2001:db8::3", Presence::Any);
        let error = ground.fails(&three, KernelErrorKind::Full);
        assert_eq!(error.member.map(|member| member.to_string()).as_deref(), Some("2001:db8::3"));
        check(&set, "2001:db8::1 2001:db8::2");
    });
}

#[test]
fn a_chunk_of_the_most_members_is_one_message_that_the_kernel_takes() {
    on_own_ground(|ground| {
        let set = v6("chunk");
        let seen: Seen = RandomNumbers::seeded(2).addresses(CHUNK_MAX, 1).into_iter().collect();
        let wanted = members(set.family(), &seen);
        assert_eq!(wanted.chunks().count(), 1);
        ground.loads(&set, &wanted, 1 << 10);
        witness::members(set.as_str()).expect(&seen);
        let all = wanted.chunks().next().expect("one");
        ground.does(&Op::Delete { set: set.clone(), chunk: all });
        check(&set, "");
    });
}

#[test]
fn deleting_is_exact_and_what_is_not_there_is_no_error() {
    on_own_ground(|ground| {
        let set = v4("delete");
        ground.creates_with(&set, "10.0.0.0/8 10.1.0.0/16 10.1.2.3");
        ground.does(&delete(&set, "10.1.0.0/16 10.1.2.0/24 192.0.2.1"));
        check(&set, "10.0.0.0/8 10.1.2.3");
    });
}

#[test]
fn a_swap_exchanges_contents_marks_and_capacity_and_leaves_the_names() {
    on_own_ground(|ground| {
        let (live, shadow) = (v4("live"), ground.prefix.shadow(3, Family::Ipv4));
        ground.creates_with(&live, "192.0.2.1");
        let spec = ground.spec(&shadow, 256, 9);
        ground.does(&Op::Create(reconcile::SetSpec { initval: 0xabcd, ..spec }));
        ground.does(&add(&shadow, "192.0.2.2", Presence::New));
        ground.does(&swap(&shadow, &live));
        check(&live, "192.0.2.2");
        check(&shadow, "192.0.2.1");
        let header = ground.kernel.header(&live).expect("readable").expect("there");
        assert_eq!((header.initval, header.capacity.hashsize), (Some(0xabcd), 256));
    });
}

#[test]
fn sets_of_different_families_are_not_swapped() {
    on_own_ground(|ground| {
        ground.creates(&v4("a"));
        ground.creates(&v6("a"));
        ground.fails(&swap(&v4("a"), &v6("a")), KernelErrorKind::Mismatch);
    });
}

#[test]
fn a_set_is_flushed_then_destroyed_and_another_is_not() {
    on_own_ground(|ground| {
        ground.creates_with(&v4("gone"), "192.0.2.1");
        ground.creates_with(&v4("stays"), "192.0.2.2");
        ground.does(&Op::Flush(v4("gone")));
        check(&v4("gone"), "");
        ground.does(&Op::Destroy(v4("gone")));
        assert_eq!(witness::names(), ["denyset-stays-v4"]);
        check(&v4("stays"), "192.0.2.2");
    });
}

#[test]
fn a_missing_set_is_said_to_be_missing_except_by_destroy() {
    on_own_ground(|ground| {
        let (missing, there) = (v4("missing"), v4("there"));
        ground.creates(&there);
        for op in [
            add(&missing, "192.0.2.1", Presence::Any),
            delete(&missing, "192.0.2.1"),
            Op::Flush(missing.clone()),
            swap(&there, &missing),
            swap(&missing, &there),
        ] {
            ground.fails(&op, KernelErrorKind::NotFound);
        }
        ground.does(&Op::Destroy(missing.clone()));
        let kernel = &mut ground.kernel;
        assert_eq!(kernel.header(&missing), Ok(None));
        let not_found = KernelErrorKind::NotFound;
        assert_eq!(kernel.members(&missing).expect_err("missing").kind, not_found);
        let one = chunk(&missing, "192.0.2.1 192.0.2.2");
        assert_eq!(kernel.absent(&missing, &one).expect_err("missing").kind, not_found);
        let address = crate::ground::host("192.0.2.1");
        assert_eq!(kernel.matches(&missing, address).expect_err("missing").kind, not_found);
    });
}

#[test]
fn the_whole_address_space_is_refused_and_its_halves_are_taken() {
    on_own_ground(|ground| {
        for (set, whole, halves) in [
            (v4("all"), "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1"),
            (v6("all"), "::/0", "::/1 8000::/1"),
        ] {
            ground.creates(&set);
            ground.fails(&add(&set, whole, Presence::New), KernelErrorKind::Refused);
            ground.does(&add(&set, halves, Presence::New));
            check(&set, halves);
        }
    });
}

#[test]
fn without_the_capability_nothing_works_and_the_error_says_why() {
    on_own_ground(|ground| {
        let set = v4("denied");
        give_up_rights();
        let spec = ground.spec(&set, 64, 64);
        let error = ground.fails(&Op::Create(spec), KernelErrorKind::Denied);
        assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
        let error = netfilter::Netfilter::open().map(|_| ()).expect_err("not permitted");
        assert_eq!(error.kind, KernelErrorKind::Denied, "{error}");
    });
}
