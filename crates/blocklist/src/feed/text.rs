//! Text of unknown origin: blanks to be trimmed in whatever script, and lines
//! to be shown in logs and terminals without doing anything there.

use std::borrow::Cow;
use std::fmt::Write;

/// A text in UTF-8, if it says by its first two bytes that it is in UTF-16 and
/// all of it is. Any other one as it is.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(bytes),
    };
    let (pairs, odd) = bytes[2..].as_chunks::<2>();
    if !odd.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|&pair| unit(pair))).collect();
    text.map_or(Cow::Borrowed(bytes), |text| Cow::Owned(text.into_bytes()))
}

/// `text` without ASCII blanks and Unicode white space (a no-break space, an
/// ideographic one) at both ends.
#[inline]
pub(super) fn trim(text: &[u8]) -> &[u8] {
    match text {
        [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => trim_end(trim_start(text)),
    }
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some(&first) = text.first() {
        let blank = if first.is_ascii() {
            usize::from(is_ascii_blank(first))
        } else {
            [2, 3].into_iter().find(|&n| text.get(..n).is_some_and(is_wide_blank)).unwrap_or(0)
        };
        if blank == 0 {
            break;
        }
        text = &text[blank..];
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some(&last) = text.last() {
        let start = |n: usize| text.len().checked_sub(n);
        let rest = if last.is_ascii() {
            start(1).filter(|_| is_ascii_blank(last))
        } else {
            [2, 3].into_iter().filter_map(start).find(|&at| is_wide_blank(&text[at..]))
        };
        let Some(rest) = rest else { break };
        text = &text[..rest];
    }
    text
}

/// Blanks within a line, and the line ends: to trim one more does no harm.
fn is_ascii_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether this is one white space character, all of it.
fn is_wide_blank(text: &[u8]) -> bool {
    let mut chars = std::str::from_utf8(text).unwrap_or_default().chars();
    chars.next().is_some_and(char::is_whitespace) && chars.next().is_none()
}

/// `text` for people's eyes: trimmed, at most `bytes_max` bytes of it, and only
/// letters, digits and visible ASCII as they are. Escape sequences, marks that
/// reverse the direction of writing and the like become visible.
pub(super) fn printable(text: &[u8], bytes_max: usize) -> String {
    let text = trim(text);
    let kept = &text[..cut_at(text, bytes_max)];
    let mut shown = String::with_capacity(kept.len());
    for chunk in kept.utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, ' '..='~') || character.is_alphanumeric() {
                shown.push(character);
            } else {
                shown.extend(character.escape_unicode());
            }
        }
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    if kept.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Where to cut so that at most `bytes_max` bytes stay and no character of
/// UTF-8, at most four bytes long, is halved.
fn cut_at(text: &[u8], bytes_max: usize) -> usize {
    if text.len() <= bytes_max {
        return text.len();
    }
    let continues = |&at: &usize| text[at] & 0xc0 == 0x80;
    (bytes_max.saturating_sub(3)..=bytes_max).rev().find(|at| !continues(at)).unwrap_or(bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], want: &str) {
        assert_eq!(printable(text, 12), want);
    }

    #[test]
    fn a_shown_line_cannot_write_to_the_terminal() {
        check(b"bad.example", "bad.example");
        check(b"\x1b[2Jgone", "\\u{1b}[2Jgone");
        check("1.2.3.4–9".as_bytes(), "1.2.3.4\\u{2013}9");
        check("\u{202e}evil".as_bytes(), "\\u{202e}evil");
        check("Bücher".as_bytes(), "Bücher");
        check(b"a\xffb\0", "a\\xffb\\u{0}");
        check(b"exactly 12 b", "exactly 12 b");
        check(b"more than 12 bytes", "more than 12…");
        check("not halved €".as_bytes(), "not halved …");
        check(&[0x80; 20], &format!("{}…", "\\x80".repeat(12)));
        check(b" \t ", "");
    }

    #[test]
    fn blanks_of_all_kinds_are_trimmed() {
        for text in ["x", " x ", "\t\tx\t", "\u{a0}x\u{a0}", "\u{3000} \u{2003}x\u{85} \u{a0}"] {
            assert_eq!(trim(text.as_bytes()), b"x", "{text:?}");
        }
        for text in ["é", "\u{200b}", "€"] {
            assert_eq!(trim(text.as_bytes()), text.as_bytes(), "{text:?}");
        }
        assert_eq!(trim(b"\xa0x\xc2"), b"\xa0x\xc2");
        assert_eq!(trim(b""), b"");
    }
}
