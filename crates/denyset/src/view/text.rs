//! Text that others wrote, made fit for a terminal and for a shell. A feed's
//! line may hold anything, escape sequences of a terminal too.

use std::fmt::{self, Write as _};

/// The text with everything escaped that is not plainly printable: control
/// characters, and the marks that turn the direction of writing.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character changes how its neighbours look: zero-width
/// characters, bidirectional controls (Unicode standard annex 9), line and
/// paragraph separators, the byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The command that accepts a feed's refused change, ready for a POSIX shell.
pub fn accept_command(feed: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let quoted = match feed {
        _ if feed.chars().all(plain) => feed.to_owned(),
        _ => format!("'{}'", feed.replace('\'', r"'\''")),
    };
    let options_end = if feed.starts_with('-') { "-- " } else { "" };
    format!("denyset accept {options_end}{quoted}")
}

/// The sentence that says of a feed that its newest version is refused.
pub fn refused(feed: &str, reason: &dyn fmt::Display) -> String {
    format!("feed {feed} is refused: {reason}")
}

/// A line below a refusal with that command, if there is one.
pub(super) fn write_accept(command: Option<&str>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    command.map_or(Ok(()), |command| writeln!(out, "  to let it through once: {}", shown(command)))
}

#[cfg(test)]
mod tests {
    use super::{accept_command, shown};

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let check = |text: &str, want: &str| assert_eq!(shown(text), want);
        check("192.0.2.1 # näh", "192.0.2.1 # näh");
        check("\u{1b}[2J\t\0", r"\u{1b}[2J\u{9}\u{0}");
        check("a\u{202e}b\u{200b}", r"a\u{202e}b\u{200b}");
        check("\u{9b}31m", r"\u{9b}31m");
    }

    #[test]
    fn the_accept_command_survives_a_shell() {
        let check = |feed: &str, want: &str| assert_eq!(accept_command(feed), want);
        check("spamhaus/drop.netset", "denyset accept spamhaus/drop.netset");
        check("a b", "denyset accept 'a b'");
        check("it's; rm -rf", r"denyset accept 'it'\''s; rm -rf'");
        check("-x", "denyset accept -- -x");
    }
}
