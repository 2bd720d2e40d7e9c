//! Sets of nftables as `nft list set` and `nft list ruleset` print them, and
//! `add element` commands. Source: nft(8).
//!
//! * Without rules, the elements of the sets of the type `ipv4_addr` or `ipv6_addr`
//!   (or `typeof ip saddr` and the like) are entries: addresses, prefixes, ranges.
//!   Sets of other types and maps are ignored. Several sets of which the names
//!   do not say that all of them block are in doubt until `select` names some.
//! * With rules or commands that take back, the file is carried out, and what
//!   the rules drop is what blocks: see `Program`. With `select` the rules do
//!   not count.
//! * `expires` is what remains; without it, `timeout` of the element or else of
//!   the set. Counters and comments do not matter; `*` is ignored, and so is an
//!   element whose time is over.

mod element;
mod reader;
pub(super) mod rule;
pub(super) mod ruleset;

use std::collections::HashMap;
use std::ops::ControlFlow;

use self::element::{NftElement, element, seconds};
use super::super::detect::{Head, Likeness};
use super::super::tokens::{Token, TokenKind, Tokens};
use super::super::verdict::is_welcoming;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, lines};
use crate::RejectReason;

/// More words of a statement or of an element are not looked at.
const WORDS_MAX: usize = 16;
const MARKS: &[u8] = b"{},;=";

/// Reads all sets, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    _: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (text, shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let mut tokens = Tokens::new(text, shape, MARKS);
    if options.select.is_empty() && has_rules(text) {
        let mut reader = reader::NftReader::new(text);
        tokens.by_ref().for_each(|token| reader.token(token, visit));
        reader.end(visit);
        let broke = reader.ruleset.finish(visit).is_break();
        return Shape { over_entries_max: broke, ..tokens.shape() };
    }
    let mut reader = NftReader {
        text,
        options,
        sets: HashMap::new(),
        blocks: Vec::new(),
        words: Vec::new(),
        counts: HashMap::new(),
        first: None,
    };
    let broke = tokens.try_for_each(|token| reader.token(token, visit)).is_break();
    reader.finish(visit);
    Shape { over_entries_max: broke, ..tokens.shape() }
}

/// Whether there is more in a text than sets and what is put into them.
fn has_rules(text: &[u8]) -> bool {
    [&b"chain"[..], b"rule", b"flush", b"delete", b"destroy", b"map"]
        .iter()
        .any(|word| memchr::memmem::find(text, word).is_some())
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

struct NftReader<'a, 'o> {
    text: &'a [u8],
    options: &'o Options,
    sets: HashMap<&'a [u8], Set<'a>>,
    blocks: Vec<Block<'a>>,
    /// Those of the statement or the element so far.
    words: Vec<Token<'a>>,
    /// How many elements each set has.
    counts: HashMap<&'a [u8], u64>,
    first: Option<Line<'a>>,
}

impl<'a> NftReader<'a, '_> {
    fn token(&mut self, token: Token<'a>, visit: &mut impl Visit) -> ControlFlow<()> {
        let in_elements = matches!(self.blocks.last(), Some(Block::Elements(_)));
        match token.kind {
            TokenKind::Word if self.words.len() < WORDS_MAX => self.words.push(token),
            TokenKind::Word | TokenKind::Mark(b'=') => {}
            TokenKind::LineEnd if in_elements => {}
            TokenKind::Mark(b'{') => {
                let block = self.opened();
                self.blocks.push(block);
                self.words.clear();
            }
            TokenKind::Mark(mark) if in_elements => {
                let flow = self.element(visit);
                if mark == b'}' {
                    self.blocks.pop();
                }
                return flow;
            }
            TokenKind::Mark(b',') => {}
            TokenKind::Mark(b'}') => {
                self.statement();
                if let Some(Block::Set(set)) = self.blocks.pop() {
                    self.sets.insert(set.name, set);
                }
            }
            TokenKind::Mark(_) | TokenKind::LineEnd => self.statement(),
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
                let passed_over = !self.options.selects(last);
                let unknown = Set { name: last, passed_over, ..Set::default() };
                Block::Elements(self.sets.get(last).copied().unwrap_or(unknown))
            }
            (_, b"set") => {
                let passed_over = !self.options.selects(last);
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
        if self.options.select.is_empty() {
            *self.counts.entry(set.name).or_default() += 1;
            self.first.get_or_insert(line);
        }
        let welcome = self.options.select.is_empty() && is_welcoming(set.name);
        match element(&words) {
            Ok(NftElement { entry, .. }) if welcome => {
                visit.rules();
                visit.exception(line, entry)
            }
            Ok(NftElement { entry, seconds }) => match seconds.or(set.timeout) {
                Some(0) => {
                    visit.ended(line);
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
        let counts = self.counts.iter().map(|(&name, &count)| (name, count));
        if let Some((line, why)) = self.first.zip(Why::sets(counts)) {
            visit.doubt(line, why);
        }
        if let (Some(Block::Elements(_)), Some(word)) = (self.blocks.last(), self.words.first()) {
            let line = Line::At { number: word.line, text: &self.text[word.at..] };
            visit.reject(line, RejectReason::Foreign);
        }
    }
}
