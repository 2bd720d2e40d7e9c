//! The guard against locking somebody out: a version of a feed by which somebody
//! who administers this host would newly be shut out is refused, and so is one
//! that would shut out what the host itself needs.
//!
//! A refusal for a connection ends with the connection. Those that begin later
//! do not count against the same version: an address that a feed lists may knock
//! as often as it likes, and must not keep the feed out for ever.

use std::net::IpAddr;
use std::time::Duration;

use blocklist::{AnyPrefix, FeedName, Guard, List, Refusal, Role};

use super::Intake;
use crate::feed::FeedStage;
use crate::{Now, Peer, Rules, Version, Who};

/// Time until a feed is read again that was refused for a connection. A server
/// of SSH gives two minutes to log in (`LoginGraceTime`, `sshd_config(5)`).
const REREAD: Duration = Duration::from_secs(20);

/// Who is named in one refusal.
const NAMED_MAX: usize = 3;

/// Somebody who would be shut out.
#[derive(Debug)]
struct ShutOut {
    address: IpAddr,
    who: Who,
    list: String,
    is_member: bool,
    named: Option<String>,
    connection: Option<u64>,
}

/// What the guard has against a version.
#[derive(Debug, Default)]
pub(super) struct Objection {
    pub(super) refusal: Option<Refusal>,
    /// The connections that it is for.
    pub(super) connections: Vec<u64>,
}

impl Intake {
    /// Who is connected, by the look that came with the answer that comes next.
    pub fn peers_are(&mut self, peers: Vec<Peer>) {
        self.peers = peers;
    }

    /// What the guard has against a version, if it were in force.
    pub(super) fn shut_out_by(
        &mut self,
        name: &FeedName,
        version: &Version,
        now: Now,
    ) -> Objection {
        let peers = std::mem::take(&mut self.peers);
        let uses = self.rules.uses(name);
        let rules = self.proposed.clone().filter(|_| !uses).unwrap_or_else(|| self.rules.clone());
        let earlier = self.feeds.get(name).and_then(|feed| feed.refused.as_ref());
        let earlier = earlier.filter(|refused| refused.id == Some(version.id));
        let counts = |peer: &Peer| {
            earlier.is_none_or(|refused| refused.connections.contains(&peer.connection))
        };
        let peers = peers.into_iter().filter(counts).map(|peer| {
            let who = Who::Peer(peer.port);
            (peer.address, who, peer.named, Some(peer.connection))
        });
        let host = Who::OF_HOST.into_iter().flat_map(|category| {
            let addresses = self.protection.of(&[category]);
            let hosts: Vec<_> = addresses.iter().map(first).collect();
            hosts.into_iter().map(move |address| (address, Who::Host(category), None, None))
        });
        let before = self.feeds.get(name).and_then(|feed| feed.in_force());
        let changes = |address: IpAddr| {
            let had = before.is_some_and(|before| before.covers(address, now.wall));
            had != version.covers(address, now.wall)
        };
        let concerned: Vec<_> =
            peers.chain(host).filter(|(address, ..)| changes(*address)).collect();
        let shut_out = concerned.into_iter().filter_map(|(address, who, named, connection)| {
            let (list, is_member) =
                self.newly_shut_out(&rules, name, version, (address, who), now)?;
            Some(ShutOut { address, who, list, is_member, named, connection })
        });
        objection(&shut_out.collect::<Vec<_>>())
    }

    /// The first list by which somebody would be shut out who is not yet, and
    /// whether as its member.
    fn newly_shut_out(
        &self,
        rules: &Rules,
        name: &FeedName,
        version: &Version,
        (address, who): (IpAddr, Who),
        now: Now,
    ) -> Option<(String, bool)> {
        let shut_out = |version: Option<&Version>| {
            rules.lists.iter().find_map(|list| {
                let list = &list.list;
                let is_member = self.would_hold(list, address, (name, version), now);
                let out = rules.shuts(&list.name).shuts_out(is_member, who);
                out.then(|| (list.name.clone(), is_member))
            })
        };
        let before = self.feeds.get(name).and_then(|feed| feed.in_force());
        shut_out(Some(version)).filter(|_| shut_out(before).is_none())
    }

    /// Whether a list would hold an address if this were the version of the feed
    /// in force.
    fn would_hold(
        &self,
        list: &List,
        address: IpAddr,
        (name, version): (&FeedName, Option<&Version>),
        now: Now,
    ) -> bool {
        let holds = |wanted: Role| {
            let others = self.in_force().filter(|(other, _)| *other != name);
            let mut feeds = others.chain(version.map(|version| (name, version)));
            feeds.any(|(feed, version)| {
                version.covers(address, now.wall) && list.role(feed) == wanted
            })
        };
        holds(Role::Deny)
            && !list.literals().any(|prefix| prefix.contains(address))
            && self.protection.covering(&list.protect, address).is_none()
            && !holds(Role::Allow)
    }

    /// Has a feed looked at again that was refused for who is connected.
    pub(super) fn look_again_for_peers(&mut self, name: &FeedName, now: Now) {
        self.change(name, |feed| {
            let waits =
                feed.refused.as_ref().is_some_and(|refused| !refused.connections.is_empty());
            if waits {
                feed.fingerprint = None;
                feed.stage = FeedStage::Wanted(now.monotonic + REREAD);
            }
        });
    }
}

/// The address that a prefix of one host is of.
fn first(prefix: AnyPrefix) -> IpAddr {
    match prefix {
        AnyPrefix::V4(prefix) => IpAddr::V4(prefix.first().into()),
        AnyPrefix::V6(prefix) => IpAddr::V6(prefix.first().into()),
    }
}

fn objection(shut_out: &[ShutOut]) -> Objection {
    if shut_out.is_empty() {
        return Objection::default();
    }
    let mut told: Vec<String> = shut_out.iter().map(ShutOut::sentence).collect();
    told.dedup();
    let more = told.len().saturating_sub(NAMED_MAX);
    told.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let refusal = Refusal {
        guard: Guard::Lockout,
        expected: "nobody shut out who administers this host, and nothing that it needs".to_owned(),
        found: format!("{}{more}", told.join("; ")),
    };
    let connections = shut_out.iter().filter_map(|one| one.connection).collect();
    Objection { refusal: Some(refusal), connections }
}

impl ShutOut {
    fn sentence(&self) -> String {
        let Self { address, who, list, is_member, named, .. } = self;
        let named = named.as_ref().map(|named| format!(" ({named})")).unwrap_or_default();
        if *is_member {
            format!("{address}, {who}, would be blocked by list {list}{named}")
        } else {
            format!("{address}, {who}, would not be in list {list} any more, which lets it in")
        }
    }
}
