//! One rule of nftables as words: whom it is about and what becomes of them.
//! Source: nft(8), EXPRESSIONS and STATEMENTS. Knows no sets.

use super::super::super::program::{Breadth, RuleAction};
use crate::{Entry, Family, parse_entry};

/// Whom a rule is about, before sets are looked up.
#[derive(Clone)]
pub(in super::super) enum Whom {
    All,
    Some(Vec<Entry>),
    /// Who is in a set.
    Set(Vec<u8>),
    /// All of a family but these.
    But(Box<Whom>, Family),
    /// Some that nobody can tell.
    Unknown,
    /// Each with what becomes of it.
    Each(Vec<(Entry, RuleAction)>),
    /// The same by a map.
    Map(Vec<u8>),
}

/// A rule.
#[derive(Clone)]
pub(in super::super) struct Parsed {
    pub whom: Whom,
    pub breadth: Breadth,
    pub action: RuleAction,
}

/// Words of a rule, one after the other. Braces, commas and `=` are words.
struct Words<'w> {
    words: &'w [&'w [u8]],
}

impl<'w> Words<'w> {
    fn next(&mut self) -> Option<&'w [u8]> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn next_if(&mut self, wanted: &[u8]) -> bool {
        let fits = self.words.first() == Some(&wanted);
        if fits {
            self.next();
        }
        fits
    }

    /// What stands in braces, split at the commas, or the one word that is not.
    fn operand(&mut self) -> Vec<Vec<&'w [u8]>> {
        let Some(first) = self.next() else { return Vec::new() };
        if first != b"{" {
            // A range has blanks around its dash, and a list of flags commas.
            let mut one = vec![first];
            while let Some(&mark @ (b"-" | b",")) = self.words.first() {
                self.next();
                one.push(mark);
                one.extend(self.next());
            }
            return vec![one];
        }
        let mut items = vec![Vec::new()];
        while let Some(word) = self.next().filter(|word| *word != b"}") {
            match (word, items.last_mut()) {
                (b",", _) => items.push(Vec::new()),
                (word, Some(item)) => item.push(word),
                _ => {}
            }
        }
        items.retain(|item| !item.is_empty());
        items
    }
}

/// Reads a rule. `key` makes the name of a chain or set one of its table.
pub(in super::super) fn parse(words: &[&[u8]], key: &dyn Fn(&[u8]) -> Vec<u8>) -> Parsed {
    let mut words = Words { words };
    let mut rule = Reading { whom: None, part: false, beside: false, action: RuleAction::Nothing };
    while let Some(word) = words.next() {
        rule.word(word, &mut words, key);
    }
    let breadth = match (rule.part, rule.beside) {
        (false, true) if rule.action != RuleAction::Drop => Breadth::Beside,
        (false, false) => Breadth::Whole,
        _ => Breadth::Part,
    };
    Parsed { whom: rule.whom.unwrap_or(Whom::All), breadth, action: rule.action }
}

struct Reading {
    whom: Option<Whom>,
    part: bool,
    beside: bool,
    action: RuleAction,
}

impl Reading {
    fn word(&mut self, word: &[u8], words: &mut Words<'_>, key: &dyn Fn(&[u8]) -> Vec<u8>) {
        match word {
            b"ip" if words.next_if(b"saddr") => self.source(Family::Ipv4, words, key),
            b"ip6" if words.next_if(b"saddr") => self.source(Family::Ipv6, words, key),
            b"drop" => self.action = RuleAction::Drop,
            b"reject" => {
                self.action = RuleAction::Drop;
                if words.next_if(b"with") {
                    words.words = &[];
                }
            }
            b"accept" => self.action = RuleAction::Accept,
            b"queue" | b"snat" | b"dnat" | b"masquerade" | b"redirect" | b"tproxy" => {
                (self.action, words.words) = (RuleAction::Accept, &[]);
            }
            b"return" => self.action = RuleAction::Return,
            b"continue" => {}
            b"jump" => self.action = RuleAction::Jump(key(words.next().unwrap_or_default())),
            b"goto" => self.action = RuleAction::Goto(key(words.next().unwrap_or_default())),
            b"counter" => {
                for name in [b"packets", &b"bytes"[..]] {
                    if words.next_if(name) {
                        words.next();
                    }
                }
            }
            b"comment" => drop(words.next()),
            b"log" => {
                while matches!(
                    words.words.first(),
                    Some(&(b"prefix" | b"level" | b"group" | b"flags" | b"snaplen"))
                ) {
                    words.next();
                    words.operand();
                }
            }
            b"ct" if words.next_if(b"state") => self.state(words),
            b"iif" | b"iifname" => match words.next() {
                Some(b"lo" | b"\"lo\"") => self.beside = true,
                _ => self.part = true,
            },
            b"icmp" | b"icmpv6" => {
                words.next();
                words.operand();
                self.beside = true;
            }
            b"meta" | b"ip" | b"ip6" => self.meta(words),
            b"mark" => {
                // To set one changes nobody's way.
                self.part |= !words.next_if(b"set");
                words.next();
            }
            _ => self.part = true,
        }
    }

