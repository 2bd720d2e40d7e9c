//! A type's name is said once in the house: no two types share one that can be
//! named outside of their files, and what is private to a file has no name of a
//! public type that its crate can see. Otherwise it may have a word of its own
//! trade: the `Record` of one format is not that of another.

use std::collections::BTreeMap;

use super::edges;
use super::source::{Source, line_of, words};

/// What begins the definition of a type.
const KINDS: [&str; 4] = ["struct", "enum", "trait", "type"];

/// Who can name a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Reach {
    /// Its own file.
    File,
    /// A part of its crate.
    Restricted,
    /// Everybody.
    Public,
}

/// A type where it is defined.
struct Defined<'a> {
    name: &'a str,
    package: &'a str,
    place: String,
    reach: Reach,
}

/// Types whose names are taken.
pub(crate) fn breaches(sources: &[Source]) -> Vec<String> {
    let defined: Vec<_> = sources.iter().flat_map(defined).collect();
    let mut shared: BTreeMap<&str, Vec<&Defined<'_>>> = BTreeMap::new();
    for one in defined.iter().filter(|one| one.reach > Reach::File) {
        shared.entry(one.name).or_default().push(one);
    }
    let mut breaches = Vec::new();
    for one in &defined {
        let others = shared.get(one.name).into_iter().flatten();
        let mut others = others.filter(|other| other.place != one.place);
        let taken = others.find(|other| match one.reach {
            Reach::File => other.reach == Reach::Public && edges::sees(one.package, other.package),
            Reach::Restricted | Reach::Public => other.place < one.place,
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
            let reach = match before {
                "" if line == at => Reach::File,
                "pub" => Reach::Public,
                _ if before.starts_with("pub(") && before.ends_with(')') => Reach::Restricted,
                // What is further in belongs to what stands around it.
                _ => return None,
            };
            let name = code[at + kind.len()..].trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let place = format!("{}:{}", source.path, line_of(code, at));
            Some(Defined { name: &name[..end], package, place, reach })
        })
    });
    types.collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::of_crates;
    use super::*;

    fn check(files: &[(&str, &str)], want: &[&str]) {
        assert_eq!(breaches(&of_crates(files)), want, "{files:?}");
    }

    #[test]
    fn two_types_that_others_can_name_have_two_names() {
        for one in ["pub struct A;", "pub(crate) struct A;"] {
            for other in ["//!\npub enum A {}", "//!\npub(super) type A = u8;"] {
                check(&[("host/src/a.rs", one), ("host/src/b.rs", "pub struct B;")], &[]);
                check(
                    &[("host/src/a.rs", one), ("lab/src/a.rs", other)],
                    &["crates/lab/src/a.rs:2: `A` is a type of crates/host/src/a.rs:1"],
                );
                check(&[("host/src/a.rs", one), ("lab/src/tests.rs", other)], &[]);
            }
            check(&[("host/src/a.rs", one), ("lab/src/a.rs", "//! pub struct A;")], &[]);
        }
    }

    #[test]
    fn what_is_private_to_a_file_may_have_a_name_that_its_crate_cannot_see() {
        let (public, private) = ("pub trait A {}", "struct A;");
        check(&[("keeper/src/a.rs", public), ("host/src/a.rs", private)], &[]);
        check(
            &[("intake/src/a.rs", public), ("keeper/src/a.rs", private)],
            &["crates/keeper/src/a.rs:1: `A` is a type of crates/intake/src/a.rs:1"],
        );
        check(
            &[("host/src/a.rs", private), ("host/src/b.rs", public)],
            &["crates/host/src/a.rs:1: `A` is a type of crates/host/src/b.rs:1"],
        );
        check(&[("host/src/a.rs", private), ("host/src/b.rs", private)], &[]);
        check(&[("host/src/a.rs", private), ("host/src/b.rs", "pub(super) struct A;")], &[]);
    }
}
