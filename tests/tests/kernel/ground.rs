//! A kernel to work on: a namespace of its own, the driver opened in it, and
//! short words for what nearly every test does. Members are written as text
//! and compared with what `ipset save` prints.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use blocklist::{AnyPrefix, Family, Prefix, PrefixSet};
use lab::members::SortedPrefixes as Seen;
use lab::namespace::isolated;
use netfilter::Netfilter;
use reconcile::{
    Capacity, Chunk, Kernel, KernelError, KernelErrorKind, Members, Op, Presence, Series, SetName,
    SetPrefix, SetSpec, WriteOrder,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

pub(crate) struct Ground {
    pub(crate) kernel: Netfilter,
    pub(crate) prefix: SetPrefix,
}

/// Runs a test on ground of its own.
pub(crate) fn on_own_ground(body: impl FnOnce(&mut Ground) + Send) {
    isolated(|| {
        let kernel = Netfilter::open().expect("a kernel with ipset");
        body(&mut Ground { kernel, prefix: prefix() });
    });
}

pub(crate) fn prefix() -> SetPrefix {
    SetPrefix::new("denyset-").expect("fits")
}

/// The set `denyset-<list>-v4`.
pub(crate) fn v4(list: &str) -> SetName {
    prefix().live(list, Family::Ipv4).expect("fits")
}

/// The set `denyset-<list>-v6`.
pub(crate) fn v6(list: &str) -> SetName {
    prefix().live(list, Family::Ipv6).expect("fits")
}

/// Members of one family, in the form of the driver.
pub(crate) fn members(family: Family, seen: &Seen) -> Members {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for (address, length) in seen.iter() {
        match address {
            IpAddr::V4(address) => ipv4.push(Prefix::containing(address.to_bits(), length)),
            IpAddr::V6(address) => ipv6.push(Prefix::containing(address.to_bits(), length)),
        }
    }
    match family {
        Family::Ipv4 => PrefixSet::from_unsorted(ipv4).into(),
        Family::Ipv6 => PrefixSet::from_unsorted(ipv6).into(),
    }
}

/// The members written in `text` as one chunk for this set.
pub(crate) fn chunk(set: &SetName, text: &str) -> Chunk {
    let members = members(set.family(), &Seen::of(text));
    let all = 0..members.len();
    Chunk::new(members, all).expect("a few members")
}

/// The address as what the driver asks for.
pub(crate) fn host(address: &str) -> AnyPrefix {
    AnyPrefix::host(address.parse().expect("an address"))
}

/// Leaves this thread without any capability.
pub(crate) fn give_up_rights() {
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, none).expect("anybody may give up");
}

impl Ground {
    /// Does an op that must succeed.
    #[track_caller]
    pub(crate) fn does(&mut self, op: &Op) {
        self.kernel.execute(op).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Does an op on a set that has just been let go. A test beside this one
    /// that starts a program keeps a copy of every socket for that moment, so
    /// the set may be busy a little longer.
    #[track_caller]
    pub(crate) fn does_when_free(&mut self, op: &Op) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while let Err(error) = self.kernel.execute(op) {
            let wait = error.kind == KernelErrorKind::Busy && Instant::now() < deadline;
            assert!(wait, "{error}");
            std::thread::yield_now();
        }
    }

    /// Does an op that must fail in this way.
    #[track_caller]
    pub(crate) fn fails(&mut self, op: &Op, kind: KernelErrorKind) -> KernelError {
        let error = self.kernel.execute(op).expect_err("it must fail");
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.object, Some(op.set().into()), "{error}");
        error
    }

    pub(crate) fn spec(&self, set: &SetName, hashsize: u32, maxelem: u32) -> SetSpec {
        let initval = self.prefix.initval(0x5a17, set.family());
        SetSpec { name: set.clone(), capacity: Capacity { hashsize, maxelem }, initval }
    }

    /// Creates a set with room for little.
    #[track_caller]
    pub(crate) fn creates(&mut self, set: &SetName) {
        let spec = self.spec(set, 64, 1_000);
        self.does(&Op::Create(spec));
    }

    /// Creates a set with these members.
    #[track_caller]
    pub(crate) fn creates_with(&mut self, set: &SetName, text: &str) {
        self.creates(set);
        self.does(&add(set, text, Presence::New));
    }

    /// Creates a set with room for all of `wanted`, and adds them.
    #[track_caller]
    pub(crate) fn loads(&mut self, set: &SetName, wanted: &Members, hashsize: u32) {
        let spec = self.spec(set, hashsize, 2 * hashsize);
        self.does(&Op::Create(spec));
        let series = Series::add(set, wanted, WriteOrder::SORTED, Presence::New);
        let mut on = |_: &Op| ControlFlow::Continue(());
        self.kernel.execute_series(&series, 0, &mut on).expect("room for all");
    }
}

pub(crate) fn add(set: &SetName, text: &str, presence: Presence) -> Op {
    Op::Add { set: set.clone(), chunk: chunk(set, text), presence }
}

pub(crate) fn delete(set: &SetName, text: &str) -> Op {
    Op::Delete { set: set.clone(), chunk: chunk(set, text) }
}

pub(crate) fn swap(shadow: &SetName, live: &SetName) -> Op {
    Op::Swap { shadow: shadow.clone(), live: live.clone() }
}
