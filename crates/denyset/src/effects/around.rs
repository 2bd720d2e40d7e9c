//! What on this host carries packets past rules, as far as it can be found
//! out: what cannot be asked is not there. Programs that are attached in newer
//! ways than to a queue at ingress are among what cannot.

use std::collections::BTreeSet;

use netfilter::Netfilter;
use reconcile::{Bypass, BypassKind};

/// Everything that was found, in an order of its own.
pub fn bypasses() -> Vec<Bypass> {
    let mut found = BTreeSet::new();
    let links = host::links().unwrap_or_default();
    if !links.is_empty() {
        let interfaces = links.iter().map(|link| link.name.clone()).collect();
        found.insert(Bypass { kind: BypassKind::Absent, interfaces });
    }
    for link in links {
        let kinds = [
            (link.has_xdp, BypassKind::Xdp),
            (link.has_classifier, BypassKind::Classifier),
            (link.bridges_past_hooks, BypassKind::Bridge),
        ];
        let kinds = kinds.into_iter().filter(|(is_there, _)| *is_there).map(|(_, kind)| kind);
        found.extend(kinds.map(|kind| Bypass { kind, interfaces: vec![link.name.clone()] }));
    }
    if let Ok(mut kernel) = Netfilter::open() {
        found.extend(kernel.flowtables().unwrap_or_default());
    }
    found.into_iter().collect()
}
