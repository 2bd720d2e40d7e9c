//! The four questions, the second in two halves, and what of them a run is asked for.
//! The halves are measured length by length: each of these can be run alone.

use serde::{Deserialize, Serialize};

use super::million;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Four ports, 400 clients.
    A,
    /// A million offenders.
    B,
    /// What is really dropped.
    C,
    /// Whether the meters tell the truth.
    D,
    /// The second half of B: a million offenders, told to a web server.
    W,
}

impl Stage {
    /// All of them, the cheap and certain first.
    pub(super) const ALL: [Self; 5] = [Self::C, Self::D, Self::B, Self::W, Self::A];

    /// The stage of this letter.
    fn named(name: &str) -> Option<Self> {
        match name {
            "A" | "a" => Some(Self::A),
            "B" | "b" => Some(Self::B),
            "C" | "c" => Some(Self::C),
            "D" | "d" => Some(Self::D),
            "W" | "w" => Some(Self::W),
            _ => None,
        }
    }

    /// What it asks.
    pub(super) fn question(self) -> &'static str {
        match self {
            Self::A => "Four ports, 400 clients",
            Self::B => "A million offenders",
            Self::C => "What is really dropped",
            Self::D => "Do the meters tell the truth?",
            Self::W => "A million offenders, told to a web server",
        }
    }
}

impl Stage {
    /// The numbers of addresses that it is run with, one by one; none where it knows no
    /// such number.
    pub(super) fn sizes(self, quick: bool) -> Vec<Option<usize>> {
        match self {
            Self::B | Self::W => million::sizes(quick).iter().copied().map(Some).collect(),
            Self::A | Self::C | Self::D => vec![None],
        }
    }
}

impl Stage {
    /// As many rounds as there is time for.
    pub(super) fn rounds(self, quick: bool) -> usize {
        match (self, quick) {
            (Self::A | Self::D, true) => 2,
            (_, true) => 3,
            (Self::A, false) => 4,
            (_, false) => 5,
        }
    }
}

/// What of the stages a run is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    stages: Vec<Stage>,
    sizes: Vec<usize>,
    names: Vec<String>,
}

impl Scope {
    /// From the words of a command line: letters of stages, numbers of addresses, and
    /// parts of names of variants. Without any, it is everything.
    pub(super) fn new(words: &[String]) -> Self {
        let (mut scope, all) = (Self::default(), million::sizes(false));
        for word in words {
            let size = word.parse().ok().filter(|size| all.contains(size));
            match (Stage::named(word), size) {
                (Some(stage), _) => scope.stages.push(stage),
                (None, Some(size)) => scope.sizes.push(size),
                (None, None) => scope.names.push(word.clone()),
            }
        }
        scope
    }

    /// Whether a stage is of it.
    pub(super) fn has(&self, stage: Stage) -> bool {
        self.stages.is_empty() || self.stages.contains(&stage)
    }

    /// Whether a stage with so many addresses is.
    pub(super) fn has_size(&self, size: Option<usize>) -> bool {
        self.sizes.is_empty() || size.is_some_and(|size| self.sizes.contains(&size))
    }

    /// Whether somebody has asked for this very stage: then it is run again.
    pub(super) fn insists_on(&self, stage: Stage) -> bool {
        self.stages.contains(&stage) || !self.sizes.is_empty() || self.is_partial()
    }

    /// Whether a variant is of it. What others are compared with always is.
    pub(super) fn wants(&self, variant: &str) -> bool {
        self.names.is_empty()
            || variant.starts_with("none")
            || self.names.iter().any(|name| variant.contains(name.as_str()))
    }

    /// Whether only some variants are asked for.
    pub(super) fn is_partial(&self) -> bool {
        !self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], stages: &[Stage], wanted: &[&str], unwanted: &[&str]) {
        let scope = Scope::new(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        let has: Vec<_> = Stage::ALL.into_iter().filter(|&stage| scope.has(stage)).collect();
        assert_eq!(has, stages, "{words:?}");
        assert!(wanted.iter().all(|name| scope.wants(name)), "{words:?}");
        assert!(!unwanted.iter().any(|name| scope.wants(name)), "{words:?}");
    }

    #[test]
    fn words_are_stages_or_parts_of_the_names_of_variants() {
        check(&[], &Stage::ALL, &["none", "ipset hash:ip"], &[]);
        check(&["B", "a"], &[Stage::B, Stage::A], &["ipset hash:ip"], &[]);
        check(&["B", "ipset"], &[Stage::B], &["none", "ipset hash:ip"], &["nft set"]);
        check(&["B", "1000000"], &[Stage::B], &["ipset hash:ip"], &[]);
        check(&["nft"], &Stage::ALL, &["none, again", "nft set"], &["ipset hash:ip"]);
    }

    #[test]
    fn numbers_are_those_of_addresses() {
        let scope = Scope::new(&["B", "1000", "1604"].map(str::to_owned));
        assert!(scope.has_size(Some(1_000)) && !scope.has_size(Some(10_000)));
        assert!(!scope.has_size(None), "what knows no number has not this one");
        assert!(scope.wants("1,1604 rules") && !scope.wants("a set"));
    }
}
