//! One `[[rule]]` table: what becomes of packets by what is in a list.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use blocklist::Family;
use reconcile::{
    End, Hook, Interface, PortProtocol, Ports, RejectWith, Rule, RuleSet, SetPrefix, Verdict,
};
use toml::Spanned;
use toml::de::DeValue;

use super::mistake::Place;
use super::sample::{self, Labels};
use super::section::{Section, Text, article};
use super::{Configuration, ListConfig, limits};

/// A rule of both families.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleConfig {
    /// The list it asks.
    pub list: String,
    /// Its rules, one for each family.
    pub rules: [Rule; 2],
    /// Where its table begins.
    pub at: Place,
}

impl Configuration {
    /// Where the first rule begins that asks this list, or else the list.
    pub fn rule_of(&self, list: &str) -> Option<Place> {
        let rule = self.filters.iter().find(|table| table.list == list).map(|table| table.at);
        let known = || self.lists.iter().find(|table| table.list.name == list);
        rule.or_else(|| known().map(|table| table.at))
    }

    /// The rules of one family, in the order of the file.
    pub fn filter(&self, family: Family) -> RuleSet {
        let rules = self.filters.iter().flat_map(|table| table.rules.iter().cloned());
        RuleSet::new(&self.kernel.set_prefix, family, rules)
    }
}

/// What the rules of one file must share or not share.
pub(super) struct Lists<'a> {
    /// What the names of sets begin with.
    pub(super) set_prefix: SetPrefix,
    /// The lists.
    pub(super) known: &'a [ListConfig],
    /// The names so far and where they stand.
    pub(super) names: BTreeMap<String, Place>,
    /// What packets are labelled with that are looked at.
    pub(super) labels: Labels,
}

/// Reads one table. `None` if it cannot be a rule, after that was noted.
pub(super) fn read(mut section: Section<'_, '_>, lists: &mut Lists<'_>) -> Option<RuleConfig> {
    section.require("list", "a rule asks a list whether it has the address of a packet");
    let list = list(&mut section, lists);
    let name = name(&mut section, list.as_deref(), lists);
    let verdicts = [("drop", Judge::Drop), ("reject", Judge::Reject), ("allow-only", Judge::Only)];
    let judge = section.choice("verdict", &verdicts).unwrap_or(Judge::Drop);
    let hooks = [
        ("prerouting", Hook::Prerouting),
        ("input", Hook::Input),
        ("forward", Hook::Forward),
        ("output", Hook::Output),
    ];
    let hook = section.choice("hook", &hooks).unwrap_or(Hook::Prerouting);
    let end = end(&mut section, hook, judge);
    let mut ports = ports(&mut section, "tcp-ports", PortProtocol::Tcp);
    ports.extend(self::ports(&mut section, "udp-ports", PortProtocol::Udp));
    let interfaces = interfaces(&mut section, hook);
    let new_only = section.flag("new-connections-only").unwrap_or_default();
    let with = reject_with(&mut section, judge);
    if judge == Judge::Only && ports.is_empty() {
        let at = section.offset();
        let why = "`allow-only` needs `tcp-ports` or `udp-ports`: without them it would also \
                   refuse the answers that this host waits for";
        section.note(at, "verdict", why);
    }
    let sample = sample::read(&mut section, name.as_deref(), &mut lists.labels);
    let at = section.begins();
    section.finish();

    let verdict = match judge {
        Judge::Drop => Verdict::Drop,
        Judge::Reject => Verdict::Reject(with),
        Judge::Only => Verdict::AllowOnly,
    };
    let (list, name) = (list?, name?);
    let rule = |family| {
        let set = lists.set_prefix.live(&list, family).ok()?;
        let (name, ports, interfaces) = (name.clone(), ports.clone(), interfaces.clone());
        let sample = sample.clone();
        Some(Rule { name, set, end, hook, verdict, ports, interfaces, new_only, sample })
    };
    let rules = [rule(Family::Ipv4)?, rule(Family::Ipv6)?];
    Some(RuleConfig { list, rules, at })
}

/// The verdict as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judge {
    Drop,
    Reject,
    Only,
}

/// The name of a list there is.
fn list(section: &mut Section<'_, '_>, lists: &Lists<'_>) -> Option<String> {
    let Text { text, at } = section.text("list")?;
    if lists.known.iter().any(|list| list.list.name == text) {
        return Some(text.to_owned());
    }
    section.note(at, "list", format!("there is no [[list]] with the name {text:?}"));
    None
}

