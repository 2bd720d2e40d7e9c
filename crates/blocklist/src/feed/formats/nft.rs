//! Sets of nftables as `nft list set` and `nft list ruleset` print them, and
//! `add element` commands. Source: nft(8).
//!
//! * The elements of all sets of the type `ipv4_addr` or `ipv6_addr` (or `typeof
//!   ip saddr` and the like) are entries: addresses, prefixes, ranges. Sets of
//!   other types and maps are ignored, and so are sets that the rules of the
//!   file only ever accept by.
//! * `expires` is what remains; without it, `timeout` of the element or else of
//!   the set. Counters and comments do not matter; `*` is ignored, and so is an
//!   element whose time is over.
//! * All else that stands in a ruleset is passed over.

mod element;
mod rules;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use self::element::{Element, element, seconds};
use super::super::detect::{Head, Likeness};
use super::super::tokens::{Kind, Token, Tokens};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use crate::RejectReason;

/// More words of a statement or of an element are not looked at.
const WORDS_MAX: usize = 16;
const MARKS: &[u8] = b"{},;=";

/// Reads all sets, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    _: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (text, shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let mut tokens = Tokens::new(text, shape, MARKS);
    let mut reader = Reader {
        text,
        accepting: rules::accepting(Tokens::new(text, shape, MARKS)),
        sets: HashMap::new(),
        blocks: Vec::new(),
        words: Vec::new(),
    };
    let broke = tokens.try_for_each(|token| reader.token(token, visit)).is_break();
    reader.finish(visit);
    Shape { over_entries_max: broke, ..tokens.shape() }
}

/// Sure if it begins like a ruleset and has elements in it.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    const BEGINNINGS: [&[u8]; 9] = [
        b"table ",
        b"set ",
        b"elements ",
        b"add ",
        b"create ",
        b"flush ",
        b"delete ",
        b"destroy ",
        b"define ",
    ];
    let begins = |line: &[u8]| BEGINNINGS.iter().any(|word| line.starts_with(word));
    let has = |word| head.lines().any(|line| memchr::memmem::find(line, word).is_some());
    let first = head.lines().find(|line| !line.starts_with(b"#"));
    if first.is_some_and(begins) && has(b"{") && (has(b"element") || has(b"table ")) {
        Likeness::Sure
    } else {
        Likeness::None
    }
}

/// A set, as far as its elements depend on it.
#[derive(Clone, Copy, Default)]
struct Set<'a> {
    name: &'a [u8],
    /// Whether its elements are no addresses, or not to be blocked.
    passed_over: bool,
    /// The seconds that an element has if it does not say.
    timeout: Option<u64>,
}

/// What an open brace began.
enum Block<'a> {
    Set(Set<'a>),
    Elements(Set<'a>),
    Other,
}

struct Reader<'a> {
    text: &'a [u8],
    /// Names of sets that rules only accept by.
    accepting: HashSet<&'a [u8]>,
    sets: HashMap<&'a [u8], Set<'a>>,
    blocks: Vec<Block<'a>>,
    /// Those of the statement or the element so far.
    words: Vec<Token<'a>>,
}

impl<'a> Reader<'a> {
    fn token(&mut self, token: Token<'a>, visit: &mut impl Visit) -> ControlFlow<()> {
        let in_elements = matches!(self.blocks.last(), Some(Block::Elements(_)));
        match token.kind {
            Kind::Word if self.words.len() < WORDS_MAX => self.words.push(token),
            Kind::Word | Kind::Mark(b'=') => {}
            Kind::LineEnd if in_elements => {}
            Kind::Mark(b'{') => {
                let block = self.opened();
                self.blocks.push(block);
                self.words.clear();
            }
            Kind::Mark(mark) if in_elements => {
                let flow = self.element(visit);
                if mark == b'}' {
                    self.blocks.pop();
                }
                return flow;
            }
            Kind::Mark(b',') => {}
            Kind::Mark(b'}') => {
                self.statement();
                if let Some(Block::Set(set)) = self.blocks.pop() {
                    self.sets.insert(set.name, set);
                }
            }
            Kind::Mark(_) | Kind::LineEnd => self.statement(),
        }
        ControlFlow::Continue(())
    }

    /// What the words before a brace say that it begins.
    fn opened(&self) -> Block<'a> {
        let mut words = self.words.iter().map(|word| word.text);
        let first = words.next().unwrap_or_default();
        let last = words.clone().next_back().unwrap_or_default();
        let kind = if matches!(first, b"add" | b"create") { words.next() } else { Some(first) };
        match (self.blocks.last(), kind.unwrap_or_default()) {
            (Some(&Block::Set(set)), b"elements") => Block::Elements(set),
            (None, b"elements") => Block::Elements(Set::default()),
            (None, b"element") => {
                let unknown = Set { passed_over: self.accepting.contains(last), ..Set::default() };
                Block::Elements(self.sets.get(last).copied().unwrap_or(unknown))
            }
            (_, b"set") => {
                let passed_over = self.accepting.contains(last);
                Block::Set(Set { name: last, passed_over, timeout: None })
            }
            _ => Block::Other,
        }
    }

    fn statement(&mut self) {
        if let Some(Block::Set(set)) = self.blocks.last_mut() {
            let words: Vec<&[u8]> = self.words.iter().map(|word| word.text).collect();
            match words.as_slice() {
                [b"type", kind @ ..] => {
                    set.passed_over |= !matches!(kind, [b"ipv4_addr" | b"ipv6_addr"]);
                }
                [b"typeof", kind @ ..] => {
                    set.passed_over |= !matches!(kind, [b"ip" | b"ip6", b"saddr" | b"daddr"]);
                }
                [b"timeout", timeout, ..] => set.timeout = seconds(timeout),
                _ => {}
            }
        }
        self.words.clear();
    }

    fn element(&mut self, visit: &mut impl Visit) -> ControlFlow<()> {
        let words = std::mem::take(&mut self.words);
        let (Some(first), Some(last), Some(Block::Elements(set))) =
            (words.first(), words.last(), self.blocks.last())
        else {
            return ControlFlow::Continue(());
        };
        let text = &self.text[first.at..last.at + last.text.len()];
        let line = Line::At { number: first.line, text };
        if set.passed_over || first.text == b"*" {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        match element(&words) {
            Ok(Element { entry, seconds }) => match seconds.or(set.timeout) {
                Some(0) => {
                    visit.ignore(line);
                    ControlFlow::Continue(())
                }
                Some(seconds) => visit.lasting(line, entry, seconds),
                None => visit.entry(line, entry),
            },
            Err(reason) => visit.read(line, Err(reason)),
        }
    }

    /// Whatever was not closed was cut off, and the element there perhaps too.
    fn finish(self, visit: &mut impl Visit) {
        if let (Some(Block::Elements(_)), Some(word)) = (self.blocks.last(), self.words.first()) {
            let line = Line::At { number: word.line, text: &self.text[word.at..] };
            visit.reject(line, RejectReason::Foreign);
        }
    }
}
