//! The order in which a set takes its members fastest, held against the one in
//! which the kernel lists them: that of its buckets.

use std::collections::{BTreeMap, BTreeSet};

use lab::generate::RandomNumbers;
use lab::members::SortedPrefixes as Seen;
use lab::witness::ipset;
use reconcile::{Kernel as _, Observe as _, SetName};

use crate::ground::{members, on_own_ground, v4, v6};

/// How many times the first so many of both are the same members: once a group
/// of buckets, if the order is that of the buckets, and hardly ever otherwise.
fn agreements(ours: &[String], listed: &[&str]) -> usize {
    let turns: BTreeMap<_, usize> = ours.iter().map(String::as_str).zip(0..).collect();
    let mut last = 0;
    let agrees = |&(place, member): &(usize, &&str)| {
        last = last.max(turns[*member]);
        last == place
    };
    listed.iter().enumerate().filter(agrees).count()
}

fn check(set: &SetName, seen: &Seen, hashsize: u32, groups: usize) {
    on_own_ground(|ground| {
        let wanted = members(set.family(), seen);
        ground.loads(set, &wanted, hashsize);
        let header = ground.kernel.header(set).expect("readable").expect("there");
        let order = ground.kernel.order(&header, &wanted);
        let mut ours = Vec::new();
        for chunk in wanted.chunks_in(order) {
            ours.extend(chunk.iter().map(|member| member.to_string()));
        }
        assert_eq!(ours.iter().collect::<BTreeSet<_>>().len(), wanted.len());
        let saved = ipset(&format!("save {set}"));
        let listed: Vec<_> =
            saved.lines().filter_map(|line| line.strip_prefix("add ")?.split(' ').nth(1)).collect();
        assert_eq!(listed.len(), wanted.len());
        let found = agreements(&ours, &listed);
        assert!(found >= groups, "{found} groups of {groups} for {set}");
    });
}

#[test]
fn members_are_written_in_the_order_of_the_kernels_buckets() {
    let mut random = RandomNumbers::seeded(12);
    // Single addresses and networks of a few lengths.
    let addresses = random.addresses(40_000, 2).into_iter().enumerate();
    let seen: Seen = addresses
        .map(|(number, address)| {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            (address, bits - [0, 0, 4, 8][number / 2 % 4])
        })
        .collect();
    check(&v4("ordered"), &seen, 1 << 16, 16);
    check(&v6("ordered"), &seen, 1 << 16, 16);
}
