//! Words of a command line, as shells and the programs that save and restore
//! firewalls write them. What a word means it does not know.

/// The words of a line: what stands between blanks. Quotes, single or double,
/// keep blanks in a word and stay in it; a backslash takes the meaning from the
/// byte behind it. A quote that nobody closed reaches to the end of the line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (word, after) = rest.split_at(word_bytes(rest));
        rest = after;
        Some(word).filter(|word| !word.is_empty())
    })
}

fn word_bytes(text: &[u8]) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match (byte, quote) {
            _ if escaped => escaped = false,
            (b'\\', _) => escaped = true,
            (_, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, None) if byte.is_ascii_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// Whether another command follows in the same line of a script, and more than
/// says how the first one went.
pub(super) fn goes_on(line: &[u8]) -> bool {
    const HARMLESS: [&[u8]; 10] =
        [b"true", b":", b"exit", b"echo", b"logger", b"printf", b"continue", b"return", b"", b"#"];
    if memchr::memchr3(b';', b'|', b'&', line).is_none() {
        return false;
    }
    let mut quote = None;
    let mut connects = |byte: u8| {
        if let Some(open) = quote {
            quote = Some(open).filter(|&open| byte != open);
            return false;
        }
        quote = Some(byte).filter(|byte| b"\"'".contains(byte));
        b";|&".contains(&byte)
    };
    let mut rest = line;
    while let Some(at) = rest.iter().position(|&byte| connects(byte)) {
        // `2>&1` and `&>` send output somewhere.
        let output = rest[..at].ends_with(b">") || rest[at + 1..].starts_with(b">");
        rest = &rest[at + 1..];
        let mut words =
            rest.trim_ascii_start().split(|&byte| byte.is_ascii_whitespace() || byte == b';');
        let next = words.next().unwrap_or_default();
        let doubled = next.first().is_some_and(|first| b"|&".contains(first));
        if !output && !doubled && !HARMLESS.contains(&next) {
            return true;
        }
    }
    false
}

/// A word without the pair of quotes around it, if there is one.
pub(super) fn unquoted(word: &[u8]) -> &[u8] {
    match word {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => word,
    }
}

/// Whether a word has a quote that nobody closed.
pub(super) fn is_torn(word: &[u8]) -> bool {
    let mut closed = word.to_vec();
    closed.extend_from_slice(b" x");
    word_bytes(&closed) == closed.len()
}

/// A decimal number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_command_is_told_from_what_is_made_of_the_first() {
        for line in [
            "ipset add bad 192.0.2.1",
            "ipset add bad 192.0.2.1;",
            "ipset add bad 192.0.2.1 || true",
            "ipset add bad 192.0.2.1 2>&1 | logger -t x",
            "ipset add bad 192.0.2.1 &>/dev/null",
            "ipset add bad 192.0.2.1 comment \"a; b && c\"",
        ] {
            assert!(!goes_on(line.as_bytes()), "{line}");
        }
        for line in [
            "ipset add bad 192.0.2.1; ipset del bad 192.0.2.1",
            "ipset add bad 192.0.2.1 && ipset swap bad good",
            "ipset test bad 192.0.2.1 || ipset add bad 192.0.2.1",
        ] {
            assert!(goes_on(line.as_bytes()), "{line}");
        }
    }
}