/// The rule's own name, or its list's.
fn name(
    section: &mut Section<'_, '_>,
    list: Option<&str>,
    lists: &mut Lists<'_>,
) -> Option<String> {
    let given = section.text("name");
    let at = given.map_or(section.offset(), |given| given.at);
    let name = given.map(|given| given.text).or(list)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || name.len() > Rule::NAME_MAX || !name.chars().all(fits) {
        let max = Rule::NAME_MAX;
        section.note(at, "name", format!("1 to {max} of A-Z a-z 0-9 _ . - are allowed"));
        return None;
    }
    let place = section.mistakes.place(at);
    if let Some(Place { line, .. }) = lists.names.get(name) {
        let message = format!("{name:?} is the name of the rule in line {line} already");
        section.note(at, "name", message);
        return None;
    }
    lists.names.insert(name.to_owned(), place);
    Some(name.to_owned())
}

/// Which address is looked up. What this host sends is its own by its source.
fn end(section: &mut Section<'_, '_>, hook: Hook, judge: Judge) -> End {
    let ends = [("source", End::Source), ("destination", End::Destination)];
    let at = section.value("match").map_or(section.offset(), |(_, at)| at);
    let chosen = section.choice("match", &ends);
    let end = chosen.unwrap_or(if hook == Hook::Output { End::Destination } else { End::Source });
    if (hook, end, judge) == (Hook::Output, End::Source, Judge::Only) {
        let why = "at `output` the source is this host itself: `allow-only` by it would let \
                   nothing out; `destination` is what can work";
        section.note(at, "match", why);
    }
    end
}

/// Numbers, and ranges as strings.
fn ports(section: &mut Section<'_, '_>, key: &'static str, transport: PortProtocol) -> Vec<Ports> {
    let Some((value, at)) = section.value(key) else { return Vec::new() };
    let DeValue::Array(array) = value else {
        section.note(at, key, format!("an array of ports is allowed, not {}", article(value)));
        return Vec::new();
    };
    if array.len() > limits::RULE_PORTS_MAX {
        let max = limits::RULE_PORTS_MAX;
        section.note(at, key, format!("{} ports and ranges, at most {max} fit", array.len()));
        return Vec::new();
    }
    if array.is_empty() {
        section.note(at, key, "is empty; leave it out for every port");
    }
    let mut ports = Vec::with_capacity(array.len());
    for item in array {
        if let Some(range) = range(item.get_ref()) {
            ports.push(Ports { transport, range });
        } else {
            let allowed = "a port, 1 to 65535, or a range such as \"8000-8100\" is allowed";
            section.note(Spanned::span(item).start, key, allowed);
        }
    }
    ports
}

fn range(value: &DeValue<'_>) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|&port| port > 0);
    match value {
        DeValue::Integer(number) => {
            let wide = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
            let port = u16::try_from(wide).ok().filter(|&port| port > 0)?;
            Some(port..=port)
        }
        DeValue::String(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let range = port(first)?..=port(last)?;
            (!range.is_empty()).then_some(range)
        }
        _ => None,
    }
}

fn interfaces(section: &mut Section<'_, '_>, hook: Hook) -> Vec<Interface> {
    let key = "interfaces";
    let texts = section.texts(key).unwrap_or_default();
    if texts.len() > limits::RULE_INTERFACES_MAX {
        let max = limits::RULE_INTERFACES_MAX;
        section.note(texts[0].at, key, format!("{} names, at most {max} fit", texts.len()));
        return Vec::new();
    }
    let mut interfaces = Vec::with_capacity(texts.len());
    for Text { text, at } in texts {
        match Interface::new(text) {
            Some(interface) if interface.name() == "lo" => {
                section.note(
                    at,
                    key,
                    match hook {
                        Hook::Forward => "nothing that is passed on comes by loopback",
                        _ => "loopback is never filtered",
                    },
                );
                interfaces.push(interface);
            }
            Some(interface) => interfaces.push(interface),
            None => {
                let allowed = "1 to 15 bytes, and a trailing * for whatever begins so";
                section.note(at, key, format!("{text:?} is no name of an interface: {allowed}"));
            }
        }
    }
    interfaces
}

