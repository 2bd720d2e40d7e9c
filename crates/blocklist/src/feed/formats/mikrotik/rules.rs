//! Commands of `RouterOS` beside those that fill lists: menus, rules, lists that
//! are emptied. Source: <https://help.mikrotik.com/docs/display/ROS/Filter>. Knows
//! no addresses.

use super::super::super::words::{unquoted, words};

/// What a command does.
pub(super) enum RouterCommand<'a> {
    /// The commands behind it are for this menu.
    Menu(Menu),
    /// All of a list goes.
    Clear(Vec<u8>),
    Rule(RouterRule<'a>),
}

/// A menu with rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Menu {
    #[default]
    Filter,
    Raw,
    Other,
}

/// The properties of a rule that matter.
#[derive(Default)]
pub(super) struct RouterRule<'a> {
    pub menu: Option<Menu>,
    pub chain: &'a [u8],
    pub action: &'a [u8],
    pub target: &'a [u8],
    pub list: Option<&'a [u8]>,
    pub address: Option<&'a [u8]>,
    pub narrowed: bool,
    pub beside: bool,
    pub first: bool,
}

/// Properties that change nothing about whom a rule is about.
const HARMLESS: [&[u8]; 9] = [
    b"comment",
    b"log",
    b"log-prefix",
    b"reject-with",
    b"address-list",
    b"address-list-timeout",
    b"new-packet-mark",
    b"passthrough",
    b"place-before",
];

/// What a command does, if it is of one of these kinds.
pub(super) fn command(text: &[u8]) -> Option<RouterCommand<'_>> {
    let bare = text.strip_prefix(b"/").unwrap_or(text);
    let menu = menu(bare);
    let rest = menu.map_or(text, |(_, rest)| rest);
    if memchr::memmem::find(text, b"remove").is_some() {
        let at = memchr::memmem::find(text, b"list=")? + b"list=".len();
        let end = text[at..].iter().position(|byte| b" ]\t".contains(byte));
        return Some(RouterCommand::Clear(
            unquoted(&text[at..end.map_or(text.len(), |end| at + end)]).to_vec(),
        ));
    }
    let Some(properties) = rest.strip_prefix(b"add ") else {
        return menu.filter(|(_, rest)| rest.is_empty()).map(|(menu, _)| RouterCommand::Menu(menu));
    };
    rule(properties)
        .map(|rule| RouterCommand::Rule(RouterRule { menu: menu.map(|(menu, _)| menu), ..rule }))
}

/// The menu that a command begins with, and what follows.
fn menu(text: &[u8]) -> Option<(Menu, &[u8])> {
    let known = [&b"ip"[..], b"ipv6"].iter().find_map(|ip| {
        let rest = text.strip_prefix(*ip)?;
        let rest = rest.strip_prefix(b"/").or_else(|| rest.strip_prefix(b" "))?;
        let rest = rest.strip_prefix(b"firewall")?;
        rest.strip_prefix(b"/").or_else(|| rest.strip_prefix(b" "))
    })?;
    let end = known.iter().position(|byte| b"/ ".contains(byte)).unwrap_or(known.len());
    let (name, rest) = known.split_at(end);
    let menu = match name {
        b"filter" => Menu::Filter,
        b"raw" => Menu::Raw,
        b"address-list" => return None,
        _ => Menu::Other,
    };
    Some((menu, rest.strip_prefix(b"/").unwrap_or(rest).trim_ascii()))
}

fn rule(text: &[u8]) -> Option<RouterRule<'_>> {
    let mut rule = RouterRule::default();
    for word in words(text) {
        let at = memchr::memchr(b'=', word)?;
        let value = unquoted(&word[at + 1..]);
        match &word[..at] {
            b"chain" => rule.chain = value,
            b"action" => rule.action = value,
            b"jump-target" => rule.target = value,
            b"src-address-list" => {
                rule.narrowed |= rule.address.is_some();
                rule.list = Some(value);
            }
            b"src-address" => {
                rule.narrowed |= rule.list.is_some();
                rule.address = Some(value);
            }
            b"connection-state" => {
                let new = value.split(|&byte| byte == b',').any(|state| state == b"new");
                rule.beside |= !new && !value.starts_with(b"!");
                rule.narrowed |= new || value.starts_with(b"!");
            }
            b"protocol" if matches!(value, b"icmp" | b"icmpv6") => rule.beside = true,
            b"in-interface" if value == b"lo" => rule.beside = true,
            // A rule that is off is none.
            b"disabled" if matches!(value, b"yes" | b"true") => rule.action = b"passthrough",
            b"disabled" => {}
            b"place-before" => rule.first = true,
            name if HARMLESS.contains(&name) => {}
            _ => rule.narrowed = true,
        }
    }
    (!rule.chain.is_empty()).then_some(rule)
}
