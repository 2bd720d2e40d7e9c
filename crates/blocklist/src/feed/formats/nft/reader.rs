//! The text of a ruleset, read into one: tables with what is in them, and the
//! commands of scripts. Source: nft(8). What it comes to it does not know.

use std::collections::HashMap;

use super::super::super::Why;
use super::super::super::program::Named;
use super::super::super::tokens::{Token, TokenKind};
use super::super::super::visit::{Line, Visit};
use super::element::{element, seconds};
use super::rule::{entry, mapped, parse};
use super::ruleset::{NftHook, Ruleset};
use crate::RejectReason;

/// What an open brace began.
enum Block {
    /// `FAMILY TABLE/`
    Table(Vec<u8>),
    Set(Vec<u8>),
    Elements(Vec<u8>),
    /// Elements to be taken out.
    Deleted(Vec<u8>),
    Chain(Vec<u8>),
    /// The name and what is in it.
    Define(Vec<u8>),
    /// Within a rule: it goes on behind.
    Rule,
    Other,
}

/// Reads tokens into a ruleset.
pub(super) struct NftReader<'a> {
    text: &'a [u8],
    pub ruleset: Ruleset<'a>,
    blocks: Vec<Block>,
    words: Vec<Token<'a>>,
    defined: HashMap<Vec<u8>, Vec<Vec<Token<'a>>>>,
}

