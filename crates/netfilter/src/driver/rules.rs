//! Rules: finding out what stands in our table of a family, and making it what
//! it should be in one transaction, so that no packet meets half of a change.
//!
//! Whoever else writes rules moves the generation on, and then a transaction
//! that was made for the one before is refused and made anew.

use std::collections::BTreeSet;
use std::thread::sleep;

use blocklist::Family;
use netlink_packet_core::DecodeError;
use reconcile::{
    KernelError, KernelErrorKind, Object, Observe as _, Rule, RuleSet, RulesFound, SetName,
    SetPrefix, Stage,
};

use super::Netfilter;
use super::counts::counts;
use crate::limits::{RELEASE_LOOKS, RELEASE_PAUSE, TABLE_RULES_MAX, TRANSACTION_ATTEMPTS};
use crate::nftables::{
    Chain, Compiled, FoundTable, Memory, Table, TableHeader, TableRule, Transaction, append, ask,
    chain_of, compile, generation_of, mark, needs, table, table_name,
};
use crate::{ExchangeFailure, ListingReply, Nftables, Request, Transport};

impl<T: Transport> Netfilter<T> {
    /// What stands where these rules should. Somebody else's tables and
    /// chains are neither read nor listed.
    pub(super) fn find_rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        // Where a set is missing none of these rules can be there, but others of
        // ours may, and it is they that must not be taken for nothing.
        let want = match self.compiled(wanted, Stage::List) {
            Err(error) if error.kind == KernelErrorKind::NotFound => None,
            compiled => Some(table(&compiled?)),
        };
        let none = wanted.rules().is_empty();
        let (_, found) = match self.found(wanted) {
            Err(error) if is_none_at_all(&error, wanted) => (0, FoundTable::Absent),
            found => found?,
        };
        Ok(match found {
            FoundTable::Absent | FoundTable::Foreign if none => RulesFound::AsWanted(Vec::new()),
            FoundTable::Absent => RulesFound::Absent,
            FoundTable::Foreign => RulesFound::Foreign,
            // With no rules there is no table either.
            FoundTable::Ours { table, odd: false }
                if !none && want.is_some_and(|want| table.does(&want)) =>
            {
                self.memory(wanted.family()).learn(&table);
                RulesFound::AsWanted(counts(wanted, &table))
            }
            FoundTable::Ours { table, odd } => {
                self.memory(wanted.family()).learn_of_part(&table);
                let in_force = if odd { Vec::new() } else { self.part_of(wanted, &table)? };
                RulesFound::Other(in_force)
            }
        })
    }

    /// Those of the rules that a table has, among others.
    fn part_of(&mut self, wanted: &RuleSet, there: &Table) -> Result<Vec<Rule>, KernelError> {
        let mut part = Vec::new();
        for rule in wanted.rules() {
            let one = RuleSet::new(wanted.prefix(), wanted.family(), [rule.clone()]);
            match self.compiled(&one, Stage::List) {
                Ok(compiled) if there.has(&table(&compiled)) => part.push(rule.clone()),
                Ok(_) => {}
                Err(error) if error.kind == KernelErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(part)
    }

    /// Makes the rules of a family these, in one transaction, and reads them
    /// back. Rules that were there go on counting. With no rules, nothing of
    /// ours is left. After all errors but `Unknown` and `Changed` nothing
    /// changed.
    pub(super) fn make_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        let family = wanted.family();
        for attempt in 0..TRANSACTION_ATTEMPTS {
            let compiled = self.compiled(wanted, Stage::Put)?;
            let want = table(&compiled);
            let none = want.rules.is_empty();
            let (generation, found) = match self.found(wanted) {
                Err(error) if is_none_at_all(&error, wanted) => return Ok(attempt > 0),
                found => found?,
            };
            let before = match found {
                FoundTable::Foreign if none => return Ok(attempt > 0),
                FoundTable::Foreign => return Err(foreign(wanted)),
                FoundTable::Absent if none => return Ok(attempt > 0),
                FoundTable::Ours { table, odd: false } if table.does(&want) && !none => {
                    return Ok(attempt > 0);
                }
                FoundTable::Absent => None,
                FoundTable::Ours { table, .. } => Some(table),
            };
            let name = table_name(wanted.prefix());
            let mut transaction = Transaction::new(family, generation, name);
            if before.is_some() {
                transaction.delete_table();
            }
            if none {
                *self.memory(family) = Memory::default();
            } else {
                transaction.create_table(&mark(wanted.prefix()));
                let (before, memory) = (before.unwrap_or_default(), self.memory(family));
                memory.learn_of_part(&before);
                append(&mut transaction, &compiled, &before, memory);
            }
            let first = self.exchange.reserve(transaction.sequences());
            let batch = transaction.encode(first);
            match self.exchange.transacted(&batch, first, transaction.sequences()) {
                // Whether it is so now, the next look says.
                Ok(()) => {}
                Err(failure) if is_stale(&failure) => {}
                Err(failure) => return Err(refused(&failure, wanted)),
            }
        }
        let kind = KernelErrorKind::Changed;
        Err(error(Stage::Put, family, kind, "they do not stay as they were put".to_owned()))
    }

    /// Waits for a while until the kernel has let go of the sets that these
    /// rules do not ask: what a transaction removes it takes apart a little
    /// later (`nf_tables_trans_destroy_work`, about 10 ms). A set that
    /// somebody else's rule asks is waited for in vain.
    pub(super) fn await_release(&mut self, wanted: &RuleSet) -> Result<(), KernelError> {
        let mut names = Vec::new();
        self.exchange
            .list(&Request::Names, |part| names.extend(wanted.prefix().recognise(&part.name)))
            .map_err(|failure| failure.error(Stage::List, None, None))?;
        names.retain(|name| {
            let asked = wanted.rules().iter().any(|rule| rule.set == *name);
            name.family() == wanted.family() && !asked
        });
        for _ in 0..RELEASE_LOOKS {
            let mut held = false;
            for name in &names {
                held |= self.header(name)?.is_some_and(|header| header.references > 0);
            }
            if !held {
                break;
            }
            sleep(RELEASE_PAUSE);
        }
        Ok(())
    }

    /// The rules in the kernel's form. Where the sets are is asked each time:
    /// the index of a set that is gone is given to the next one.
    fn compiled(&mut self, rules: &RuleSet, stage: Stage) -> Result<Vec<Compiled>, KernelError> {
        let family = rules.family();
        if let Some(rule) = rules.rules().iter().find(|rule| rule.name.len() > Rule::NAME_MAX) {
            let detail = format!("the name of the rule {} is too long", rule.name);
            return Err(error(stage, family, KernelErrorKind::Refused, detail));
        }
        let compiled = compile(rules, |rule| self.index(stage, &rule.set))?;
        if compiled.len() > TABLE_RULES_MAX {
            let detail = format!("{} rules, at most {TABLE_RULES_MAX} fit", compiled.len());
            return Err(error(stage, family, KernelErrorKind::Full, detail));
        }
        Ok(compiled)
    }

    fn index(&mut self, stage: Stage, set: &SetName) -> Result<u16, KernelError> {
        match self.exchange.ask(&Request::Index(set)).map_err(|failure| failure.at(stage, set))? {
            ListingReply::Index(index) => Ok(index),
            other => Err(ExchangeFailure::Senseless(format!("{other:?}")).at(stage, set)),
        }
    }

    /// What is in our table, and of which generation that is.
    fn found(&mut self, wanted: &RuleSet) -> Result<(u32, FoundTable), KernelError> {
        let (prefix, family) = (wanted.prefix(), wanted.family());
        for _ in 0..TRANSACTION_ATTEMPTS {
            let look = |failure: ExchangeFailure| listing(&failure, family);
            let generation = self.generation().map_err(look)?;
            let found = self.look(prefix, family).map_err(look)?;
            if self.generation().map_err(look)? == generation {
                return Ok((generation, found));
            }
        }
        let detail = "others change rules all the time".to_owned();
        Err(error(Stage::List, family, KernelErrorKind::Changed, detail))
    }

    fn generation(&mut self) -> Result<u32, ExchangeFailure> {
        let sequence = self.exchange.reserve(1);
        let reply = self.exchange.answered(&ask::generation(sequence), sequence)?;
        generation_of(&nftables(reply)?).map_err(|error| senseless(&error))
    }

    /// What rules of this family had counted.
    fn memory(&mut self, family: Family) -> &mut Memory {
        self.counted.entry(family).or_default()
    }

    pub(super) fn look(
        &mut self,
        prefix: &SetPrefix,
        family: Family,
    ) -> Result<FoundTable, ExchangeFailure> {
        let name = table_name(prefix);
        let Some(header) = self.one(|sequence| ask::table(family, name, sequence))? else {
            return Ok(FoundTable::Absent);
        };
        let header = TableHeader::read(&header).map_err(|error| senseless(&error))?;
        if header.comment.as_deref() != Some(&mark(prefix)) {
            return Ok(FoundTable::Foreign);
        }
        let (mut found, mut odd) = (Table::default(), header.sleeps());
        let sequence = self.exchange.reserve(1);
        let rules = &mut found.rules;
        let listed = self.exchange.listed(&ask::rules(family, name, sequence), sequence, |reply| {
            rules.push(TableRule::read(&nftables(reply)?).map_err(|error| senseless(&error))?);
            Ok(())
        });
        match listed {
            Ok(()) => {}
            // The table went meanwhile, which the generation tells.
            Err(failure) if is_missing(&failure) => {}
            Err(failure) => return Err(failure),
        }
        found.rules.sort_by(|one, other| one.chain.cmp(&other.chain));
        let named: BTreeSet<_> = found.rules.iter().filter_map(|rule| rule.chain.clone()).collect();
        let named = named.into_iter().filter(|chain| chain.hook().is_none());
        for chain in Chain::BASES.into_iter().chain(named) {
            let asked = self.one(|sequence| ask::chain(family, name, &chain, sequence))?;
            if let Some(reply) = asked {
                odd |= !chain_of(&reply, &chain).map_err(|error| senseless(&error))?;
                found.chains.push(chain);
            }
        }
        // It also counts sets and the like, of which ours has none.
        odd |= header.uses as usize != found.chains.len();
        Ok(FoundTable::Ours { table: found, odd })
    }

    /// The answer to a question for one thing, `None` if there is none.
    fn one(
        &mut self,
        message: impl FnOnce(u32) -> Vec<u8>,
    ) -> Result<Option<Nftables>, ExchangeFailure> {
        let sequence = self.exchange.reserve(1);
        match self.exchange.answered(&message(sequence), sequence) {
            Ok(reply) => nftables(reply).map(Some),
            Err(failure) if is_missing(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

fn nftables(reply: ListingReply) -> Result<Nftables, ExchangeFailure> {
    match reply {
        ListingReply::Nftables(message) => Ok(message),
        other => {
            Err(ExchangeFailure::Senseless(format!("nf_tables was asked, and answers {other:?}")))
        }
    }
}

fn senseless(error: &DecodeError) -> ExchangeFailure {
    ExchangeFailure::Senseless(error.to_string())
}

fn is(failure: &ExchangeFailure, errno: i32) -> bool {
    matches!(failure, ExchangeFailure::Refused { code, .. } if i32::from(*code) == errno)
}

fn is_missing(failure: &ExchangeFailure) -> bool {
    is(failure, libc::ENOENT)
}

/// The generation is another by now.
fn is_stale(failure: &ExchangeFailure) -> bool {
    is(failure, ERESTART)
}

/// `ERESTART` (`include/linux/errno.h`), which is not meant for programs, but
/// is what nfnetlink answers.
const ERESTART: i32 = 85;

fn error(stage: Stage, family: Family, kind: KernelErrorKind, detail: String) -> KernelError {
    KernelError { stage, object: Some(Object::Rules(family)), kind, member: None, detail }
}

/// Where the kernel has no `nf_tables` it has no rules of ours either.
fn is_none_at_all(error: &KernelError, wanted: &RuleSet) -> bool {
    error.kind == KernelErrorKind::Unsupported && wanted.rules().is_empty()
}

fn foreign(wanted: &RuleSet) -> KernelError {
    let name = table_name(wanted.prefix());
    let detail = format!(
        "the table {name} is there and does not bear our mark; \
         rename or delete it, or choose another kernel.set-prefix"
    );
    error(Stage::Put, wanted.family(), KernelErrorKind::Exists, detail)
}

pub(super) fn listing(failure: &ExchangeFailure, family: Family) -> KernelError {
    // nfnetlink says so of a subsystem that it does not have.
    if is(failure, libc::EINVAL) {
        let detail = format!("its configuration must have CONFIG_NF_TABLES: {failure}");
        return error(Stage::List, family, KernelErrorKind::Unsupported, detail);
    }
    error(Stage::List, family, failure.kind(Stage::List), failure.to_string())
}

fn refused(failure: &ExchangeFailure, wanted: &RuleSet) -> KernelError {
    let family = wanted.family();
    if is_missing(failure) {
        let detail = format!("its configuration must have {}: {failure}", needs(wanted));
        return error(Stage::Put, family, KernelErrorKind::Unsupported, detail);
    }
    error(Stage::Put, family, failure.kind(Stage::Put), failure.to_string())
}
