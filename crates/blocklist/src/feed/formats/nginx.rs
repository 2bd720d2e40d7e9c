//! nginx: `deny ADDRESS;` and `allow ADDRESS;` in a configuration, and
//! `geo` blocks. Source: <https://nginx.org/en/docs/http/ngx_http_access_module.html>
//! and <https://nginx.org/en/docs/http/ngx_http_geo_module.html>.
//!
//! * A semicolon ends a directive, `#` begins a comment. The first directive
//!   that names an address decides: what stands behind `allow all` is of no
//!   effect, nor is what is allowed behind `deny all`. These themselves, `unix:`
//!   and prefixes of length 0 are about the rest, and ignored.
//! * In `geo`, values such as `1`, `on` and `deny` block, all others do not; the
//!   most specific prefix of a block decides, of the same one the latter, and
//!   with `ranges` the last range. `delete` takes back what stands in a file that
//!   we do not see, and is refused. A block whose variable is named
//!   for those who may come in, such as `$whitelist`, is ignored; one whose name
//!   says nothing is in doubt until `select` names it.
//! * What is denied within `server`, `location` (but for `location /`), `if` and
//!   `limit_except` is denied to a part of the host, and ignored. A level with rules
//!   of its own takes none from outside: who is denied outside and let in there is
//!   not denied on every path, and no entry. The same is so of everybody where
//!   `satisfy any` may let in whoever has a password.
//! * `include` is refused: what stands there may let in anybody. Tables of types and
//!   parameters, which come with nginx, do not.
//! * All other directives are ignored, but not those that nothing ends.

mod levels;

use std::ops::ControlFlow;

use self::levels::{AccessRule, AccessWhom, Levels};
use super::super::addresses::{is_everything, network};
use super::super::detect::{Head, Likeness};
use super::super::disjoint::Both;
use super::super::precedence::{FirstMatch, LastMatch, MostSpecific};
use super::super::tokens::{Token, TokenKind, Tokens};
use super::super::verdict::{is_blocking, is_welcoming};
use super::super::visit::{Line, Visit};
use super::super::words::unquoted;
use super::super::{Limits, Options, Shape, Why, lines, text};
use crate::{AnyRange, Entry, RejectReason, parse_entry};

/// The values of a `geo` block that block.
const BLOCKING: [&[u8]; 8] = [b"1", b"on", b"yes", b"true", b"deny", b"block", b"drop", b"bad"];
/// First words in a `geo` block that are no addresses.
const GEO_PARAMETERS: [&[u8]; 6] =
    [b"default", b"delete", b"include", b"proxy", b"proxy_recursive", b"ranges"];
/// How a directive names all addresses of each family.
const EVERYBODY: [&[&[u8]]; 2] = [&[b"all", b"0.0.0.0/0"], &[b"all", b"::/0"]];
/// The set of the directives, beside those of the `geo` blocks.
const DIRECTIVES: usize = 0;
/// More words of a directive are not looked at.
const WORDS_MAX: usize = 3;

/// Reads all directives, until the visitor breaks.
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
    visit.rules();
    let mut tokens = Tokens::new(text, shape, b";{}");
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    let mut reader = Reader {
        text,
        rules: FirstMatch::new(has(b"allow")),
        rest: [None; 2],
        geo: has(b"geo").then(MostSpecific::latter),
        geo_number: DIRECTIVES,
        ranges: None,
        options,
        blocks: Vec::new(),
        // A file without any of these has one level.
        levels: NARROWER.into_iter().chain([&b"satisfy"[..]]).any(has).then(Levels::new),
        root: None,
        words: Vec::new(),
        count: 0,
    };
    let broke = tokens.try_for_each(|token| reader.token(token, visit)).is_break()
        || reader.finish(visit).is_break();
    Shape { over_entries_max: broke, ..tokens.shape() }
}

/// Sure if most lines are `deny`, `allow` or those of a `geo` block.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let geo = head.lines().any(|line| line.starts_with(b"geo ") && line.ends_with(b"{"));
    head.most(b"#", |line| {
        let mut words = line.split(|byte| byte.is_ascii_whitespace() || *byte == b';');
        let first = words.next().unwrap_or_default();
        let ended = line.contains(&b';');
        match first {
            b"deny" | b"allow" => ended,
            b"geo" | b"}" => geo,
            _ if geo => ended && (GEO_PARAMETERS.contains(&first) || parse_entry(first).is_ok()),
            _ => false,
        }
    })
}

/// What an open brace began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block<'a> {
    /// A `geo` block that makes this variable.
    Geo(&'a [u8]),
    /// Something about a part of the host only, and the number of the level.
    Narrower(usize),
    /// The level of all paths, by its number.
    Root(usize),
    Other,
}

/// Blocks about a part of the host: a path, a method, a site, a condition.
const NARROWER: [&[u8]; 4] = [b"location", b"server", b"if", b"limit_except"];

/// What of the host a level is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breadth {
    Whole,
    Part,
}

/// Whether a file that is taken in has types or parameters, and no rules.
fn is_table(name: &[u8]) -> bool {
    let file = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
    file == b"mime.types" || file == b"fastcgi.conf" || file.ends_with(b"_params")
}