impl<'a> NftReader<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            ruleset: Ruleset::default(),
            blocks: Vec::new(),
            words: Vec::new(),
            defined: HashMap::new(),
        }
    }

    pub(super) fn token(&mut self, token: Token<'a>, visit: &mut impl Visit) {
        let in_items = matches!(
            self.blocks.last(),
            Some(Block::Elements(_) | Block::Deleted(_) | Block::Define(_))
        );
        match token.kind {
            TokenKind::Word => self.words.push(token),
            TokenKind::LineEnd if in_items || matches!(self.blocks.last(), Some(Block::Rule)) => {}
            TokenKind::Mark(b'{') => self.open(token),
            TokenKind::Mark(b'}') => self.close(token, visit),
            TokenKind::Mark(b',') if in_items => self.item(visit),
            TokenKind::Mark(b',' | b'=') => self.words.push(token),
            TokenKind::Mark(_) | TokenKind::LineEnd => self.statement(visit),
        }
    }

    fn texts(&self) -> Vec<&'a [u8]> {
        self.words.iter().map(|word| word.text).collect()
    }

    /// What the words before a brace say that it begins.
    fn open(&mut self, token: Token<'a>) {
        let texts = self.texts();
        let block = match (self.blocks.last(), &texts[..]) {
            (Some(Block::Chain(_) | Block::Rule), _) => Block::Rule,
            (Some(Block::Set(key)), [b"elements", ..]) => Block::Elements(key.clone()),
            (None, [b"elements", ..]) => Block::Elements(b"/".to_vec()),
            (Some(Block::Table(table)), [b"set" | b"map", name]) => {
                Block::Set([table, *name].concat())
            }
            (None, [b"set" | b"map", name]) => Block::Set([b"/", *name].concat()),
            (Some(Block::Table(table)), [b"chain", name]) => {
                let key = [table, *name].concat();
                self.ruleset.declare(&key);
                Block::Chain(key)
            }
            (_, [b"define" | b"redefine", name, ..]) => Block::Define(name.to_vec()),
            (None, [b"table", rest @ ..] | [b"add" | b"create", b"table", rest @ ..]) => {
                Block::Table(table_key(rest))
            }
            (_, [b"add" | b"create" | b"insert", b"rule", ..]) => Block::Rule,
            (None, [verb, kind, rest @ ..]) => self.command_block(verb, kind, rest),
            _ => Block::Other,
        };
        match block {
            Block::Rule => self.words.push(token),
            Block::Set(ref key) => {
                self.ruleset.set(key);
                self.words.clear();
            }
            _ => self.words.clear(),
        }
        self.blocks.push(block);
    }

    fn command_block(&mut self, verb: &[u8], kind: &[u8], rest: &[&[u8]]) -> Block {
        let Some((name, table)) = rest.split_last() else { return Block::Other };
        let key = [&table_key(table)[..], name].concat();
        match (verb, kind) {
            (b"add" | b"create", b"element") => Block::Elements(key),
            (b"delete" | b"destroy", b"element") => Block::Deleted(key),
            (b"add" | b"create", b"set" | b"map") => Block::Set(key),
            (b"add" | b"create", b"chain") => {
                self.ruleset.declare(&key);
                Block::Chain(key)
            }
            _ => Block::Other,
        }
    }

    fn close(&mut self, token: Token<'a>, visit: &mut impl Visit) {
        match self.blocks.last() {
            Some(Block::Rule) => {
                self.words.push(token);
                self.blocks.pop();
            }
            Some(Block::Elements(_) | Block::Deleted(_) | Block::Define(_)) => {
                self.item(visit);
                self.blocks.pop();
            }
            _ => {
                self.statement(visit);
                self.blocks.pop();
            }
        }
    }

    fn line(&self) -> Option<Line<'a>> {
        let (first, last) = (self.words.first()?, self.words.last()?);
        let text = &self.text[first.at..last.at + last.text.len()];
        Some(Line::At { number: first.line, text })
    }

    /// An element between commas.
    fn item(&mut self, visit: &mut impl Visit) {
        let line = self.line();
        let words = std::mem::take(&mut self.words);
        let (Some(line), Some(block)) = (line, self.blocks.last()) else { return };
        match block {
            Block::Define(name) => self.defined.entry(name.clone()).or_default().push(words),
            Block::Deleted(key) => {
                let texts: Vec<&[u8]> = words.iter().map(|word| word.text).collect();
                let entries: Vec<_> = entry(&texts).into_iter().collect();
                let key = key.clone();
                self.ruleset.delete(&key, &entries);
                visit.ignore(line);
            }
            Block::Elements(key) => {
                let key = key.clone();
                self.elements(&key, line, &words, visit);
            }
            _ => {}
        }
    }

    fn elements(
        &mut self,
        key: &[u8],
        line: Line<'a>,
        words: &[Token<'a>],
        visit: &mut impl Visit,
    ) {
        if let [one] = words
            && let Some(name) = one.text.strip_prefix(b"$")
            && let Some(items) = self.defined.get(name).cloned()
        {
            for item in &items {
                self.elements(key, line, item, visit);
            }
            return;
        }
        let table = table_of(key);
        let inside = |name: &[u8]| [table, name].concat();
        let texts: Vec<&[u8]> = words.iter().map(|word| word.text).collect();
        let set = self.ruleset.set(key);
        if set.other || texts.first() == Some(&&b"*"[..]) {
            visit.ignore(line);
            return;
        }
        let (range, action) = match mapped(&texts, &inside) {
            Some((range, action)) => (&words[..range.len()], Some(action)),
            None => (words, None),
        };
        match element(range) {
            Ok(element) => match element.seconds.or(set.timeout) {
                Some(0) => visit.ended(line),
                seconds => {
                    set.elements.push((Named { line, entry: element.entry, seconds }, action));
                }
            },
            Err(reason) => visit.reject(line, reason),
        }
    }

    fn statement(&mut self, visit: &mut impl Visit) {
        let line = self.line();
        let texts = self.texts();
        self.words.clear();
        let Some(line) = line else { return };
        match self.blocks.last() {
            Some(Block::Set(key)) => {
                let key = key.clone();
                self.set_statement(&key, &texts);
            }
            Some(Block::Chain(key)) => {
                let key = key.clone();
                if let [b"type", rest @ ..] = &texts[..] {
                    if let Some(at) = rest.iter().position(|word| *word == b"hook") {
                        let name = rest.get(at + 1).copied().unwrap_or_default();
                        self.ruleset.hook(&key, NftHook::of(name));
                    }
                } else if !matches!(
                    &texts[..],
                    [b"policy" | b"comment" | b"flags" | b"devices" | b"device", ..]
                ) {
                    self.rule(&key, false, line, &texts, visit);
                }
            }
            None => self.command(line, &texts, visit),
            _ => {}
        }
    }

    fn set_statement(&mut self, key: &[u8], texts: &[&[u8]]) {
        let set = self.ruleset.set(key);
        match texts {
            [b"type", b"ipv4_addr" | b"ipv6_addr"] => {}
            [b"type", b"ipv4_addr" | b"ipv6_addr", b":", b"verdict"] => {}
            [b"type", ..] => set.other = true,
            [b"typeof", b"ip" | b"ip6", b"saddr" | b"daddr"] => {}
            [b"typeof", b"ip" | b"ip6", b"saddr" | b"daddr", b":", b"verdict"] => {}
            [b"typeof", ..] => set.other = true,
            [b"timeout", timeout, ..] => set.timeout = seconds(timeout),
            _ => {}
        }
    }

    /// A command outside of all blocks.
    fn command(&mut self, line: Line<'a>, texts: &[&'a [u8]], visit: &mut impl Visit) {
        match texts {
            [verb @ (b"add" | b"insert" | b"create"), b"rule", rest @ ..] => {
                let known = |word: &&[u8]| FAMILIES.contains(word);
                let named = usize::from(rest.first().is_some_and(known)) + 1;
                if let (Some(table), Some(chain)) = (rest.get(..named), rest.get(named)) {
                    let key = [&table_key(table)[..], chain].concat();
                    self.rule(&key, *verb == b"insert", line, &rest[named + 1..], visit);
                }
            }
            [b"flush", b"ruleset", ..] => self.ruleset.flush(b""),
            [b"flush" | b"delete" | b"destroy", b"table", rest @ ..] => {
                self.ruleset.flush(&table_key(rest));
            }
            [b"flush" | b"delete" | b"destroy", kind @ (b"set" | b"map" | b"chain"), rest @ ..] => {
                if let Some((name, table)) = rest.split_last() {
                    let key = [&table_key(table)[..], name].concat();
                    match *kind {
                        b"chain" => self.ruleset.flush_chain(&key),
                        _ => self.ruleset.set(&key).elements.clear(),
                    }
                }
            }
            [b"add" | b"create", b"table" | b"chain" | b"set" | b"map", ..]
            | [b"#!/usr/sbin/nft" | b"table", ..] => {}
            [b"define" | b"redefine", name, b"=", ..] => {
                let item = texts.iter().skip(3).map(|text| Token {
                    kind: TokenKind::Word,
                    text,
                    line: line.number(),
                    at: 0,
                });
                self.defined.insert(name.to_vec(), vec![item.collect()]);
            }
            _ => visit.doubt(line, Why::Program("a command that is not known here")),
        }
        visit.ignore(line);
    }

    fn rule(
        &mut self,
        key: &[u8],
        first: bool,
        line: Line<'a>,
        texts: &[&[u8]],
        visit: &mut impl Visit,
    ) {
        let mut words: Vec<&[u8]> = Vec::with_capacity(texts.len());
        for text in texts {
            let Some(name) = text.strip_prefix(b"$") else {
                words.push(text);
                continue;
            };
            let Some(items) = self.defined.get(name) else {
                visit.doubt(line, Why::Program("a variable that is not defined here"));
                return visit.reject(line, RejectReason::NotAnAddress);
            };
            words.push(b"{");
            for item in items {
                words.extend(item.iter().map(|token| token.text));
                words.push(b",");
            }
            words.push(b"}");
        }
        let table = table_of(key).to_vec();
        let parsed = parse(&words, &|name| [&table[..], name].concat());
        if first {
            self.ruleset.insert(key, line, parsed);
        } else {
            self.ruleset.append(key, line, parsed);
        }
    }

    /// Whatever was not closed was cut off, and the element there perhaps too.
    pub(super) fn end(&mut self, visit: &mut impl Visit) {
        if let (false, Some(word)) = (self.blocks.is_empty(), self.words.first()) {
            let line = Line::At { number: word.line, text: &self.text[word.at..] };
            visit.reject(line, RejectReason::Foreign);
        } else {
            self.statement(visit);
        }
    }
}

const FAMILIES: [&[u8]; 6] = [b"ip", b"ip6", b"inet", b"netdev", b"bridge", b"arp"];

/// `FAMILY TABLE/`; the family is `ip` if it is not said.
fn table_key(words: &[&[u8]]) -> Vec<u8> {
    match words {
        [family, table, ..] if FAMILIES.contains(family) => {
            [family, &b" "[..], table, b"/"].concat()
        }
        [table, ..] => [&b"ip "[..], table, b"/"].concat(),
        [] => Vec::new(),
    }
}

fn table_of(key: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'/', key).map_or(0, |at| at + 1);
    &key[..end]
}