fn reject_with(section: &mut Section<'_, '_>, judge: Judge) -> RejectWith {
    let at = section.value("reject-with").map(|(_, at)| at);
    let words = [
        ("prohibited", RejectWith::Prohibited),
        ("port-unreachable", RejectWith::PortUnreachable),
        ("tcp-reset", RejectWith::TcpReset),
    ];
    let with = section.choice("reject-with", &words);
    if let (Some(at), true) = (at, judge != Judge::Reject) {
        section.note(at, "reject-with", "means something only with `verdict = \"reject\"`");
    }
    with.unwrap_or(RejectWith::Prohibited)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: &str = "[[list]]\nname = \"drop\"\n[[list]]\nname = \"office\"\n";

    /// The text after two lists, `drop` and `office`, has exactly these
    /// mistakes.
    fn check(text: &str, want: &[&str]) {
        let found = Configuration::parse(&format!("{LISTS}{text}")).err().unwrap_or_default();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, want, "in:\n{text}");
    }

    #[test]
    fn a_rule_with_nothing_but_its_list_drops_members_as_they_arrive() {
        let config =
            Configuration::parse(&format!("{LISTS}[[rule]]\nlist = \"drop\"")).expect("good");
        for family in Family::ALL {
            let want = Rule {
                name: "drop".to_owned(),
                set: config.kernel.set_prefix.live("drop", family).expect("fits"),
                end: End::Source,
                hook: Hook::Prerouting,
                verdict: Verdict::Drop,
                ports: Vec::new(),
                interfaces: Vec::new(),
                new_only: false,
                sample: None,
            };
            assert_eq!(config.filter(family).rules(), [want]);
        }
        let none = Configuration::parse(LISTS).expect("good").filter(Family::Ipv4);
        assert!(none.rules().is_empty());
    }

    #[test]
    fn every_key_of_a_rule_is_read() {
        let text = "[[rule]]\nlist = \"office\"\nname = \"ssh\"\nverdict = \"allow-only\"\n\
                    hook = \"input\"\nmatch = \"destination\"\ninterfaces = [\"eth0\", \"wg*\"]\n\
                    tcp-ports = [22, \"8000-8100\"]\nudp-ports = [53]\n\
                    new-connections-only = true\n\
                    [[rule]]\nlist = \"drop\"\nverdict = \"reject\"\nreject-with = \"tcp-reset\"\n";
        let config = Configuration::parse(&format!("{LISTS}{text}")).expect("good");
        let rules = config.filter(Family::Ipv6);
        let [ssh, drop] = rules.rules() else { panic!("{rules:?}") };
        assert_eq!((ssh.name.as_str(), ssh.set.as_str()), ("ssh", "denyset-office-v6"));
        assert_eq!((ssh.hook, ssh.end), (Hook::Input, End::Destination));
        assert_eq!((ssh.verdict, ssh.new_only), (Verdict::AllowOnly, true));
        let interfaces = ssh.interfaces.iter().map(ToString::to_string);
        assert_eq!(interfaces.collect::<Vec<_>>(), ["eth0", "wg*"]);
        let ports = |transport, range| Ports { transport, range };
        let (tcp, udp) = (PortProtocol::Tcp, PortProtocol::Udp);
        let want = [ports(tcp, 22..=22), ports(tcp, 8_000..=8_100), ports(udp, 53..=53)];
        assert_eq!(ssh.ports, want);
        assert_eq!(drop.verdict, Verdict::Reject(RejectWith::TcpReset));
    }

    #[test]
    fn rules_that_leave_nobody_are_refused_where_the_second_begins() {
        let only = |name: &str, list: &str, rest: &str| {
            format!(
                "[[rule]]\nname = \"{name}\"\nlist = \"{list}\"\nverdict = \"allow-only\"\n{rest}\n"
            )
        };
        let drop = "[[rule]]\nlist = \"office\"\n";
        let both = "10:1: rule.verdict: `allow-only` by the list \"drop\" contradicts the rule \
                    \"a\" in line 5, which lets only those in \"office\" reach the same ports: \
                    only who is in both would get through; put the feeds of both into one list";
        let nobody = "10:1: rule.verdict: contradicts the rule \"a\" in line 5: one refuses \
                      whoever is in the list \"office\", the other whoever is not, so that nobody \
                      would get through";
        let ports = "tcp-ports = [22]";
        let beside = |second: String| format!("{}{second}", only("a", "office", ports));
        check(&beside(only("b", "drop", "tcp-ports = [\"20-30\"]")), &[both]);
        check(&beside(only("b", "drop", "tcp-ports = [22]\nhook = \"forward\"")), &[both]);
        check(&beside(drop.to_owned()), &[nobody]);
        for good in [
            only("b", "office", ports),
            only("b", "drop", "tcp-ports = [23]"),
            only("b", "drop", "udp-ports = [22]"),
            only("b", "drop", "tcp-ports = [22]\nhook = \"output\""),
            only("b", "drop", "tcp-ports = [22]\nmatch = \"destination\""),
            format!("{drop}tcp-ports = [23]"),
        ] {
            check(&beside(good), &[]);
        }
        let on = |name: &str| format!("tcp-ports = [22]\ninterfaces = [\"{name}\"]");
        let two = |one: &str, other: &str| {
            format!("{}{}", only("a", "office", &on(one)), only("b", "drop", &on(other)))
        };
        check(&two("eth0", "eth1"), &[]);
        check(&two("eth*", "wg*"), &[]);
        let at = |text: &str| text.replacen("10:1", "11:1", 1);
        for (one, other) in [("eth0", "eth0"), ("eth*", "eth0"), ("eth0", "e*"), ("e*", "eth*")] {
            check(&two(one, other), &[&at(both)]);
        }
    }

    #[test]
    fn more_rules_than_the_kernel_takes_are_refused_once() {
        let ports: Vec<String> = (1..=32).map(|port| port.to_string()).collect();
        let interfaces: Vec<String> = (1..=16).map(|number| format!("\"eth{number}\"")).collect();
        let rule = |name: &str| {
            let (ports, interfaces) = (ports.join(", "), interfaces.join(", "));
            format!(
                "[[rule]]\nname = \"{name}\"\nlist = \"drop\"\ntcp-ports = [{ports}]\n\
                 interfaces = [{interfaces}]\n"
            )
        };
        check(&rule("a"), &[]);
        let why = "10:1: rule.verdict: with this one the rules take 1024 rules of the kernel in \
                   each family, at most 1000 fit: each of them takes one for every range of ports \
                   on every interface";
        check(&[rule("a"), rule("b"), rule("c")].concat(), &[why]);
    }

    #[test]
    fn what_cannot_work_is_refused_with_place_and_reason() {
        check(
            "[[rule]]",
            &[
                "5:1: rule.list: is missing; a rule asks a list whether it has the address of a packet",
            ],
        );
        check(
            "[[rule]]\nlist = \"dorp\"",
            &["6:8: rule.list: there is no [[list]] with the name \"dorp\""],
        );
        check(
            "[[rule]]\nlist = \"drop\"\n[[rule]]\nlist = \"drop\"",
            &["7:1: rule.name: \"drop\" is the name of the rule in line 5 already"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\nname = \"a b\"",
            &["7:8: rule.name: 1 to 64 of A-Z a-z 0-9 _ . - are allowed"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\nverdict = \"allow-only\"",
            &["5:1: rule.verdict: `allow-only` needs `tcp-ports` or `udp-ports`: without them it \
             would also refuse the answers that this host waits for"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\nverdict = \"allow-only\"\ntcp-ports = [22]\n\
             hook = \"output\"\nmatch = \"source\"",
            &["10:9: rule.match: at `output` the source is this host itself: `allow-only` by it \
               would let nothing out; `destination` is what can work"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\nreject-with = \"tcp-reset\"",
            &["7:15: rule.reject-with: means something only with `verdict = \"reject\"`"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\ninterfaces = [\"lo\", \"a/b\"]",
            &[
                "7:15: rule.interfaces: loopback is never filtered",
                "7:21: rule.interfaces: \"a/b\" is no name of an interface: 1 to 15 bytes, and a \
             trailing * for whatever begins so",
            ],
        );
        let port = "a port, 1 to 65535, or a range such as \"8000-8100\" is allowed";
        check(
            "[[rule]]\nlist = \"drop\"\ntcp-ports = [0, 65536, \"9-8\", \"a\", true]\nudp-ports = []",
            &[
                &format!("7:14: rule.tcp-ports: {port}"),
                &format!("7:17: rule.tcp-ports: {port}"),
                &format!("7:24: rule.tcp-ports: {port}"),
                &format!("7:31: rule.tcp-ports: {port}"),
                &format!("7:36: rule.tcp-ports: {port}"),
                "8:13: rule.udp-ports: is empty; leave it out for every port",
            ],
        );
        check(
            "[[rule]]\nlist = \"drop\"\ntcp-ports = 22",
            &["7:13: rule.tcp-ports: an array of ports is allowed, not an integer"],
        );
        check(
            "[[rule]]\nlist = \"drop\"\nsampel = 7",
            &["7:1: rule.sampel: unknown key, did you mean `sample`?"],
        );
    }
}
