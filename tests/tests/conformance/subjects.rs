//! The three that are compared, and what they are asked.

use std::collections::BTreeSet;

use blocklist::Family;
use lab::witness::ipset;
use netfilter::{Netfilter, NetlinkSocket, Request, Transport};
use netfilter_model::{Hand, Loopback, ModelKernel, RawName, RawSet, universe};
use reconcile::{Kernel, KernelError, KernelErrorKind, Observe, SetName, Standing};

use crate::scripts::{Step, a_chunk, prefix};

/// The kernel, the model, and the model through the driver's bytes. What each
/// of them told last is kept.
pub(crate) struct Subjects {
    real: Netfilter,
    model: ModelKernel,
    looped: Netfilter<Loopback>,
    behind_loop: ModelKernel,
    outcomes: [Outcome; 3],
    readers: Vec<NetlinkSocket>,
    referred: Vec<SetName>,
}

/// What an op came to: the kind of error, and the member it stopped at.
type Outcome = Result<(), (KernelErrorKind, Option<String>)>;

fn outcome(result: Result<(), KernelError>) -> Outcome {
    result.map_err(|error| (error.kind, error.member.map(|member| member.to_string())))
}

impl Subjects {
    /// In a fresh namespace, three empty kernels.
    pub(crate) fn new() -> Self {
        let behind_loop = ModelKernel::new(prefix());
        let looped = Netfilter::over(Loopback::new(behind_loop.clone()));
        Self {
            real: Netfilter::open().expect("a kernel with ipset, and the capability"),
            model: ModelKernel::new(prefix()),
            looped: looped.expect("the model has every version that is needed"),
            behind_loop,
            outcomes: [Ok(()), Ok(()), Ok(())],
            readers: Vec::new(),
            referred: Vec::new(),
        }
    }

    /// Does it to all three.
    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Op(op) => {
                self.outcomes = [
                    outcome(self.real.execute(op)),
                    outcome(self.model.execute(op)),
                    outcome(self.looped.execute(op)),
                ];
            }
            Step::Refer(set) => self.refer(set),
            Step::Release(set) => self.release(set),
            Step::HoldDump(set) => {
                let mut socket = NetlinkSocket::open().expect("a socket can be had");
                let request = Request::Dump(set).encode(1);
                socket.send(&request).expect("the kernel takes it");
                self.readers.push(socket);
                self.both(|machine| machine.foreign(&Hand::HoldDump, &set.into()));
            }
            Step::LetGo => {
                self.readers.clear();
                self.both(|machine| machine.end_faults(&BTreeSet::new()));
            }
            Step::Squat(set) => {
                ipset(&format!("create {set} hash:ip {}", family_option(set)));
                let made = RawSet::hash_net(set.family());
                self.put(set, &RawSet { type_name: "hash:ip".to_owned(), ..made });
            }
            Step::SquatAlike(set) => {
                ipset(&format!("create {set} hash:net {}", family_option(set)));
                self.put(set, &RawSet::hash_net(set.family()));
            }
            Step::SquatExtended(set) => {
                let initval = prefix().initval(1, set.family());
                let option = family_option(set);
                ipset(&format!("create {set} hash:net {option} counters initval {initval:#010x}"));
                let made = RawSet::hash_net(set.family());
                self.put(set, &RawSet { extensions: true, initval, ..made });
            }
        }
    }

    fn both(&self, act: impl Fn(&mut netfilter_model::Machine)) {
        act(&mut self.model.machine());
        act(&mut self.behind_loop.machine());
    }

    fn put(&self, set: &SetName, made: &RawSet) {
        self.both(|machine| machine.put_foreign(&set.into(), made));
    }

    fn refer(&mut self, set: &SetName) {
        let there = self.model.machine().sets.get(&RawName::from(set)).is_some();
        if !there || self.referred.contains(set) {
            return;
        }
        ipset(&format!("create holder{set} list:set"));
        ipset(&format!("add holder{set} {set}"));
        self.both(|machine| assert!(machine.add_rule(&set.into())));
        self.referred.push(set.clone());
    }

    fn release(&mut self, set: &SetName) {
        let Some(at) = self.referred.iter().position(|one| one == set) else { return };
        self.referred.remove(at);
        ipset(&format!("destroy holder{set}"));
        self.both(|machine| machine.drop_rules(&set.into()));
    }

    /// The first thing that one of the models tells otherwise than the kernel.
    pub(crate) fn difference(&mut self) -> Option<String> {
        let [real, others @ ..] = &self.outcomes;
        if let Some(other) = others.iter().find(|other| *other != real) {
            return Some(format!("the kernel: {real:?}\na model:    {other:?}"));
        }
        let real = view(&mut self.real);
        let others = [view(&mut self.model), view(&mut self.looped)];
        others.iter().find_map(|other| {
            let lines = real.iter().zip(other).find(|(real, other)| real != other);
            let lines =
                lines.map(|(real, other)| format!("the kernel: {real}\na model:    {other}"));
            lines.or_else(|| {
                let (real, other) = (real.len(), other.len());
                (real != other).then(|| format!("{real} lines, a model {other}"))
            })
        })
    }
}

fn family_option(set: &SetName) -> &'static str {
    match set.family() {
        Family::Ipv4 => "family inet",
        Family::Ipv6 => "family inet6",
    }
}

/// Everything that can be asked about the sets with our names.
fn view(kernel: &mut impl Observe) -> Vec<String> {
    let mut headers = kernel.sets(&prefix()).expect("sets can be listed");
    headers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut lines = Vec::new();
    for mut header in headers {
        let set = header.name.clone();
        assert_eq!(kernel.header(&set).as_ref(), Ok(&Some(header.clone())));
        let standing = header.standing(&prefix());
        if standing != Standing::Ours {
            // Chosen by the `ipset` program and the kernel, and of no concern.
            header.initval = None;
            header.capacity = reconcile::Capacity { hashsize: 0, maxelem: 0 };
        }
        lines.push(format!("{header:?}: {standing:?}"));
        let members = kernel.members(&set).map_err(|error| error.kind);
        let listed = |members: &reconcile::Members| {
            (0..members.len()).map(|at| members.at(at).to_string()).collect::<Vec<_>>()
        };
        lines.push(format!("members {:?}", members.as_ref().map(listed)));
        if header.type_name == "hash:net" {
            lines.push(format!("tests {:?}", tests(kernel, &set)));
        }
    }
    lines
}

/// Which prefixes of the world are there, and which addresses match.
fn tests(kernel: &mut impl Observe, set: &SetName) -> (usize, Vec<String>) {
    let world = universe(set.family());
    let absent = kernel.absent(set, &a_chunk(set.family(), &world)).expect("members can be tested");
    let exact = world
        .iter()
        .filter(|&&member| kernel.absent(set, &a_chunk(set.family(), &[member])) == Ok(0));
    let mut told: Vec<_> = exact.map(|member| format!("has {member}")).collect();
    for &address in &world[world.len() - 1..] {
        told.push(format!("{address} {:?}", kernel.matches(set, address).map_err(|e| e.kind)));
    }
    (absent, told)
}
