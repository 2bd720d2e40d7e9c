//! Sets that others made: seen where they have our names, judged foreign,
//! never read as ours, and the same afterwards.

use lab::witness::{drop_from, ipset};
use reconcile::{Foreign, KernelErrorKind, Observe, Standing};

use crate::ground::{Ground, on_own_ground, v4, v6};

/// The standing of the set with this name, as the driver sees it.
#[track_caller]
fn check(ground: &mut Ground, name: &str, want: &Standing) {
    let headers = ground.kernel.sets(&ground.prefix).expect("listed");
    let header = headers.iter().find(|header| header.name.as_str() == name).expect("listed");
    assert_eq!(&header.standing(&ground.prefix), want, "{header:?}");
    assert_eq!(ground.kernel.header(&header.name).expect("readable").as_ref(), Some(header));
}

#[test]
fn a_set_is_ours_by_name_type_family_and_mark_and_by_nothing_less() {
    on_own_ground(|ground| {
        ground.creates_with(&v4("ours"), "192.0.2.1");
        ground.creates_with(&v6("ours"), "2001:db8::1");
        let mark = format!("initval {:#x}", ground.spec(&v4("x"), 64, 64).initval);
        ipset(&format!("create denyset-made-v4 hash:net {mark}"));
        ipset("create denyset-unmarked-v4 hash:net");
        ipset(&format!("create denyset-counted-v4 hash:net counters {mark}"));
        ipset(&format!("create denyset-timed-v4 hash:net timeout 0 {mark}"));
        ipset(&format!("create denyset-forced-v4 hash:net forceadd {mark}"));
        ipset(&format!("create denyset-family-v4 hash:net family inet6 {mark}"));
        ipset(&format!("create denyset-hosts-v4 hash:ip {mark}"));
        ipset("create denyset-map-v4 bitmap:port range 1-100");
        ipset("create denyset-list-v4 list:set");
        ipset("create other-drop-v4 hash:net");
        ipset("create denyset- hash:net");

        for name in ["denyset-ours-v4", "denyset-ours-v6", "denyset-made-v4"] {
            check(ground, name, &Standing::Ours);
        }
        for name in ["unmarked", "counted", "timed", "forced"] {
            check(ground, &format!("denyset-{name}-v4"), &Standing::Foreign(Foreign::Mark));
        }
        check(ground, "denyset-family-v4", &Standing::Foreign(Foreign::Family));
        for (name, kind) in [("hosts", "hash:ip"), ("map", "bitmap:port"), ("list", "list:set")] {
            let want = Standing::Foreign(Foreign::Type(kind.to_owned()));
            check(ground, &format!("denyset-{name}-v4"), &want);
        }
        let listed = ground.kernel.sets(&ground.prefix).expect("listed");
        assert_eq!(listed.len(), 11, "names of another form are passed over");
    });
}

#[test]
fn a_set_with_other_members_than_prefixes_cannot_be_read_as_ours() {
    on_own_ground(|ground| {
        ipset("create denyset-nomatch-v4 hash:net");
        ipset("add denyset-nomatch-v4 10.0.0.0/8");
        ipset("add denyset-nomatch-v4 10.1.0.0/16 nomatch");
        ipset("create denyset-comment-v6 hash:net family inet6 comment");
        ipset("add denyset-comment-v6 2001:db8::/32 comment precious");
        ipset("create denyset-hosts-v4 hash:ip");
        ipset("create denyset-family-v4 hash:net family inet6");
        let before = ipset("save");
        for (set, want) in [
            (v4("nomatch"), KernelErrorKind::Changed),
            (v6("comment"), KernelErrorKind::Changed),
            (v4("hosts"), KernelErrorKind::Mismatch),
            (v4("family"), KernelErrorKind::Mismatch),
        ] {
            let error = ground.kernel.members(&set).expect_err("foreign");
            assert_eq!(error.kind, want, "{error}");
        }
        assert_eq!(ipset("save"), before);
    });
}

#[test]
fn references_are_counted_by_rules_and_lists() {
    on_own_ground(|ground| {
        let set = v4("used");
        ground.creates(&set);
        let references = |ground: &mut Ground| {
            ground.kernel.header(&set).expect("readable").expect("there").references
        };
        assert_eq!(references(ground), 0);
        drop_from(set.as_str());
        ipset("create theirs list:set");
        ipset("add theirs denyset-used-v4");
        assert_eq!(references(ground), 2);
    });
}
