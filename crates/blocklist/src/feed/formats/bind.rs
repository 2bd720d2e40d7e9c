//! Address match lists of BIND: `acl "bad" { 192.0.2.0/24; !192.0.2.1; };` and
//! `blackhole { … };`. Source: the BIND 9 Administrator Reference Manual,
//! "Address Match Lists".
//!
//! * In a list the first element that fits counts: what stands behind `!` is an
//!   exception to what comes after it.
//! * Lists of which the names do not say that they block are in doubt until
//!   `select` names those that do. A list that is named for those
//!   who are welcome makes exceptions.
//! * Keys, `none`, `localhost`, `localnets`, countries and the names of other
//!   lists are ignored, as they name no addresses here. `any` is about the rest.
//! * `#` and `//` begin a comment, `/*` and `*/` are around one. Other
//!   statements put the whole in doubt.

use std::ops::ControlFlow;

use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::disjoint::Both;
use super::super::tokens::{Token, TokenKind, Tokens};
use super::super::verdict::{is_blocking, is_welcoming};
use super::super::visit::{Line, Visit};
use super::super::words::unquoted;
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::{Entry, RejectReason};

const MARKS: &[u8] = b"{};!";

/// Reads all lists, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    _: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (bytes, shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let mut tokens = Tokens::new(bytes, shape, MARKS);
    let mut reader = Reader { text: bytes, options, lists: Vec::new(), first: None };
    let flow = reader.statements(&mut tokens, visit);
    if let Some((line, why)) = reader.first.zip(unknown(&reader.lists))
        && options.select.is_empty()
    {
        visit.doubt(line, why);
    }
    Shape { over_entries_max: flow.is_break(), ..tokens.shape() }
}

/// Sure if the first statement is a list.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut tokens = Tokens::new(head.text, Shape::default(), MARKS);
    let first = [next(&mut tokens), next(&mut tokens), next(&mut tokens)];
    let list = match first {
        [Some(word), Some(_), Some(brace)] if word.text == b"acl" => {
            brace.kind == TokenKind::Mark(b'{')
        }
        [Some(word), Some(brace), _] if word.text == b"blackhole" => {
            brace.kind == TokenKind::Mark(b'{')
        }
        _ => false,
    };
    if list { Likeness::Sure } else { Likeness::None }
}

/// The doubt about lists of which the names do not say that they block. One alone
/// may be of those who are served, too.
fn unknown(lists: &[(&[u8], u64)]) -> Option<Why> {
    let known =
        |&(name, _): &(&[u8], u64)| name == b"blackhole" || is_blocking(name) || is_welcoming(name);
    let other = lists.iter().find(|list| list.1 > 0 && !known(list));
    Why::sets(lists.iter().copied()).or_else(|| {
        let &(name, count) = other?;
        let name = text::printable(name, 40);
        Some(Why::Sets { names: format!("`{name}` with {count}"), example: format!("acl:{name}") })
    })
}

/// Goes to where a statement ends.
fn skip_statement(tokens: &mut Tokens<'_>) {
    let mut depth = 0_usize;
    while let Some(token) = next(tokens) {
        match token.kind {
            TokenKind::Mark(b'{') => depth += 1,
            TokenKind::Mark(b'}') => depth = depth.saturating_sub(1),
            TokenKind::Mark(b';') if depth == 0 => break,
            _ => {}
        }
    }
}

/// The next token that is no comment and no end of a line.
fn next<'a>(tokens: &mut Tokens<'a>) -> Option<Token<'a>> {
    while let Some(token) = tokens.next() {
        if token.kind == TokenKind::LineEnd {
            continue;
        }
        if token.text.starts_with(b"//") {
            while tokens.next()?.kind != TokenKind::LineEnd {}
        } else if token.text.starts_with(b"/*") {
            let closed = token.text.len() > 3 && token.text.ends_with(b"*/");
            while !closed && !tokens.next()?.text.ends_with(b"*/") {}
        } else {
            return Some(token);
        }
    }
    None
}