    fn meta(&mut self, words: &mut Words<'_>) {
        match words.next() {
            Some(b"nfproto") => drop(words.next()),
            Some(b"mark") if words.next_if(b"set") => drop(words.next()),
            Some(b"l4proto" | b"protocol" | b"nexthdr") => {
                let icmp = |word: &&[u8]| [&b"icmp"[..], b"icmpv6", b"ipv6-icmp"].contains(word);
                let items = words.operand();
                let all = !items.is_empty() && items.iter().flatten().all(icmp);
                self.beside |= all;
                self.part |= !all;
            }
            _ => self.part = true,
        }
    }

    fn state(&mut self, words: &mut Words<'_>) {
        let negated = words.next_if(b"!") && words.next_if(b"=");
        let mapped = words.next_if(b"vmap");
        let items = words.operand();
        let named = |item: &Vec<&[u8]>| {
            let end = item.iter().position(|word| *word == b":").unwrap_or(item.len());
            item[..end].iter().any(|word| {
                word.split(|&byte| byte == b',').any(|state| matches!(state, b"new" | b"untracked"))
            })
        };
        let new = negated || items.iter().any(named);
        self.part |= new;
        self.beside |= !new;
        if mapped {
            self.action = RuleAction::Accept;
        }
    }

    fn source(&mut self, family: Family, words: &mut Words<'_>, key: &dyn Fn(&[u8]) -> Vec<u8>) {
        // A second match on the source makes it narrower.
        self.part |= self.whom.is_some();
        let negated = words.next_if(b"!");
        words.next_if(b"=");
        words.next_if(b"=");
        if words.next_if(b"vmap") {
            let items = words.operand();
            self.whom = Some(match &items[..] {
                [one] if one.len() == 1 && one[0].starts_with(b"@") => Whom::Map(key(&one[0][1..])),
                _ => self.each(&items, key),
            });
            return;
        }
        let items = words.operand();
        // `&` and the like make something else of it.
        let known = match &items[..] {
            [one] if one.len() == 1 && one[0].starts_with(b"@") => Whom::Set(key(&one[0][1..])),
            _ => match items.iter().map(|item| entry(item)).collect::<Option<Vec<_>>>() {
                Some(entries) if !entries.is_empty() => Whom::Some(entries),
                _ => Whom::Unknown,
            },
        };
        self.whom = Some(match known {
            Whom::Unknown => Whom::Unknown,
            known if negated => Whom::But(Box::new(known), family),
            known => known,
        });
    }

    fn each(&mut self, items: &[Vec<&[u8]>], key: &dyn Fn(&[u8]) -> Vec<u8>) -> Whom {
        let mut each = Vec::new();
        for item in items {
            match mapped(item, key).map(|(element, action)| (entry(element), action)) {
                Some((Some(entry), action)) => each.push((entry, action)),
                _ => self.part = true,
            }
        }
        Whom::Each(each)
    }
}

/// `192.0.2.1 : drop` in its two parts.
pub(in super::super) fn mapped<'i, 'w>(
    item: &'i [&'w [u8]],
    key: &dyn Fn(&[u8]) -> Vec<u8>,
) -> Option<(&'i [&'w [u8]], RuleAction)> {
    let colon = item.iter().position(|word| *word == b":")?;
    let action = match &item[colon + 1..] {
        [b"drop" | b"reject", ..] => RuleAction::Drop,
        [b"accept", ..] => RuleAction::Accept,
        [b"return", ..] => RuleAction::Return,
        [b"continue", ..] => RuleAction::Nothing,
        [b"jump", name, ..] => RuleAction::Jump(key(name)),
        [b"goto", name, ..] => RuleAction::Goto(key(name)),
        _ => return None,
    };
    Some((&item[..colon], action))
}

/// An address, a prefix or a range, also with blanks around its dash.
pub(in super::super) fn entry(words: &[&[u8]]) -> Option<Entry> {
    match words {
        [one] => parse_entry(one).ok(),
        [first, b"-", last] => parse_entry(&[first, &b"-"[..], last].concat()).ok(),
        _ => None,
    }
}
