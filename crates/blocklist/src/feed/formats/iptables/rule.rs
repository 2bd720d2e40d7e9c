//! One line of iptables-save or of a script. Knows the options of a rule that
//! matter for whom it is about, not what follows from it.

use super::super::super::addresses::network;
use super::super::super::words::{is_torn, number, unquoted, words};
use crate::{Entry, RejectReason, parse_entry};

/// One of the addresses that a rule is about.
pub(super) type Source = Result<Entry, RejectReason>;

/// What a rule does with all that comes from its sources.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Block,
    Allow,
}

/// What a line is.
pub(super) enum Rule {
    From(Vec<Source>, Verdict),
    /// A rule about something else, a chain, a table, a command.
    Other,
}

/// Commands without a rule to append.
const COMMANDS: [&[u8]; 24] = [
    b"-P",
    b"--policy",
    b"-N",
    b"--new-chain",
    b"-F",
    b"--flush",
    b"-X",
    b"--delete-chain",
    b"-D",
    b"--delete",
    b"-Z",
    b"--zero",
    b"-E",
    b"--rename-chain",
    b"-L",
    b"--list",
    b"-S",
    b"--list-rules",
    b"-R",
    b"--replace",
    b"-C",
    b"--check",
    b"-V",
    b"--version",
];

/// Chains that packets of this host run through.
const OUTGOING: [&[u8]; 2] = [b"OUTPUT", b"POSTROUTING"];

/// Reads a line that is neither blank nor a comment.
pub(super) fn rule(line: &[u8]) -> Result<Rule, RejectReason> {
    if line == b"COMMIT" || line.starts_with(b"*") || line.starts_with(b":") {
        return Ok(Rule::Other);
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
    let mut parts = Parts::default();
    let (mut negated, mut ended) = (false, false);
    while let Some(word) = words.next().filter(|_| !ended) {
        let mut value = || {
            let word = words.next().ok_or(RejectReason::Foreign)?;
            let before = word.strip_suffix(b";").filter(|_| shell);
            ended |= before.is_some();
            Ok(unquoted(before.unwrap_or(word)))
        };
        let inverts = word == b"!";
        match word {
            b"!" => {}
            b"-A" | b"--append" | b"-I" | b"--insert" => parts.chain = Some(value()?),
            word if COMMANDS.contains(&word) => return Ok(Rule::Other),
            b"-s" | b"--source" | b"--src" | b"--src-range" => {
                let mut text = value()?;
                if text == b"!" {
                    (negated, text) = (true, value()?);
                }
                parts.narrowed |= negated || parts.source.is_some();
                parts.source = Some((word, text));
            }
            b"-m" | b"--match" => {
                parts.narrowed |= ![&b"comment"[..], b"iprange"].contains(&value()?);
            }
            b"-p" | b"--protocol" | b"--proto" => {
                parts.narrowed |= negated || ![&b"all"[..], b"0"].contains(&value()?);
            }
            b"-j" | b"--jump" => parts.target = Some(value()?),
            b"--comment" | b"--reject-with" | b"-t" | b"--table" => {
                value()?;
            }
            b"-c" | b"--set-counters" => {
                value()?;
                value()?;
            }
            b"-w" | b"--wait" | b"-4" | b"-6" => {}
            // The place to insert at, or how long to wait.
            word if number(word).is_some() && parts.source.is_none() => {}
            word if shell && word.iter().any(|byte| b">&|;#".contains(byte)) => break,
            _ => parts.narrowed = true,
        }
        negated = inverts;
    }
    parts.rule()
}

/// What of a rule was found.
#[derive(Default)]
struct Parts<'a> {
    chain: Option<&'a [u8]>,
    /// The option and its value.
    source: Option<(&'a [u8], &'a [u8])>,
    target: Option<&'a [u8]>,
    /// Whether it is about less, or others, than all from the source.
    narrowed: bool,
}

impl Parts<'_> {
    fn rule(self) -> Result<Rule, RejectReason> {
        let chain = self.chain.ok_or(RejectReason::Foreign)?;
        let verdict = match self.target {
            // A rule cut off before its target is none.
            None if self.source.is_some() && !self.narrowed => return Err(RejectReason::Foreign),
            Some(b"DROP" | b"REJECT") => Verdict::Block,
            Some(b"ACCEPT" | b"RETURN") => Verdict::Allow,
            _ => return Ok(Rule::Other),
        };
        match self.source {
            Some(_) if self.narrowed || OUTGOING.contains(&chain) => Ok(Rule::Other),
            None => Ok(Rule::Other),
            Some((b"--src-range", text)) => Ok(Rule::From(vec![parse_entry(text)], verdict)),
            Some((_, text)) => {
                let sources = text.split(|&byte| byte == b',').map(network).collect();
                Ok(Rule::From(sources, verdict))
            }
        }
    }
}
