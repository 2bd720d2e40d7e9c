//! Rules of iptables and ip6tables, as `iptables-save` and `iptables -S` print
//! them, and as they stand in shell scripts. Source: iptables(8),
//! iptables-extensions(8).
//!
//! * A file is carried out: rules are appended, inserted, replaced and deleted
//!   in their order, chains are emptied and renamed, and what is left decides.
//!   What packets to this host go through is `PREROUTING` and `INPUT`, and the
//!   chains that are called from there. A file without any chain of the kernel
//!   is a part of one that calls its chains.
//! * An entry is what is dropped or rejected whatever it is: a rule with any
//!   match but the source (`-s`, `--src-range`), `OUTPUT` and `POSTROUTING`, and
//!   all that is behind a rule that lets a part of it in, block less, and are
//!   ignored. What belongs to connections, comes from `lo`, or is ICMP may be let
//!   in before it.
//! * What is accepted as a whole before anything drops it is an exception.
//! * `FORWARD` protects other hosts and not this one: a file that has rules for it
//!   and none for `INPUT` or `PREROUTING` is in doubt.
//! * Commands with variables, and all other commands, put the whole in doubt.

mod rule;
mod tables;

use std::collections::HashSet;
use std::ops::ControlFlow;

use self::rule::{IptablesCommand, Spec, command, has_variable};
use self::tables::{Tables, WrittenRule};
use super::super::detect::{Head, Likeness};
use super::super::program::RuleAction;
use super::super::visit::{Line, Visit};
use super::super::words::goes_on;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::RejectReason;

const ONLY_THROUGH: Why =
    Why::Structure("all rules are about what passes through to other hosts (`FORWARD`)");

/// Reads all lines, and carries them out.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut reader = Reader { tables: Tables::default(), table: b"filter", calls: HashSet::new() };
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        if has_variable(said) {
            visit.doubt(line, Why::Program("a command with a variable"));
        }
        if goes_on(said) {
            visit.doubt(line, Why::Program("several commands in one line"));
        }
        if let Err(reason) = command(said).and_then(|command| reader.take(line, command, visit)) {
            visit.reject(line, reason);
        }
        ControlFlow::Continue(())
    });
    if let Some(line) = reader.tables.only_through() {
        visit.doubt(line, ONLY_THROUGH);
    }
    let program = reader.tables.program(&reader.calls);
    shape.over_entries_max |= program.run(visit).is_break();
    shape
}

/// Sure if most lines are rules or what stands around them.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| command(line).is_ok())
}

struct Reader<'a> {
    tables: Tables<'a>,
    /// The table of rules that do not say.
    table: &'a [u8],
    /// The chains that are called.
    calls: HashSet<Vec<u8>>,
}

impl<'a> Reader<'a> {
    fn take(
        &mut self,
        line: Line<'a>,
        command: IptablesCommand<'a>,
        visit: &mut impl Visit,
    ) -> Result<(), RejectReason> {
        match command {
            IptablesCommand::Append(spec) => {
                let (name, held) = self.held(line, spec, visit)?;
                self.tables.append(&name, held);
                return Ok(());
            }
            IptablesCommand::Insert(place, spec) => {
                let (name, held) = self.held(line, spec, visit)?;
                self.tables.insert(&name, place, held);
                return Ok(());
            }
            IptablesCommand::Replace(place, spec) => {
                let (name, held) = self.held(line, spec, visit)?;
                self.tables.replace(&name, place, held);
                return Ok(());
            }
            IptablesCommand::Table(table) => self.table = table,
            IptablesCommand::Chain(name) => self.tables.declare(&self.key(None, name)),
            IptablesCommand::Delete(spec) => {
                let name = self.key(spec.table, spec.chain);
                self.tables.delete(&name, &spec.words);
            }
            IptablesCommand::DeleteAt(table, chain, place) => {
                self.tables.delete_at(&self.key(table, chain), place);
            }
            IptablesCommand::Flush(table, chain) => {
                let name = chain.map(|chain| self.key(table, chain));
                self.tables.flush(table.unwrap_or(self.table), name.as_deref());
            }
            IptablesCommand::Rename(from, to) => {
                self.tables.rename(&self.key(None, from), &self.key(None, to));
            }
            IptablesCommand::Other => {}
        }
        visit.ignore(line);
        Ok(())
    }

    fn key(&self, table: Option<&[u8]>, chain: &[u8]) -> Vec<u8> {
        [table.unwrap_or(self.table), b"/", chain].concat()
    }

    fn held(
        &mut self,
        line: Line<'a>,
        spec: Spec<'a>,
        visit: &mut impl Visit,
    ) -> Result<(Vec<u8>, WrittenRule<'a>), RejectReason> {
        let table = spec.table.unwrap_or(self.table);
        let rule = spec.rule(line, table, visit)?;
        if let RuleAction::Jump(name) | RuleAction::Goto(name) = &rule.action {
            self.calls.insert(name.clone());
        }
        Ok((self.key(spec.table, spec.chain), WrittenRule { words: spec.words, rule }))
    }
}
