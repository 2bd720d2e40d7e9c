//! Rules of iptables and ip6tables, as `iptables-save` and `iptables -S` print
//! them, and as they stand in shell scripts. Source: iptables(8),
//! iptables-extensions(8).
//!
//! * A rule is an entry if it drops or rejects all that comes from a source:
//!   `-A CHAIN -s ADDRESS[/MASK][,…] -j DROP|REJECT`, or `--src-range` of
//!   `-m iprange` instead of `-s`. Comments and counters do not matter.
//! * With any other match it would block only a part of what comes from there,
//!   and is ignored; so are rules for everybody (also by `! -s`), rules of
//!   `OUTPUT` and `POSTROUTING`, where the source is this host, and commands
//!   that append no rule.
//! * `ACCEPT` and `RETURN` decide as well: the first rule that names an address
//!   counts, in the order of the file, whatever chain it is in.

mod rule;

use std::ops::ControlFlow;

use self::rule::{Rule, Verdict, rule};
use super::super::addresses::is_everything;
use super::super::detect::{Head, Likeness};
use super::super::precedence::FirstMatch;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    let mut rules = FirstMatch::new(has(b"ACCEPT") || has(b"RETURN"));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| match rule(said) {
        Ok(Rule::Other) => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        Ok(Rule::From(sources, verdict)) => tell(line, &sources, verdict, &mut rules, visit),
        Err(reason) => visit.read(line, Err(reason)),
    })
}

/// Sure if most lines are rules or what stands around them.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| rule(line).is_ok())
}

fn tell(
    line: Line<'_>,
    sources: &[rule::Source],
    verdict: Verdict,
    rules: &mut FirstMatch,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    for source in sources {
        match (source, verdict) {
            (Err(reason), _) => visit.reject(line, *reason),
            (Ok(entry), _) if is_everything(*entry) => visit.ignore(line),
            (Ok(entry), Verdict::Block) => rules.block(line, *entry, visit)?,
            (Ok(entry), Verdict::Allow) => rules.allow(line, *entry, visit)?,
        }
    }
    ControlFlow::Continue(())
}
