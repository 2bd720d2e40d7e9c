//! How a feed is read, for a person who wonders: why it has its format, and what
//! its first lines are taken for. The same reading as for the prefixes, done
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::detect::{Likeness, likenesses};
use super::visit::{Line, Visit};
use super::{Format, FormatChoice, Limits, Options, Why, lines, text};
use crate::{AnyPrefix, Entry, RejectReason};

/// All of the first lines are told of, and of those behind them the first of each
/// kind.
const FIRST_LINES: u64 = 20;
/// Things said of one line.
const SAID_MAX: usize = 3;

/// How a feed is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The format.
    pub format: Format,
    /// Why it is this one and not the next best, as a sentence.
    pub why: String,
    /// The first lines and the first one of each kind, in their order.
    pub lines: Vec<DescribedLine>,
}

/// A line, and what it is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedLine {
    /// The first is 1.
    pub line: u64,
    /// Its text, in the form of [`Reject::text`](crate::Reject).
    pub text: String,
    /// What it is, to stand behind "is".
    pub taken_for: String,
}

/// Describes how a feed is read. Takes as long as reading it does.
pub fn describe(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
) -> Description {
    let choice = format.into();
    let bytes = &text::decoded(bytes)[..];
    let format = choice.for_bytes(bytes, options);
    let mut teller = Teller {
        limits,
        decided: choice != FormatChoice::Auto,
        said: BTreeMap::new(),
        kinds: BTreeSet::new(),
    };
    format.read(bytes, options, limits, &mut teller);
    let mut described = teller.said;
    let first = usize::try_from(FIRST_LINES).unwrap_or(usize::MAX);
    for (number, line) in (1..).zip(lines::all(bytes).take(first)) {
        let text = text::printable(line, limits.text_bytes_max);
        let said =
            if text.is_empty() { "blank" } else { "a comment, or a part of something larger" };
        described.entry(number).or_insert_with(|| (text, vec![said.to_owned()]));
    }
    let lines = described
        .into_iter()
        .map(|(line, (text, said))| DescribedLine { line, text, taken_for: said.join("; ") })
        .collect();
    Description { format, why: why(bytes, choice, format), lines }
}

/// Why the format is this one.
fn why(bytes: &[u8], choice: FormatChoice, format: Format) -> String {
    if choice != FormatChoice::Auto {
        return format!("read as {format}, which the configuration names");
    }
    let all = likenesses(bytes);
    let of = |wanted: Format| all.iter().find(|(found, _)| *found == wanted).map(|(_, like)| *like);
    let reason = match of(format) {
        Some(Likeness::Sure) => "almost all of how it begins is of this format",
        Some(Likeness::Maybe) => "much of how it begins may be of this format",
        _ if format == Format::Table => "a column is configured",
        _ => "it looks like no other format",
    };
    let others = || all.iter().filter(|(other, _)| *other != format);
    let sure = others().find(|(_, like)| *like == Likeness::Sure);
    let next = sure.or_else(|| others().find(|(_, like)| *like == Likeness::Maybe));
    let next = match next {
        Some((other, Likeness::Sure)) => {
            format!("{other} fits as well, and stands behind it in the order of formats")
        }
        Some((other, _)) => format!("the next best is {other}, which is less sure"),
        None => "no other format fits".to_owned(),
    };
    format!("read as {format}: {reason}; {next}")
}

/// Hears what the lines are.
struct Teller<'a> {
    limits: &'a Limits,
    decided: bool,
    said: BTreeMap<u64, (String, Vec<String>)>,
    /// The kinds that were told of.
    kinds: BTreeSet<String>,
}

impl Teller<'_> {
    /// Says of a line that it is of a `kind`, and `what` exactly.
    fn say(&mut self, line: Line<'_>, kind: &str, what: impl FnOnce() -> String) {
        let known = self.kinds.contains(kind);
        let number = line.number();
        if known && number > FIRST_LINES {
            return;
        }
        if !known {
            self.kinds.insert(kind.to_owned());
        }
        let bytes_max = self.limits.text_bytes_max;
        let shown = || (text::printable(line.text(), bytes_max), Vec::new());
        let (_, said) = self.said.entry(number).or_insert_with(shown);
        if said.len() < SAID_MAX {
            said.push(what());
        }
    }
}

impl Visit for Teller<'_> {
    fn prefix(&mut self, line: Line<'_>, prefix: AnyPrefix, masked: bool) -> ControlFlow<()> {
        self.entry(line, Entry { range: prefix.into(), masked })
    }

    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        let (kind, note) =
            if entry.masked { ("masked", ", host bits cleared") } else { ("entry", "") };
        self.say(line, kind, || format!("an entry, {}{note}", entry.range));
        ControlFlow::Continue(())
    }

    fn lasting(&mut self, line: Line<'_>, entry: Entry, seconds: u64) -> ControlFlow<()> {
        self.say(line, "lasting", || format!("an entry for {seconds} s, {}", entry.range));
        ControlFlow::Continue(())
    }

    fn until(&mut self, line: Line<'_>, entry: Entry, end: u64) -> ControlFlow<()> {
        let what = || format!("an entry until second {end} since 1970, {}", entry.range);
        self.say(line, "until", what);
        ControlFlow::Continue(())
    }

    fn exception(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        self.say(line, "exception", || format!("an exception, {}", entry.range));
        ControlFlow::Continue(())
    }

    fn ignore(&mut self, line: Line<'_>) {
        self.say(line, "other", || "of the format, and names nobody to block".to_owned());
    }

    fn left_out(&mut self, line: Line<'_>) {
        self.say(line, "left out", || "left out, as the configuration asks".to_owned());
    }

    fn narrower(&mut self, line: Line<'_>) {
        self.say(line, "narrower", || "about a part of the host only, and left out".to_owned());
    }

    fn ended(&mut self, line: Line<'_>) {
        self.say(line, "ended", || "an entry whose time is over".to_owned());
    }

    fn promise(&mut self, _: u64) {}

    fn doubt(&mut self, line: Line<'_>, why: Why) {
        if !(self.decided && why.is_settled_by_format()) {
            self.say(line, &format!("doubt: {why}"), || format!("in doubt: {why}"));
        }
    }

    fn reject(&mut self, line: Line<'_>, reason: RejectReason) {
        self.say(line, &format!("reject: {reason}"), || format!("rejected: {reason}"));
    }
}