struct Reader<'a> {
    text: &'a [u8],
    rules: FirstMatch,
    /// Whether all others of a family are blocked, once that is decided.
    rest: [Option<bool>; 2],
    /// All that `geo` blocks and `deny` say, if there is a `geo` block.
    geo: Option<MostSpecific<'a>>,
    geo_number: usize,
    /// What the open `geo` block says of ranges, if it consists of them.
    ranges: Option<LastMatch<'a>>,
    options: &'a Options,
    blocks: Vec<Block<'a>>,
    /// What each level says, if there may be several.
    levels: Option<Levels<'a>>,
    /// The level of `location /` that is within no other.
    root: Option<usize>,
    /// The first words of the directive, and how many there are.
    words: Vec<Token<'a>>,
    count: usize,
}

impl<'a> Reader<'a> {
    fn token(&mut self, token: Token<'a>, visit: &mut impl Visit) -> ControlFlow<()> {
        match token.kind {
            TokenKind::LineEnd => ControlFlow::Continue(()),
            TokenKind::Word => {
                if self.words.len() < WORDS_MAX {
                    self.words.push(token);
                }
                self.count += 1;
                ControlFlow::Continue(())
            }
            TokenKind::Mark(b';') => self.directive(token, visit),
            TokenKind::Mark(b'{') => {
                let block = self.opened();
                self.geo_number += usize::from(matches!(block, Block::Geo(_)));
                self.blocks.push(block);
                self.clear();
                ControlFlow::Continue(())
            }
            TokenKind::Mark(_) => {
                self.unended(visit);
                self.settle();
                self.blocks.pop();
                ControlFlow::Continue(())
            }
        }
    }

