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
