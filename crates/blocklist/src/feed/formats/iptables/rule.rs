//! One line of iptables-save or of a script: a command, and the options of its
//! rule that matter for whom it is about. Knows not what follows from it.

use super::super::super::addresses::{is_everything, network};
use super::super::super::program::{Breadth, Named, ProgramRule, RuleAction, RuleSource};
use super::super::super::visit::{Line, Visit};
use super::super::super::words::{is_torn, number, unquoted, words};
use crate::{RejectReason, parse_entry};

/// What a line does.
pub(super) enum IptablesCommand<'a> {
    /// The rules behind it are of this table.
    Table(&'a [u8]),
    /// There is a chain of this name, or will be.
    Chain(&'a [u8]),
    Append(Spec<'a>),
    Insert(usize, Spec<'a>),
    Replace(usize, Spec<'a>),
    Delete(Spec<'a>),
    DeleteAt(Option<&'a [u8]>, &'a [u8], usize),
    /// Of a table, all of its chains or one.
    Flush(Option<&'a [u8]>, Option<&'a [u8]>),
    Rename(&'a [u8], &'a [u8]),
    /// Nothing to the rules.
    Other,
}

/// A rule as it is written.
#[derive(Default)]
pub(super) struct Spec<'a> {
    pub table: Option<&'a [u8]>,
    pub chain: &'a [u8],
    /// What tells it from other rules.
    pub words: Vec<&'a [u8]>,
    /// The option and its value.
    source: Option<(&'a [u8], &'a [u8])>,
    target: Option<(&'a [u8], bool)>,
    others: bool,
    narrowed: bool,
    /// Whether it is about what belongs to something that was let in before.
    beside: bool,
}

/// Targets behind which a packet goes on.
const PASSING: [&[u8]; 22] = [
    b"LOG",
    b"NFLOG",
    b"ULOG",
    b"MARK",
    b"CONNMARK",
    b"NOTRACK",
    b"CT",
    b"SET",
    b"TRACE",
    b"AUDIT",
    b"TCPMSS",
    b"TTL",
    b"HL",
    b"TOS",
    b"DSCP",
    b"CLASSIFY",
    b"CHECKSUM",
    b"TEE",
    b"SECMARK",
    b"CONNSECMARK",
    b"RATEEST",
    b"ECN",
];
/// Targets that answer something else than the host would.
const BLOCKING: [&[u8]; 4] = [b"DROP", b"REJECT", b"TARPIT", b"STEAL"];
/// Targets behind which it does not, and is not dropped either.
const TAKING: [&[u8]; 11] = [
    b"ACCEPT",
    b"MASQUERADE",
    b"SNAT",
    b"DNAT",
    b"REDIRECT",
    b"NETMAP",
    b"QUEUE",
    b"NFQUEUE",
    b"TPROXY",
    b"DNPT",
    b"SNPT",
];

/// Reads a line that is neither blank nor a comment.
pub(super) fn command(line: &[u8]) -> Result<IptablesCommand<'_>, RejectReason> {
    match line {
        b"COMMIT" => return Ok(IptablesCommand::Other),
        [b'*', table @ ..] if !table.is_empty() && table.iter().all(u8::is_ascii_lowercase) => {
            return Ok(IptablesCommand::Table(table));
        }
        [b':', chain @ ..] => {
            return Ok(IptablesCommand::Chain(words(chain).next().unwrap_or_default()));
        }
        _ => {}
    }
    if line.contains(&b'"') && words(line).last().is_some_and(is_torn) {
        return Err(RejectReason::Trailing);
    }
    let mut words = words(line).peekable();
    words.next_if(|word| word.starts_with(b"[") && word.ends_with(b"]"));
    words.next_if(|word| *word == b"sudo");
    let program = |word: &&[u8]| {
        let name = word.rsplit(|&byte| byte == b'/').next().unwrap_or(word);
        [&b"iptables"[..], b"ip6tables"].contains(&name)
    };
    let shell = words.next_if(program).is_some();
    if !shell && !words.peek().is_some_and(|word| word.starts_with(b"-")) {
        return Err(RejectReason::Foreign);
    }
    let mut all = Vec::new();
    for word in words {
        if shell && word.iter().any(|byte| b">&|;#".contains(byte)) && !word.starts_with(b"\"") {
            all.extend(word.strip_suffix(b";").map(unquoted));
            break;
        }
        all.push(unquoted(word));
    }
    parse(&all)
}

/// Whether a word of a command is filled in by the shell.
pub(super) fn has_variable(line: &[u8]) -> bool {
    line.iter().any(|byte| b"$`".contains(byte))
}

fn parse<'a>(words: &[&'a [u8]]) -> Result<IptablesCommand<'a>, RejectReason> {
    let mut spec = Spec::default();
    let mut kind = None;
    let mut place = None;
    let mut rest = words.iter().copied().peekable();
    let mut negated = false;
    while let Some(word) = rest.next() {
        let inverts = word == b"!";
        match word {
            b"-w" | b"--wait" => {
                rest.next_if(|word| number(word).is_some());
            }
            b"-4" | b"-6" | b"--ipv4" | b"--ipv6" | b"-v" | b"-n" => {}
            b"-t" | b"--table" => spec.table = Some(rest.next().ok_or(RejectReason::Foreign)?),
            b"-c" | b"--set-counters" => {
                rest.next();
                rest.next();
            }
            _ if kind.is_none() && letter(word).is_some() => {
                kind = letter(word);
                let chain = rest.next_if(|word| !word.starts_with(b"-"));
                let needed = matches!(kind, Some(b'A' | b'I' | b'R' | b'D'));
                if needed && chain.is_none() {
                    return Err(RejectReason::Foreign);
                }
                spec.chain = chain.unwrap_or_default();
                place = rest.next_if(|word| number(word).is_some()).and_then(number);
                if kind == Some(b'E') {
                    let to = rest.next().ok_or(RejectReason::Foreign)?;
                    return Ok(IptablesCommand::Rename(spec.chain, to));
                }
            }
            _ => {
                spec.words.push(word);
                spec.option(word, negated, &mut rest)?;
            }
        }
        negated = inverts;
    }
    let at = place.and_then(|place| usize::try_from(place).ok());
    let chain = Some(spec.chain).filter(|chain| !chain.is_empty());
    Ok(match kind.ok_or(RejectReason::Foreign)? {
        b'A' => IptablesCommand::Append(spec),
        b'I' => IptablesCommand::Insert(at.unwrap_or(1), spec),
        b'R' => IptablesCommand::Replace(at.ok_or(RejectReason::Foreign)?, spec),
        b'D' => match at {
            Some(at) => IptablesCommand::DeleteAt(spec.table, spec.chain, at),
            None => IptablesCommand::Delete(spec),
        },
        b'F' => IptablesCommand::Flush(spec.table, chain),
        b'N' => IptablesCommand::Chain(spec.chain),
        _ => IptablesCommand::Other,
    })
}

/// The letter of a command, also of its long form.
fn letter(word: &[u8]) -> Option<u8> {
    const LONG: [(&[u8], u8); 14] = [
        (b"--append", b'A'),
        (b"--insert", b'I'),
        (b"--replace", b'R'),
        (b"--delete", b'D'),
        (b"--flush", b'F'),
        (b"--new-chain", b'N'),
        (b"--new", b'N'),
        (b"--rename-chain", b'E'),
        (b"--policy", b'P'),
        (b"--delete-chain", b'X'),
        (b"--zero", b'Z'),
        (b"--list", b'L'),
        (b"--list-rules", b'S'),
        (b"--check", b'C'),
    ];
    match word {
        [
            b'-',
            letter @ (b'A' | b'I' | b'R' | b'D' | b'F' | b'N' | b'E' | b'P' | b'X' | b'Z' | b'L'
            | b'S' | b'C' | b'V'),
        ] => Some(*letter),
        b"--version" => Some(b'V'),
        _ => LONG.iter().find(|(long, _)| *long == word).map(|(_, letter)| *letter),
    }
}

impl<'a> Spec<'a> {
    fn option(
        &mut self,
        word: &'a [u8],
        negated: bool,
        rest: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), RejectReason> {
        if word == b"!" {
            return Ok(());
        }
        let values = &mut self.words;
        let mut value = || {
            let word = rest.next().ok_or(RejectReason::Foreign)?;
            values.push(word);
            Ok(word)
        };
        match word {
            b"-s" | b"--source" | b"--src" | b"--src-range" => {
                let mut text = value()?;
                let mut others = negated;
                if text == b"!" {
                    (others, text) = (true, value()?);
                }
                self.others = others;
                self.narrowed |= self.source.is_some();
                self.source = Some((word, text));
            }
            b"-m" | b"--match" => {
                const WHOLE: [&[u8]; 5] = [b"comment", b"iprange", b"state", b"conntrack", b"icmp"];
                self.narrowed |= !WHOLE.contains(&value()?);
            }
            b"-p" | b"--protocol" | b"--proto" => match value()? {
                b"all" | b"0" if !negated => {}
                b"icmp" | b"icmpv6" | b"ipv6-icmp" | b"1" if !negated => self.beside = true,
                _ => self.narrowed = true,
            },
            b"-i" | b"--in-interface" => match value()? {
                b"lo" if !negated => self.beside = true,
                _ => self.narrowed = true,
            },
            b"--state" | b"--ctstate" => {
                let states = value()?;
                let new = states.split(|&byte| byte == b',').any(|state| state == b"NEW");
                self.beside |= !negated && !new;
                self.narrowed |= negated || new;
            }
            b"--icmp-type" | b"--icmpv6-type" => {
                value()?;
            }
            b"-j" | b"--jump" => self.target = Some((value()?, false)),
            b"-g" | b"--goto" => self.target = Some((value()?, true)),
            b"--comment" | b"--reject-with" | b"--log-prefix" | b"--log-level" => {
                value()?;
            }
            _ => self.narrowed |= self.target.is_none_or(|(target, _)| !PASSING.contains(&target)),
        }
        Ok(())
    }

    /// The rule, with the addresses that cannot be read rejected.
    pub(super) fn rule(
        &self,
        line: Line<'a>,
        table: &[u8],
        visit: &mut impl Visit,
    ) -> Result<ProgramRule<'a>, RejectReason> {
        let key = |chain: &[u8]| [table, b"/", chain].concat();
        let action = match self.target {
            // A rule cut off before its target is none.
            None if self.source.is_some() && !self.narrowed => return Err(RejectReason::Foreign),
            None => RuleAction::Nothing,
            Some((target, _)) if BLOCKING.contains(&target) => RuleAction::Drop,
            Some((target, _)) if TAKING.contains(&target) => RuleAction::Accept,
            Some((target, _)) if PASSING.contains(&target) => RuleAction::Nothing,
            Some((b"RETURN", _)) => RuleAction::Return,
            Some((chain, true)) => RuleAction::Goto(key(chain)),
            Some((chain, false)) => RuleAction::Jump(key(chain)),
        };
        let breadth = match (self.narrowed, self.beside) {
            // What is dropped of it is a part.
            (false, true) if action != RuleAction::Drop => Breadth::Beside,
            (false, false) => Breadth::Whole,
            _ => Breadth::Part,
        };
        Ok(ProgramRule { line, source: self.source(line, visit), breadth, action })
    }

    fn source(&self, line: Line<'a>, visit: &mut impl Visit) -> RuleSource<'a> {
        let Some((option, text)) = self.source else { return RuleSource::All };
        let read =
            |text: &[u8]| if option == b"--src-range" { parse_entry(text) } else { network(text) };
        let mut named: Vec<Named<'a>> = Vec::new();
        for text in text.split(|&byte| byte == b',') {
            match read(text) {
                Ok(entry) if is_everything(entry) && !self.others => return RuleSource::All,
                Ok(entry) => named.push(Named { line, entry, seconds: None }),
                Err(reason) => visit.reject(line, reason),
            }
        }
        match (self.others, named.first()) {
            (false, _) => RuleSource::Of(named.into()),
            (true, Some(one)) => RuleSource::AllBut(named.clone().into(), one.entry.range.family()),
            (true, None) => RuleSource::Unknown,
        }
    }
}