struct Reader<'a, 'o> {
    text: &'a [u8],
    options: &'o Options,
    /// The lists by name, and how many elements of each are addresses.
    lists: Vec<(&'a [u8], u64)>,
    first: Option<Line<'a>>,
}

impl<'a> Reader<'a, '_> {
    fn line(&self, token: &Token<'a>) -> Line<'a> {
        let start = memchr::memrchr2(b'\n', b'\r', &self.text[..token.at]).map_or(0, |end| end + 1);
        Line::At { number: token.line, text: lines::first(&self.text[start..]).0 }
    }

    fn statements(&mut self, tokens: &mut Tokens<'a>, visit: &mut impl Visit) -> ControlFlow<()> {
        while let Some(token) = next(tokens) {
            let name = match token.text {
                b"acl" => next(tokens).map(|name| unquoted(name.text)),
                b"blackhole" => Some(token.text),
                b"include" => {
                    visit.doubt(self.line(&token), Why::Elsewhere("`include`"));
                    None
                }
                b";" => continue,
                _ => None,
            };
            let opens = name.is_some()
                && next(tokens).is_some_and(|brace| brace.kind == TokenKind::Mark(b'{'));
            if let Some(name) = name.filter(|_| opens) {
                self.list(name, tokens, visit)?;
            } else {
                visit.reject(self.line(&token), RejectReason::Foreign);
                skip_statement(tokens);
            }
        }
        ControlFlow::Continue(())
    }

    fn list(
        &mut self,
        name: &'a [u8],
        tokens: &mut Tokens<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        self.lists.push((name, 0));
        let selected = self.options.selects(name);
        let welcome = self.options.select.is_empty() && is_welcoming(name);
        let mut decided = Decided { named: Both::new(), passed: Both::new() };
        let mut over = !selected;
        while let Some(mut token) = next(tokens) {
            let mut negated = false;
            while token.kind == TokenKind::Mark(b'!') {
                negated = !negated;
                match next(tokens) {
                    Some(behind) => token = behind,
                    None => return ControlFlow::Continue(()),
                }
            }
            let line = self.line(&token);
            match token.kind {
                TokenKind::Mark(b'}') => break,
                TokenKind::Mark(b';') => continue,
                TokenKind::Mark(_) => {
                    visit.reject(line, RejectReason::Foreign);
                    continue;
                }
                _ => {}
            }
            let entry = match element(unquoted(token.text), tokens) {
                Ok(Some(entry)) if !over && !is_everything(entry) => entry,
                Ok(_) => {
                    // Nobody comes to what stands behind everybody.
                    over |= token.text == b"any";
                    visit.ignore(line);
                    continue;
                }
                Err(reason) => {
                    visit.reject(line, reason);
                    continue;
                }
            };
            self.first.get_or_insert(line);
            if let Some((_, count)) = self.lists.last_mut() {
                *count += u64::from(!negated);
            }
            tell(line, entry, (negated, welcome), &mut decided, visit)?;
        }
        ControlFlow::Continue(())
    }
}

/// Whom the elements before named already.
struct Decided {
    /// As those that are in the list.
    named: Both,
    /// As those that are not.
    passed: Both,
}

/// Tells what an element says of those whom none before it named.
fn tell(
    line: Line<'_>,
    entry: Entry,
    (negated, welcome): (bool, bool),
    decided: &mut Decided,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    if negated {
        let rest = decided.named.outside(entry.range);
        for part in rest {
            decided.passed.insert(part.range);
        }
        visit.ignore(line);
        return ControlFlow::Continue(());
    }
    decided.named.insert(entry.range);
    let reached = decided.passed.outside(entry.range);
    if reached.is_empty() {
        visit.ignore(line);
        return ControlFlow::Continue(());
    }
    if welcome {
        visit.rules();
        return reached.into_iter().try_for_each(|entry| visit.exception(line, entry));
    }
    if reached.iter().all(|part| part.range == entry.range) {
        return visit.entry(line, entry);
    }
    reached.into_iter().try_for_each(|entry| visit.entry(line, entry))
}

/// What an element names, if it is addresses.
fn element(word: &[u8], tokens: &mut Tokens<'_>) -> Result<Option<Entry>, RejectReason> {
    match word {
        b"any" | b"none" | b"localhost" | b"localnets" => return Ok(None),
        b"key" | b"geoip" => {
            while next(tokens).is_some_and(|token| token.kind != TokenKind::Mark(b';')) {}
            return Ok(None);
        }
        _ => {}
    }
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    match network(word) {
        Err(RejectReason::NotAnAddress)
            if word.iter().all(name) && word.iter().any(u8::is_ascii_alphabetic) =>
        {
            Ok(None)
        }
        entry => entry.map(Some),
    }
}