    /// What the words before a brace begin.
    fn opened(&mut self) -> Block<'a> {
        let variable = self.words.last().map_or(&b""[..], |word| word.text);
        let root = self.count == 2 && self.word(1) == b"/";
        match self.word(0) {
            b"geo" if self.options.select.is_empty() && self.is_welcoming() => Block::Other,
            b"geo" if !self.options.selects(variable) => Block::Other,
            b"geo" => Block::Geo(variable),
            // The server takes no second one.
            b"location" if root && self.root.is_none() && self.level().1 == Breadth::Whole => {
                let level = self.open_level(true);
                self.root = Some(level);
                Block::Root(level)
            }
            word if NARROWER.contains(&word) => Block::Narrower(self.open_level(root)),
            _ => Block::Other,
        }
    }

    /// The level that is open.
    fn level(&self) -> (usize, Breadth) {
        let mut levels = self.blocks.iter().rev().filter_map(|block| match block {
            Block::Narrower(level) => Some((*level, Breadth::Part)),
            Block::Root(level) => Some((*level, Breadth::Whole)),
            Block::Geo(_) | Block::Other => None,
        });
        levels.next().unwrap_or((0, Breadth::Whole))
    }

    fn open_level(&mut self, root: bool) -> usize {
        let (outside, _) = self.level();
        self.levels.as_mut().map_or(0, |levels| levels.open(outside, root))
    }

    fn word(&self, index: usize) -> &'a [u8] {
        self.words.get(index).map_or(b"", |word| unquoted(word.text))
    }

    /// Whether the last word names those who may come in.
    fn is_welcoming(&self) -> bool {
        self.words.last().is_some_and(|word| is_welcoming(word.text))
    }

    fn clear(&mut self) {
        self.words.clear();
        self.count = 0;
    }

    /// The directive that began with the first word and ends before `end`.
    fn line(&self, end: usize) -> Option<Line<'a>> {
        let first = self.words.first()?;
        Some(Line::At { number: first.line, text: &self.text[first.at..end] })
    }

    fn directive(&mut self, end: Token<'a>, visit: &mut impl Visit) -> ControlFlow<()> {
        let Some(line) = self.line(end.at + end.text.len()) else {
            return ControlFlow::Continue(());
        };
        let flow = match (self.word(0), self.blocks.last()) {
            (b"satisfy", _) => {
                let (level, _) = self.level();
                let any = self.word(1) == b"any";
                if let Some(levels) = &mut self.levels {
                    levels.satisfy(level, any);
                }
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            (b"include", _) if !is_table(self.word(1)) => {
                visit.doubt(line, Why::Elsewhere("`include`"));
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            (b"deny", _) => self.rule(line, true, visit),
            (b"allow", _) => self.rule(line, false, visit),
            (b"ranges", Some(&Block::Geo(_))) => {
                self.ranges = Some(LastMatch::default());
                visit.ignore(line);
                ControlFlow::Continue(())
            }
            (b"delete", Some(&Block::Geo(_))) => visit.read(line, Err(RejectReason::Foreign)),
            (word, Some(&Block::Geo(variable))) if !GEO_PARAMETERS.contains(&word) => {
                self.geo(variable, line, visit)
            }
            (word, None) if parse_entry(word).is_ok() => {
                visit.read(line, Err(RejectReason::Foreign))
            }
            _ => {
                visit.ignore(line);
                ControlFlow::Continue(())
            }
        };
        self.clear();
        flow
    }

    fn rule(&mut self, line: Line<'a>, blocks: bool, visit: &mut impl Visit) -> ControlFlow<()> {
        let whom = match self.argument() {
            Ok(Some(entry)) => AccessWhom::One(entry),
            Ok(None) => AccessWhom::Rest(self.rest_named()),
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let rule = AccessRule { line, blocks, whom };
        let (level, breadth) = self.level();
        let Some(levels) = &mut self.levels else { return self.tell(rule, &[], visit) };
        levels.push(level, rule);
        if breadth == Breadth::Part {
            visit.narrower(line);
        }
        ControlFlow::Continue(())
    }

    /// Carries out a rule about the whole host, as far as all others turn away
    /// whom it does.
    fn tell(
        &mut self,
        AccessRule { line, blocks, whom }: AccessRule<'a>,
        others: &[Both],
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let entry = match whom {
            AccessWhom::One(entry) => entry,
            AccessWhom::Rest(families) => {
                self.decide_rest(blocks, families);
                visit.ignore(line);
                return ControlFlow::Continue(());
            }
        };
        let rest = self.rest[usize::from(matches!(entry.range, AnyRange::V6(_)))];
        // Who is blocked with all others may as well be named.
        if rest.is_some_and(|blocked| !(blocked && blocks)) {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        if !blocks {
            return self.rules.allow(line, entry, visit);
        }
        let inside = |ranges: Vec<AnyRange>, other: &Both| {
            ranges.into_iter().flat_map(|range| other.inside(range)).collect()
        };
        let parts = others.iter().fold(vec![entry.range], inside);
        if parts.is_empty() {
            visit.narrower(line);
        }
        let masked = entry.masked && parts == [entry.range];
        parts.into_iter().try_for_each(|range| {
            if let Some(geo) = &mut self.geo {
                geo.block(DIRECTIVES, range);
            }
            self.rules.block(line, Entry { range, masked }, visit)
        })
    }

    /// Of which families a directive about the rest names all, if it is one about
    /// addresses.
    fn rest_named(&self) -> [bool; 2] {
        EVERYBODY.map(|names| names.contains(&self.word(1)))
    }

    fn decide_rest(&mut self, blocks: bool, families: [bool; 2]) {
        for (rest, is_named) in self.rest.iter_mut().zip(families) {
            if rest.is_none() && is_named {
                *rest = Some(blocks);
            }
        }
    }

    /// Ends a block of ranges.
    fn settle(&mut self) {
        if let (Some(geo), Some(mut ranges)) = (&mut self.geo, self.ranges.take()) {
            ranges.settle(self.geo_number, geo);
        }
    }

    /// What `deny` or `allow` names, if it is not about the rest.
    fn argument(&self) -> Result<Option<Entry>, RejectReason> {
        match (self.count, self.word(1)) {
            (0 | 1, _) => Err(RejectReason::MissingField),
            (2, b"all" | b"unix:") => Ok(None),
            (2, word) => network(word).map(|entry| Some(entry).filter(|&it| !is_everything(it))),
            _ => Err(RejectReason::Trailing),
        }
    }

    fn geo(
        &mut self,
        variable: &'a [u8],
        line: Line<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let entry = match (self.count, parse_entry(self.word(0))) {
            (2, entry) => entry,
            (0 | 1, _) => Err(RejectReason::MissingField),
            _ => Err(RejectReason::Trailing),
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let blocks = BLOCKING.contains(&self.word(1));
        let plain = matches!(self.word(1), b"deny" | b"block" | b"drop" | b"bad");
        if blocks && !plain && self.options.select.is_empty() && !is_blocking(variable) {
            let name = text::printable(variable, 40);
            visit.doubt(
                line,
                Why::Sets { names: format!("`{name}`"), example: format!("geo:{name}") },
            );
        }
        match (&mut self.geo, &mut self.ranges) {
            (_, Some(ranges)) => ranges.push(entry.range, Some(line).filter(|_| !blocks)),
            (Some(geo), _) if blocks => geo.block(self.geo_number, entry.range),
            (Some(geo), _) => geo.pass(self.geo_number, entry.range, line),
            (None, _) => {}
        }
        if blocks && !is_everything(entry) {
            return visit.entry(line, entry);
        }
        visit.ignore(line);
        ControlFlow::Continue(())
    }

    /// A directive that ends where no directive may end.
    fn unended(&mut self, visit: &mut impl Visit) {
        let end = self.words.last().map_or(0, |word| word.at + word.text.len());
        if let Some(line) = self.line(end) {
            visit.reject(line, RejectReason::Foreign);
        }
        self.clear();
    }

    fn finish(mut self, visit: &mut impl Visit) -> ControlFlow<()> {
        self.unended(visit);
        self.settle();
        if let Some(levels) = self.levels.take() {
            let (rules, others) = levels.settle(self.root, visit);
            rules.into_iter().try_for_each(|rule| self.tell(rule, &others, visit))?;
        }
        self.geo.map_or(ControlFlow::Continue(()), |geo| geo.finish(visit))
    }
}
