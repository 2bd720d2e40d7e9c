//! A source file, taken apart just enough to measure it: what is code, what
//! is comment or literal, where functions and test modules begin and end.

/// The attribute before a module of tests.
const CFG_TEST: &str = "#[cfg(test)]";

/// One source file.
pub(crate) struct Source {
    /// Its path below the root of the checkout.
    pub(crate) path: String,
    /// Its text as it is.
    pub(crate) text: String,
    /// Its text with comments and the insides of literals blanked.
    code: String,
    /// Its code without modules of tests, which are blanked too.
    pub(crate) shipped: String,
    /// How many of its lines are in modules of tests.
    test_lines: usize,
}

/// A function: its name, and its first and last line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Source {
    /// Takes `text` apart.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank_literals(text);
        let mut shipped = code.clone();
        let mut test_lines = 0;
        while let Some((start, end)) = test_module(&shipped) {
            let module = &shipped[start..end];
            test_lines += module.lines().count();
            let blank: String =
                module.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            shipped.replace_range(start..end, &blank);
        }
        Self { path: path.into(), text: text.into(), code, shipped, test_lines }
    }

    /// How many lines it has without modules of tests.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count() - self.test_lines
    }

    /// The code, tests included.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Its functions, also those of tests and those within others.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = &self.code;
        let starts = words(code, "fn");
        starts.filter_map(|start| function(code, start)).collect()
    }
}

/// Where `word` stands alone in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(position, _)| position).filter(move |&position| {
        let (before, after) = (&code[..position], &code[position + word.len()..]);
        !before.ends_with(in_word) && !after.starts_with(in_word)
    })
}

/// The line of a position, counted from 1.
pub(crate) fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// The function whose `fn` stands at `start`; `None` for one without a body,
/// and for the type of a function pointer.
fn function(code: &str, start: usize) -> Option<Function> {
    let name = code[start + 2..].trim_start();
    let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        return None;
    }
    let mut depth = 0_usize;
    for (offset, character) in code[start..].char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return None,
            '{' if depth == 0 => {
                let end = closing_brace(code, start + offset)?;
                let [first, last] = [start, end].map(|position| line_of(code, position));
                return Some(Function { name, first, last });
            }
            _ => {}
        }
    }
    None
}

/// The position of the brace that closes the one at `open`.
fn closing_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, character) in code[open..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + offset);
        }
    }
    None
}

/// Start and end of the first item under [`CFG_TEST`].
fn test_module(code: &str) -> Option<(usize, usize)> {
    let start = code.find(CFG_TEST)?;
    let after = start + CFG_TEST.len();
    let semicolon = code[after..].find(';').map(|offset| after + offset);
    let open = code[after..].find('{').map(|offset| after + offset);
    let end = match (open, semicolon) {
        (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
            closing_brace(code, open)?
        }
        (_, semicolon) => semicolon?,
    };
    Some((start, end + 1))
}

/// The same text, of the same length in lines, with spaces in place of
/// comments and of what stands within quotes.
fn blank_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let skipped = comment(rest).or_else(|| string(rest, before)).or_else(|| character(rest));
        if let Some(length) = skipped {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The length of the comment that `text` begins with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut position = 0;
    while position < text.len() {
        let here = &text.as_bytes()[position..];
        if here.starts_with(b"/*") {
            depth += 1;
            position += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                return Some(position);
            }
        } else {
            position += 1;
        }
    }
    Some(text.len())
}

/// The length of the string literal that `text` begins with, raw or not.
fn string(text: &str, before: Option<char>) -> Option<usize> {
    if text.starts_with('"') {
        return Some(quoted(text, '"'));
    }
    let after_r = text.strip_prefix('r')?;
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    // `br` and `cr` begin raw strings too.
    if in_word && !matches!(before, Some('b' | 'c')) {
        return None;
    }
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    let inside = after_r[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&close).map_or(inside.len(), |end| end + close.len());
    Some(text.len() - inside.len() + length)
}

/// The length of the character literal that `text` begins with; `None` for a
/// lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.strip_prefix('\'')?.chars();
    let (first, second) = (inside.next()?, inside.next());
    (first == '\\' || second == Some('\'')).then(|| quoted(text, '\''))
}

/// The length of a literal between `quote`s, which a backslash may escape.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return position + 1,
            _ => {}
        }
    }
    text.len()
}

/// Sources of crates, by their paths below the folder of these.
#[cfg(test)]
pub(crate) fn of_crates(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source::new(&format!("crates/{path}"), text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, functions: &[(&str, usize, usize)]) {
        let got = Source::new("a.rs", text).functions();
        let want: Vec<_> = functions
            .iter()
            .map(|&(name, first, last)| Function { name: name.into(), first, last })
            .collect();
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn a_function_ends_at_its_own_brace() {
        check("fn a() {}\nfn b() {\n}\n", &[("a", 1, 1), ("b", 2, 3)]);
        check("fn a() {\n  if x { y() }\n  fn b() {\n  }\n}\n", &[("a", 1, 5), ("b", 3, 4)]);
        check("trait T {\n fn a();\n fn b(x: [u8; 4]) {\n }\n}", &[("b", 3, 4)]);
        check("const fn a(f: fn(u8) -> u8) -> u8 {\n f(1)\n}", &[("a", 1, 3)]);
    }

    #[test]
    fn braces_in_literals_and_comments_are_no_braces() {
        check(
            "fn a() {\n  \"}\"; '}'; // }\n /* } /* } */ } */ r#\"}\"}\"#; b\"\\\"}\";\n}",
            &[("a", 1, 4)],
        );
        check("fn a<'a>(x: &'a str) {\n '\\''; '\"'; br\"}\";\n}", &[("a", 1, 3)]);
        check("fn a() { for r in 1..2 {\n }\n}", &[("a", 1, 3)]);
        check("// fn a() {\n\"fn b() {\";\n", &[]);
    }

    #[test]
    fn modules_of_tests_are_not_shipped() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { unwrap() }\n}\nfn c() {}\n";
        let source = Source::new("a.rs", text);
        assert_eq!(source.lines(), 2);
        assert!(source.code().contains("unwrap") && !source.shipped.contains("unwrap"));
        assert!(source.shipped.contains("fn c"));
        let elsewhere = Source::new("a.rs", "#[cfg(test)]\nmod tests;\nfn a() { b() }\n");
        assert_eq!(elsewhere.lines(), 1);
    }
}
