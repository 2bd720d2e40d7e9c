//! Prompts: lines in which somebody has typed something, taken into a list with
//! what it printed. Knows no format.

use crate::parse_entry;

/// A prompt is not longer.
const PROMPT_BYTES_MAX: usize = 64;
/// What is typed at devices, where nothing stands between the prompt and it.
const COMMANDS: [&[u8]; 10] = [
    b"show",
    b"sh",
    b"configure",
    b"conf",
    b"more",
    b"copy",
    b"write",
    b"ping",
    b"terminal",
    b"exit",
];

/// What the beginning of a whole line shows, with what would be a comment: the
/// prompt of a shell, a device or a console, `root@host:~#`, `router(config)#`, `fw>`.
pub(super) fn of(line: &[u8]) -> Option<&'static str> {
    let shown = ends_a_name(line) || stands_apart(line) || is_well_known(line);
    shown.then_some("somebody has typed at a prompt")
}

/// A mark right behind a name that is no address.
fn ends_a_name(line: &[u8]) -> bool {
    let mark = |byte: &u8| b"#$>%".contains(byte);
    let Some(end) = line.iter().take(PROMPT_BYTES_MAX).position(mark) else { return false };
    let (before, after) = (&line[..end], &line[end + 1..]);
    let close = before.last().is_some_and(|byte| !byte.is_ascii_whitespace());
    let ends = after.first().is_none_or(u8::is_ascii_whitespace);
    // A comment may stand right behind a name.
    let marks = |bytes: &[u8]| before.iter().any(|byte| bytes.contains(byte));
    let shell = if line[end] == b'#' { marks(b"@)~]") } else { !marks(b".:") || marks(b"@~") };
    let device = line[end] == b'#' && !marks(b".:") && is_command(after);
    close && (ends && shell || device) && parse_entry(before).is_err()
}

fn is_command(text: &[u8]) -> bool {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    COMMANDS.contains(&&text[..end])
}

/// A mark with a blank before it, behind what only a prompt has there: nothing, a
/// folder, or a name in brackets.
fn stands_apart(line: &[u8]) -> bool {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (first, second, third) = (words.next(), words.next(), words.next());
    let shell = |word: Option<&[u8]>| matches!(word, Some(b"#" | b"$" | b"%" | b">"));
    let folder = |word: &[u8]| word == b"~" || word.starts_with(b"~/") || word.starts_with(b"/");
    let user = |word: &[u8]| word.contains(&b'@');
    match (first, second) {
        (Some(b"$"), _) => true,
        (Some(name), Some(place)) if user(name) && folder(place) && shell(third) => true,
        (Some(place), mark) if folder(place) && shell(mark) => true,
        (Some(name), Some(mark))
            if user(name) && name.starts_with(b"[") && name.ends_with(b"]") =>
        {
            matches!(mark.last(), Some(b'>' | b'#' | b'$'))
        }
        _ => false,
    }
}

/// Prompts that are the same everywhere.
fn is_well_known(line: &[u8]) -> bool {
    let version = line.strip_prefix(b"bash-").or_else(|| line.strip_prefix(b"sh-"));
    let numbered = version.is_some_and(|rest| {
        let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.');
        end.is_some_and(|end| end > 0 && b"#$".contains(&rest[end]))
    });
    let drive = matches!(line, [b'A'..=b'Z', b':', b'\\', rest @ ..] if rest.contains(&b'>'));
    numbered || drive || line.starts_with(b">>> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_no_comment_behind_a_name() {
        for line in [
            "root@host:~# cat /etc/more.txt",
            "router(config)#",
            "router(config)# ip route",
            "[root@fw ~]# ls",
            "fw> show more",
            "user@host:~$ ls",
            "admin@fw>",
            "fw-1#show ip",
            "$ cat list.txt",
            "$ ",
            "~ $ ls",
            "/ # cat more.txt",
            "user@host ~ % ls",
            "[admin@MikroTik] > /export",
            "[admin@MikroTik] /ip/firewall> print",
            "bash-5.1# ls",
            "sh-4.2$ ls",
            ">>> print(more)",
            "C:\\Users\\a> type more.txt",
            "C:\\>",
        ] {
            assert!(of(line.as_bytes()).is_some(), "{line}");
        }
        for line in [
            "bad.example# a name",
            "bad.example # admin@fw",
            "fe80::1%eth0",
            "192.0.2.1# a note",
            "x #",
            "x#a note",
            "$5 each",
            "bash-completion # x",
            "name / # x",
            "bad.example> x",
            "Please wait",
            "",
        ] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
    }
}
