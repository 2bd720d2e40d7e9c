//! The targets by name: which program each is, and what it is told.

use blocklist::Format;

use crate::Failure;

/// What is fuzzed on its own, with a corpus of its own.
pub(super) struct Target {
    pub(super) name: &'static str,
    /// The program that it is.
    pub(super) program: &'static str,
    /// The format that the program is to read.
    pub(super) format: Option<Format>,
}

/// Targets that are programs of their own.
const PROGRAMS: [&str; 8] =
    ["detection", "answers", "listing", "packed", "peers", "query", "rules", "shown"];

/// All targets.
fn all() -> impl Iterator<Item = Target> {
    let formats = Format::ALL.iter().map(|&format| Target {
        name: format.name(),
        program: "feed",
        format: Some(format),
    });
    formats.chain(PROGRAMS.map(|name| Target { name, program: name, format: None }))
}

/// The targets of these names, all of them if there is none.
pub(super) fn chosen(names: &[String]) -> Result<Vec<Target>, Failure> {
    if let Some(unknown) = names.iter().find(|name| all().all(|target| target.name != **name)) {
        let known: Vec<_> = all().map(|target| target.name).collect();
        return Err(format!("no target `{unknown}`; targets are: {}", known.join(", ")).into());
    }
    let is_meant = |target: &Target| names.is_empty() || names.iter().any(|n| n == target.name);
    Ok(all().filter(is_meant).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], want: Option<usize>) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(chosen(&names).ok().map(|targets| targets.len()), want, "{names:?}");
    }

    #[test]
    fn every_format_is_a_target_beside_the_others() {
        check(&[], Some(Format::ALL.len() + PROGRAMS.len()));
        check(&["nginx", "detection"], Some(2));
        check(&["nginx", "no-such"], None);
    }
}
