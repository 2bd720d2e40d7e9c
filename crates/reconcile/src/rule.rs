//! What a rule is: which packets are asked for in which set, and what becomes
//! of those that are found. It knows hooks and ports, not how any of it is
//! said to the kernel.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use blocklist::Family;

use crate::{SetName, SetPrefix};

/// One rule of one family.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What it is called by people; at most [`Rule::NAME_MAX`] bytes.
    pub name: String,
    /// The set that is asked, which also says the family.
    pub set: SetName,
    /// Which address of a packet is looked up.
    pub end: End,
    /// Where packets are stopped.
    pub hook: Hook,
    /// What becomes of a packet.
    pub verdict: Verdict,
    /// To which ports; none means everything, with and without ports.
    pub ports: Vec<Ports>,
    /// On which interfaces; none means all. Packets come in by one, except at
    /// [`Hook::Output`], where they leave by it.
    pub interfaces: Vec<Interface>,
    /// Only what opens a connection: TCP's SYN without ACK, and what
    /// connection tracking calls new of everything else.
    pub new_only: bool,
    /// Which of the packets that it stops are shown to whoever counts hits;
    /// `None` shows none.
    pub sample: Option<Sample>,
}

/// Which packets are shown, and under which name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// One packet in so many, at random; 1 means every packet.
    pub one_in: NonZeroU32,
    /// Packets a second at the most, whatever comes.
    pub per_second: NonZeroU32,
    /// To whom: the group of NFLOG.
    pub group: u16,
    /// What they are labelled with, at most [`Sample::LABEL_MAX`] bytes.
    pub label: String,
}

impl Sample {
    /// The longest label, in bytes: the longest prefix of sets and the longest
    /// name of a rule fit, and it is below `NF_LOG_PREFIXLEN` (128, in
    /// `include/uapi/linux/netfilter/nf_log.h`).
    pub const LABEL_MAX: usize = 100;
}

impl Rule {
    /// The longest name, in bytes: with more, the kernel's limit on user data
    /// (`NFT_USERDATA_MAXLEN`, 256) could be reached.
    pub const NAME_MAX: usize = 64;

    /// How many rules the kernel makes of it: one for each interface and kind
    /// of packets, since its own are conditions that all have to hold.
    pub fn parts(&self) -> usize {
        let reset = self.verdict == Verdict::Reject(RejectWith::TcpReset);
        let kinds = match self.ports.len() {
            0 if self.new_only || reset => 2,
            ports => ports.max(1),
        };
        kinds * self.interfaces.len().max(1)
    }
}

/// All rules of one family, in the order in which packets meet them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    prefix: SetPrefix,
    family: Family,
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules among these whose set is of this family, in the table of
    /// the writer with this prefix.
    pub fn new(prefix: &SetPrefix, family: Family, rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules.into_iter().filter(|rule| rule.set.family() == family).collect();
        Self { prefix: prefix.clone(), family, rules }
    }

    /// How many rules of the kernel all rules of a family may take
    /// ([`Rule::parts`]): they go into one transaction, which is one message,
    /// and every packet meets them.
    pub const PARTS_MAX: usize = 1_000;

    /// Whether all of these are among `whole`, and `whole` has more.
    pub(crate) fn is_part_of(&self, whole: &Self) -> bool {
        let same = (&self.prefix, self.family) == (&whole.prefix, whole.family);
        let fewer = !self.rules.is_empty() && self.rules.len() < whole.rules.len();
        same && fewer && self.rules.iter().all(|rule| whole.rules.contains(rule))
    }

    /// Whose they are.
    pub fn prefix(&self) -> &SetPrefix {
        &self.prefix
    }

    /// Their family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// One of the two addresses of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
}

/// Where in its way through the host a packet is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// As it arrives, before connections are tracked: what it costs least,
    /// and what is forwarded is covered too.
    Prerouting,
    /// What is for this host itself.
    Input,
    /// What is passed on, to containers for instance.
    Forward,
    /// What this host sends.
    Output,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A member's packets vanish.
    Drop,
    /// A member is told that it may not.
    Reject(RejectWith),
    /// Whoever is *not* a member is dropped; a member goes on to the host's
    /// other rules.
    AllowOnly,
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectWith {
    /// ICMP, administratively prohibited.
    Prohibited,
    /// ICMP, port unreachable.
    PortUnreachable,
    /// TCP is reset, everything else is told that the port is unreachable.
    TcpReset,
}

/// The protocol of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Destination ports in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Of which protocol.
    pub transport: PortProtocol,
    /// From the first to the last.
    pub range: RangeInclusive<u16>,
}

/// An interface by its name, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interface {
    name: String,
    any_ending: bool,
}

impl Interface {
    /// The longest name, in bytes: `IFNAMSIZ` (16, in
    /// `include/uapi/linux/if.h`) counts a closing NUL.
    pub const NAME_MAX: usize = 15;

    /// An interface, or with a trailing `*` all whose names begin so. `None`
    /// if no interface can have such a name.
    pub fn new(text: &str) -> Option<Self> {
        let (name, any_ending) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        let fits = (1..=Self::NAME_MAX).contains(&name.len());
        let odd = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'/' | b':' | b'*');
        let usable = fits && !name.bytes().any(odd) && !matches!(name, "." | "..");
        usable.then(|| Self { name: name.to_owned(), any_ending })
    }

    /// The name, or its beginning.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the interface of this name is meant.
    pub fn covers(&self, name: &str) -> bool {
        if self.any_ending { name.starts_with(&self.name) } else { name == self.name }
    }

    /// Whether it is only the beginning.
    pub fn any_ending(&self) -> bool {
        self.any_ending
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.name, if self.any_ending { "*" } else { "" })
    }
}

/// Rules as they were last looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesSeen {
    /// What was looked for.
    pub wanted: RuleSet,
    /// What was found; `None` while it is not known.
    pub found: Option<RulesFound>,
}

/// What stands in the kernel where our rules of one family should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesFound {
    /// No table of ours.
    Absent,
    /// A table under our name that does not bear our mark. It is not touched.
    Foreign,
    /// Our table, and something in it is not as it should be. These of the rules
    /// are in force all the same.
    Other(Vec<Rule>),
    /// Our table, exactly as it should be.
    AsWanted(Vec<Count>),
}

/// What one rule has stopped so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The name of the rule.
    pub rule: String,
    /// Packets.
    pub packets: u64,
    /// Bytes of them, with the headers of IP.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_interface_can_be_called_is_none() {
        for text in ["", "*", "a/b", "a b", "a*b", "..", "abcdefghijklmnop", "eth0:1", "é"] {
            assert_eq!(Interface::new(text), None, "{text:?}");
        }
        for text in ["lo", "eth0.7", "veth*", "abcdefghijklmno", "wg-home"] {
            assert_eq!(Interface::new(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
    }
}
