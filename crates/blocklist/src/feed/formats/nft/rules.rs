//! What the rules of a ruleset say about its sets: which of them are there to
//! let packets through. Knows no elements.

use std::collections::HashSet;

use super::super::super::tokens::{Kind, Tokens};

/// The names of the sets by which rules accept and none drops: `@name` in a rule
/// with `accept`, or `!= @name` in one with `drop` or `reject`.
pub(super) fn accepting(tokens: Tokens<'_>) -> HashSet<&[u8]> {
    let mut rule = Rule::default();
    let (mut accepting, mut dropping) = (HashSet::new(), HashSet::new());
    for token in tokens {
        match (token.kind, token.text) {
            (Kind::Word, b"accept") => rule.accepts = true,
            (Kind::Word, b"drop" | b"reject") => rule.drops = true,
            (Kind::Word, text) => {
                if let Some(name) = text.strip_prefix(b"@") {
                    rule.sets.push((name, rule.inverts));
                }
                rule.inverts = text == b"!";
            }
            // `!=` comes as two tokens.
            (Kind::Mark(b'='), _) => {}
            _ => {
                let ended = std::mem::take(&mut rule);
                for (name, inverted) in ended.sets {
                    if ended.accepts && !inverted || ended.drops && inverted {
                        accepting.insert(name);
                    } else if ended.accepts || ended.drops {
                        dropping.insert(name);
                    }
                }
            }
        }
    }
    accepting.retain(|name| !dropping.contains(name));
    accepting
}

/// What of a rule was seen.
#[derive(Default)]
struct Rule<'a> {
    accepts: bool,
    drops: bool,
    /// The sets, and whether it is about what is not in them.
    sets: Vec<(&'a [u8], bool)>,
    inverts: bool,
}
