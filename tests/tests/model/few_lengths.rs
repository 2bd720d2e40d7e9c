//! Hosts whose sets are written in fewer prefix lengths than their lists have.

use netfilter_model::host::HostKind;

use crate::found;

#[test]
fn three_hundred_hosts_with_sets_in_few_lengths_keep_every_promise() {
    for seed in 0..300 {
        found::judge(HostKind::FewLengths, seed, 100, "nothing");
    }
}
