//! Which room of a crate may know which: a room is a module right below the
//! crate's root, with all that is in it. No two may know each other, not by way
//! of others either. The rooms of the program have a table besides.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, words};

/// What the rooms of the program may use, from the outside in. A room that is
/// not named uses none.
const PROGRAM: &[(&str, &[&str])] = &[
    (
        "verb",
        &[
            "boot",
            "cli",
            "confirm",
            "daemon",
            "detach",
            "effects",
            "exit",
            "lock",
            "log",
            "memory",
            "without_daemon",
            "progress",
            "salt",
            "serve",
            "settings",
            "snapshot",
            "view",
        ],
    ),
    ("without_daemon", &["daemon", "effects"]),
    (
        "daemon",
        &[
            "boot", "confirm", "effects", "exit", "exports", "hits", "lock", "outlets", "remedy",
            "salt", "serve", "settings", "snapshot", "systemd", "view",
        ],
    ),
    ("serve", &["exit", "hits", "snapshot", "view"]),
    ("hits", &["snapshot"]),
    ("exports", &["snapshot"]),
    ("outlets", &["snapshot", "view"]),
    ("boot", &["lock", "remedy", "salt"]),
    ("view", &["cli", "hits", "snapshot"]),
    ("cli", &["exit"]),
];

/// Where the program is.
const PROGRAM_CRATE: &str = "denyset";

/// The rooms of one crate, and which rooms each uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Arrows between rooms that nobody has agreed to, and circles.
pub(crate) fn breaches(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, arrows) in arrows(sources) {
        for (from, uses) in &arrows {
            for to in uses {
                if name == PROGRAM_CRATE && !is_allowed(from, to) {
                    breaches.push(format!("{name}: the room {from} must not know {to}"));
                }
                if from < to && leads(&arrows, to, from) || from > to && is_back(&arrows, from, to)
                {
                    breaches.push(format!("{name}: the rooms {from} and {to} know each other"));
                }
            }
        }
    }
    breaches
}

fn is_allowed(from: &str, to: &str) -> bool {
    PROGRAM.iter().any(|(room, uses)| *room == from && uses.contains(&to))
}

/// An arrow of a circle that the arrow the other way does not tell of already.
fn is_back(arrows: &Arrows, from: &str, to: &str) -> bool {
    let direct = arrows.get(to).is_some_and(|uses| uses.contains(from));
    !direct && leads(arrows, to, from)
}

/// Whether one room knows another, by way of others too.
fn leads(arrows: &Arrows, from: &str, to: &str) -> bool {
    let (mut known, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(room) = left.pop() {
        if room == to {
            return true;
        }
        if known.insert(room) {
            left.extend(arrows.get(room).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// The arrows of every crate, by its name.
fn arrows(sources: &[Source]) -> BTreeMap<String, Arrows> {
    let mut crates: BTreeMap<String, Arrows> = BTreeMap::new();
    let placed: Vec<_> =
        sources.iter().filter_map(|source| Some((place(source)?, source))).collect();
    for ((name, modules), _) in &placed {
        crates.entry(name.clone()).or_default().entry(modules[0].clone()).or_default();
    }
    for ((name, modules), source) in &placed {
        let Some(rooms) = crates.get_mut(name) else { continue };
        let used = named(&source.shipped, modules.len());
        let used = used.into_iter().filter(|to| rooms.contains_key(to) && *to != modules[0]);
        let used: Vec<_> = used.collect();
        rooms.entry(modules[0].clone()).or_default().extend(used);
    }
    crates
}

/// The crate of a source file and its module, from the room on. `None` for
/// what is not in a room, and for tests.
fn place(source: &Source) -> Option<(String, Vec<String>)> {
    let (name, path) = source.path.strip_prefix("crates/")?.split_once("/src/")?;
    let path = path.strip_suffix(".rs")?;
    let modules: Vec<_> = path.split('/').map(str::to_owned).collect();
    let modules = match modules.split_last()? {
        (last, above) if last == "mod" => above.to_vec(),
        _ => modules,
    };
    let is_test = modules.iter().any(|module| module == "tests");
    let is_root = matches!(modules.as_slice(), [] | [_]) && matches!(path, "lib" | "main");
    (!is_test && !is_root).then(|| (name.to_owned(), modules))
}

/// The first names of all paths from the root of the crate, in a module that is
/// `depth` below it.
fn named(code: &str, depth: usize) -> BTreeSet<String> {
    let climb = "super::".repeat(depth);
    let from_root = words(code, "crate").filter_map(|at| code[at..].strip_prefix("crate::"));
    let climbed = code.match_indices(&climb).filter_map(|(at, _)| {
        let further =
            code[..at].ends_with("super::") || code[at + climb.len()..].starts_with("super");
        (!further).then(|| &code[at + climb.len()..])
    });
    from_root.chain(climbed).flat_map(first_names).collect()
}

/// The first name of a path, or those of all paths in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut begins) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(name(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::source::of_crates;
    use super::*;

    fn check(files: &[(&str, &str)], want: &[&str]) {
        assert_eq!(breaches(&of_crates(files)), want, "{files:?}");
    }

    #[test]
    fn rooms_that_know_each_other_are_a_breach_by_way_of_others_too() {
        let (a, c) =
            (("x/src/a.rs", "use crate::b::B;"), ("x/src/c/d.rs", "use super::super::a::A;"));
        check(&[a, ("x/src/b.rs", "")], &[]);
        check(&[a, ("x/src/b.rs", "use super::a::A;")], &["x: the rooms a and b know each other"]);
        check(
            &[a, ("x/src/b.rs", "use crate::{z::{y}, c::C};"), c],
            &[
                "x: the rooms a and b know each other",
                "x: the rooms b and c know each other",
                "x: the rooms c and a know each other",
            ],
        );
    }

    #[test]
    fn tests_and_what_is_in_one_room_count_for_nothing() {
        check(
            &[
                ("x/src/a/mod.rs", "use self::b::B; // crate::c"),
                (
                    "x/src/a/b.rs",
                    "use super::c::C;\n#[cfg(test)]\nmod tests {\n use crate::c;\n}\n",
                ),
                ("x/src/a/c.rs", ""),
                ("x/src/c.rs", "use crate::a::A;"),
                ("x/src/tests.rs", "use crate::{a, c};"),
                ("x/src/lib.rs", "pub use a::A;"),
            ],
            &[],
        );
    }

    #[test]
    fn the_program_has_a_table() {
        let effects = ("denyset/src/effects.rs", "");
        check(&[("denyset/src/without_daemon.rs", "use crate::effects::E;"), effects], &[]);
        check(
            &[("denyset/src/serve/why.rs", "use crate::effects::E;"), effects],
            &["denyset: the room serve must not know effects"],
        );
    }
}
