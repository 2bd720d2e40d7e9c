//! A type's name is said once in the house: no two public types share one, and
//! no other type has the name of a public one that its crate can see. What is
//! private to a module may have a word of its own trade otherwise: a `Rule` of
//! one format is not that of another.

use std::collections::BTreeMap;

use super::edges;
use super::source::{Source, line_of, words};

/// What begins the definition of a type.
const KINDS: [&str; 4] = ["struct", "enum", "trait", "type"];

/// A type where it is defined.
struct Defined<'a> {
    name: &'a str,
    package: &'a str,
    place: String,
    is_public: bool,
}

/// Types whose names are taken.
pub(crate) fn breaches(sources: &[Source]) -> Vec<String> {
    let defined: Vec<_> = sources.iter().flat_map(defined).collect();
    let mut public: BTreeMap<&str, Vec<&Defined<'_>>> = BTreeMap::new();
    for one in defined.iter().filter(|one| one.is_public) {
        public.entry(one.name).or_default().push(one);
    }
    let mut breaches = Vec::new();
    for one in &defined {
        let others = public.get(one.name).into_iter().flatten();
        let mut others = others.filter(|other| other.place != one.place);
        let taken = others.find(|other| {
            one.is_public && other.place < one.place
                || !one.is_public && edges::sees(one.package, other.package)
        });
        if let Some(other) = taken {
            breaches.push(format!("{}: `{}` is a type of {}", one.place, one.name, other.place));
        }
    }
    breaches
}

/// The types that a source file of a crate defines, tests apart.
fn defined(source: &Source) -> Vec<Defined<'_>> {
    let Some((package, path)) =
        source.path.strip_prefix("crates/").and_then(|path| path.split_once("/src/"))
    else {
        return Vec::new();
    };
    if path.split('/').any(|part| matches!(part, "tests" | "tests.rs")) {
        return Vec::new();
    }
    let code = &source.shipped;
    let types = KINDS.into_iter().flat_map(|kind| {
        words(code, kind).filter_map(move |at| {
            let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
            let before = code[line..at].trim_end();
            let is_public = before == "pub";
            // What is further in belongs to what stands around it.
            if !(is_public || before.is_empty() && line == at || is_restricted(before)) {
                return None;
            }
            let name = code[at + kind.len()..].trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let place = format!("{}:{}", source.path, line_of(code, at));
            Some(Defined { name: &name[..end], package, place, is_public })
        })
    });
    types.collect()
}

/// Whether something is public to a part of its crate only.
fn is_restricted(before: &str) -> bool {
    before.starts_with("pub(") && before.ends_with(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], want: &[&str]) {
        let sources: Vec<_> =
            files.iter().map(|(path, text)| Source::new(&format!("crates/{path}"), text)).collect();
        assert_eq!(breaches(&sources), want, "{files:?}");
    }

    #[test]
    fn two_public_types_of_one_name_are_a_breach() {
        let (one, other) = ("pub struct A;", "//!\npub enum A {}");
        check(&[("host/src/a.rs", one), ("host/src/b.rs", "pub struct B;")], &[]);
        check(
            &[("host/src/a.rs", one), ("lab/src/a.rs", other)],
            &["crates/lab/src/a.rs:2: `A` is a type of crates/host/src/a.rs:1"],
        );
        check(&[("host/src/a.rs", one), ("lab/src/tests.rs", other)], &[]);
        check(&[("host/src/a.rs", one), ("lab/src/a.rs", "//! pub struct A;")], &[]);
    }

    #[test]
    fn a_private_type_may_have_a_name_that_its_crate_cannot_see() {
        let (public, private) = ("pub trait A {}", "pub(super) struct A;");
        check(&[("keeper/src/a.rs", public), ("host/src/a.rs", private)], &[]);
        check(
            &[("intake/src/a.rs", public), ("keeper/src/a.rs", private)],
            &["crates/keeper/src/a.rs:1: `A` is a type of crates/intake/src/a.rs:1"],
        );
        check(
            &[("host/src/a.rs", "struct A;"), ("host/src/b.rs", public)],
            &["crates/host/src/a.rs:1: `A` is a type of crates/host/src/b.rs:1"],
        );
        check(&[("host/src/a.rs", "struct A;"), ("host/src/b.rs", private)], &[]);
    }
}
