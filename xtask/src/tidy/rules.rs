//! The rules for one source file, each with its limit and its message.

use super::source::{Source, line_of, words};

/// Lines in a file, modules of tests and files of tests apart.
const FILE_LINES_MAX: usize = 500;
/// Lines in a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that may have unsafe code, each for one need named in it.
const UNSAFE_FILES: &[&str] = &[
    "crates/denyset/src/daemon/alarm.rs",
    "crates/denyset/src/detach.rs",
    "crates/denyset/src/memory.rs",
    "crates/feedfiles/src/mapped.rs",
    "crates/lab/src/namespace.rs",
];

/// What must stand nowhere in code, and why.
const NOWHERE: &[(&str, &str)] = &[
    ("#[allow", "say `#[expect(lint, reason = \"…\")]`"),
    ("#![allow", "say `#[expect(lint, reason = \"…\")]`"),
    ("#[ignore", "a test that cannot run says so loudly, none is skipped"),
];

/// What must not stand in tests and in what they share, and why.
const NOT_IN_TESTS: &[(&str, &str)] = &[("thread::sleep", "wait for an event")];

/// What must not stand in the code of a shipped crate, tests apart, and why.
const NOT_SHIPPED: &[(&str, &str)] = &[
    ("process::Command", "no program is ever started"),
    ("Command::new", "no program is ever started"),
    (".unwrap()", "say `expect(\"why it cannot fail\")` or return the error"),
];

/// Marks of unfinished work. In two parts, so that they do not stand here.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// All breaches of a file, with their places.
pub(crate) fn breaches(source: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut breach = |line: usize, what: String| {
        breaches.push(format!("{}:{line}: {what}", source.path));
    };
    if !source.text.starts_with("//!") {
        breach(1, "a file opens with `//!`: what it knows, what it must not".into());
    }
    let lines = source.lines();
    if lines > FILE_LINES_MAX && !is_test(&source.path) {
        breach(1, format!("{lines} lines, at most {FILE_LINES_MAX} are allowed"));
    }
    for function in source.functions() {
        let lines = function.last - function.first + 1;
        if lines > FUNCTION_LINES_MAX {
            let name = &function.name;
            breach(
                function.first,
                format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed"),
            );
        }
    }
    if !UNSAFE_FILES.contains(&&*source.path) {
        for position in words(source.code(), "unsafe") {
            breach(line_of(source.code(), position), "unsafe code in a file not listed".into());
        }
    }
    let mut find = |text: &str, what: &str, why: &str| {
        for (position, _) in text.match_indices(what) {
            breach(line_of(text, position), format!("`{what}`: {why}"));
        }
    };
    for (what, why) in NOWHERE {
        find(source.code(), what, why);
    }
    if !is_shipped(&source.path) {
        for (what, why) in NOT_IN_TESTS {
            find(source.code(), what, why);
        }
    }
    if is_shipped(&source.path) {
        for (what, why) in NOT_SHIPPED {
            find(&source.shipped, what, why);
        }
    }
    for mark in UNFINISHED {
        find(&source.text, mark, "finish it");
    }
    breaches
}

/// Whether a file is of tests as a whole.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Whether a file becomes part of what is installed.
fn is_shipped(path: &str) -> bool {
    let for_tests = is_test(path) || is_shared_by_tests(path);
    path.starts_with("crates/") && path.contains("/src/") && !for_tests
}

/// Whether a file is of the crate that tests and chores stand on.
fn is_shared_by_tests(path: &str) -> bool {
    path.starts_with("crates/lab/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, want: &[&str]) {
        let breaches = breaches(&Source::new(path, text));
        let fits = breaches.len() == want.len()
            && breaches.iter().zip(want).all(|(breach, want)| breach.contains(want));
        assert!(fits, "{breaches:#?}, not {want:#?}");
    }

    #[test]
    fn a_good_file_passes() {
        check("crates/a/src/b.rs", "//! A file.\nfn a() { b().expect(\"reason\") }\n", &[]);
    }

    #[test]
    fn each_bad_sample_is_found_at_its_line() {
        let path = "crates/a/src/b.rs";
        check(path, "fn a() {}\n", &["b.rs:1: a file opens with"]);
        check(path, "//! A.\n\n#[allow(dead_code)]\nfn a() {}\n", &["b.rs:3: `#[allow`"]);
        check(path, "//! A.\nfn a() { unsafe { b() } }\n", &["b.rs:2: unsafe"]);
        check(path, "//! A.\nfn a() { b().unwrap() }\n", &["b.rs:2: `.unwrap()`"]);
        check(path, "//! A.\nuse std::process::Command;\n", &["b.rs:2: `process::Command`"]);
        check(path, "//! A.\n#[ignore]\nfn a() {}\n", &["b.rs:2: `#[ignore`"]);
        let test = "tests/tests/a.rs";
        check(test, "//! A.\nfn a() { thread::sleep(b) }\n", &["a.rs:2: `thread::sleep`"]);
        let unfinished = format!("//! A.\n// {}: more\n", UNFINISHED[0]);
        check(path, &unfinished, &["b.rs:2: "]);
    }

    #[test]
    fn what_is_too_long_is_found() {
        let lines = |count| "\n".repeat(count);
        let path = "crates/a/src/b.rs";
        check(path, &format!("//! A.{}", lines(500)), &[]);
        check(path, &format!("//! A.{}", lines(501)), &["501 lines, at most 500"]);
        check("tests/tests/a.rs", &format!("//! A.{}", lines(501)), &[]);
        check(path, &format!("//! A.\nfn a() {{{}}}", lines(69)), &[]);
        check(path, &format!("//! A.\nfn a() {{{}}}", lines(70)), &["`a` has 71 lines"]);
    }

    #[test]
    fn tests_may_start_programs_and_unwrap() {
        let text = "//! A.\n#[cfg(test)]\nmod tests {\n fn a() { Command::new(b).unwrap() }\n}\n";
        check("crates/a/src/b.rs", text, &[]);
        check("crates/a/tests/b.rs", "//! A.\nfn a() { Command::new(b) }\n", &[]);
        check("xtask/src/b.rs", "//! A.\nfn a() { Command::new(b).unwrap() }\n", &[]);
    }

    #[test]
    fn words_within_literals_and_names_are_no_breach() {
        check(
            "crates/a/src/b.rs",
            "//! unsafe\nconst A: &str = \"unsafe\"; fn not_unsafe() {}\n",
            &[],
        );
    }
}
