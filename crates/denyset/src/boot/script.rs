//! The sets of a configuration as a script for `ipset restore`, empty: for a
//! boot at which this program does not even run, say because the C library is
//! older than the one it was built with. A daemon that starts later takes them
//! for its own, by the mark in their INITVAL.

use std::fmt::Write as _;

use blocklist::Family;
use configuration::Configuration;
use reconcile::{Capacity, SetName};

/// Slots of a bucket, the kernel's default (`AHASH_MAX_TUNED` in
/// `ip_set_hash_gen.h`). `ipset` wants it written for a set with INITVAL.
const BUCKETSIZE: u8 = 12;

/// What stands in front of a set's own random bits.
const MARK: &str = " initval ";

/// Every set that the lists of a configuration have, by name.
pub(super) fn sets(config: &Configuration) -> impl Iterator<Item = SetName> {
    let prefix = &config.kernel.set_prefix;
    let lists = config.lists.iter().map(|list| &list.list.name);
    lists.flat_map(move |list| {
        Family::ALL.into_iter().filter_map(move |family| prefix.live(list, family).ok())
    })
}

/// The script. Of `salt` each set gets its own.
pub(super) fn script(config: &Configuration, mut salt: impl FnMut() -> u16) -> String {
    let Capacity { hashsize, maxelem } = Capacity::for_members(0);
    let mut script =
        String::from("# The sets of the last good configuration, for `ipset restore -exist`.\n");
    for set in sets(config) {
        let family = match set.family() {
            Family::Ipv4 => "inet",
            Family::Ipv6 => "inet6",
        };
        let initval = config.kernel.set_prefix.initval(salt(), set.family());
        writeln!(
            script,
            "create {set} hash:net family {family} hashsize {hashsize} maxelem {maxelem} \
             bucketsize {BUCKETSIZE}{MARK}{initval:#010x}"
        )
        .expect("a string takes any text");
    }
    script
}

/// Whether two scripts make the same sets, whatever their random bits are.
pub(super) fn makes_the_same(one: &str, other: &str) -> bool {
    let unmarked = |line: &str| line.split(MARK).next().map(str::to_owned);
    one.lines().map(unmarked).eq(other.lines().map(unmarked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(lists: &[&str]) -> Configuration {
        let tables = lists.iter().map(|list| format!("[[list]]\nname = \"{list}\"\n"));
        Configuration::parse(&tables.collect::<String>()).expect("a good configuration")
    }

    #[test]
    fn both_sets_of_every_list_are_made_and_carry_our_mark() {
        let config = config(&["drop", "ssh"]);
        let script = script(&config, || 0x1234);
        let creates: Vec<_> = script.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(creates.len(), 4);
        let initval = config.kernel.set_prefix.initval(0x1234, Family::Ipv6);
        let want = format!(
            "create denyset-drop-v6 hash:net family inet6 hashsize 1024 maxelem 65536 \
             bucketsize 12 initval {initval:#010x}"
        );
        assert_eq!(creates[1], want);
    }

    #[test]
    fn only_other_sets_make_another_script() {
        let one = script(&config(&["drop"]), || 1);
        assert!(makes_the_same(&one, &script(&config(&["drop"]), || 2)));
        assert!(!makes_the_same(&one, &script(&config(&["ssh"]), || 1)));
        assert!(!makes_the_same(&one, &script(&config(&["drop", "ssh"]), || 1)));
        assert!(!makes_the_same(&one, ""));
    }
}
