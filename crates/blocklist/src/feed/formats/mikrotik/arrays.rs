//! Arrays of `RouterOS` scripts, and loops that put what is in one into a list:
//! `:local bad {"192.0.2.0/24";"192.0.2.7"}` and `:foreach ip in=$bad do={ … add
//! list=bad address=$ip }`. Source:
//! <https://help.mikrotik.com/docs/display/ROS/Scripting>. Knows no addresses.

use std::collections::HashMap;

use super::super::super::words::unquoted;

/// A loop with more text than that is not read, nor an array.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// The arrays of a script by name.
#[derive(Default)]
pub(super) struct Arrays(HashMap<Vec<u8>, Vec<Vec<u8>>>);

/// Whether a command that begins an array or a loop goes on in the next line.
pub(super) fn is_open(text: &[u8]) -> bool {
    let begins = [&b":local "[..], b":global ", b":set ", b":foreach "];
    begins.iter().any(|begin| text.starts_with(begin)) && depth(text) > 0
}

/// How many braces are open at the end of a text.
fn depth(text: &[u8]) -> i64 {
    let mut quoted = false;
    text.iter().fold(0, |depth, byte| {
        quoted ^= *byte == b'"';
        match byte {
            b'{' if !quoted => depth + 1,
            b'}' if !quoted => depth - 1,
            _ => depth,
        }
    })
}

impl Arrays {
    /// Takes in an array, if the command makes one of several words.
    pub(super) fn define(&mut self, text: &[u8]) -> bool {
        let begins = [&b":local "[..], b":global ", b":set "];
        let Some(rest) = begins.iter().find_map(|begin| text.strip_prefix(*begin)) else {
            return false;
        };
        let rest = rest.trim_ascii();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (name, value) = (&rest[..end], rest[end..].trim_ascii());
        let Some(inner) = value.strip_prefix(b"{").and_then(|inner| inner.strip_suffix(b"}"))
        else {
            return false;
        };
        let words = inner.split(|byte| b";,".contains(byte)).map(<[u8]>::trim_ascii);
        let words = words.filter(|word| !word.is_empty()).map(|word| unquoted(word).to_vec());
        self.0.insert(name.to_vec(), words.collect());
        true
    }

    /// The commands that a loop over a known array amounts to.
    pub(super) fn run(&self, text: &[u8]) -> Option<Vec<Vec<u8>>> {
        let rest = text.strip_prefix(b":foreach ")?.trim_ascii();
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let variable = [b"$", &rest[..end]].concat();
        let rest = rest[end..].trim_ascii_start().strip_prefix(b"in=")?;
        let rest = rest.strip_prefix(b"(").unwrap_or(rest).strip_prefix(b"$")?;
        let end = rest.iter().position(|byte| b" )\t".contains(byte))?;
        let words = self.0.get(&rest[..end])?;
        let rest = rest[end..].trim_ascii_start();
        let rest = rest.strip_prefix(b")").unwrap_or(rest).trim_ascii_start();
        let body = rest.strip_prefix(b"do=")?.trim_ascii_start();
        let body = body.strip_prefix(b"{")?.strip_suffix(b"}")?.trim_ascii();
        let at = memchr::memmem::find(body, &variable)?;
        let after = &body[at + variable.len()..];
        // Another variable may begin with the same letters.
        if after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        Some(words.iter().map(|word| [&body[..at], word, after].concat()).collect())
    }
}
