//! Every way of blocking in the kernel that was named, each a file: how a list is
//! loaded, how it is changed. How a packet fares is measured for all alike.

mod denyset;
mod ipset;
mod linear;
mod nftables;
mod nothing;
mod routes;
mod tree;
mod xdp;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::super::lists::Change;
use super::super::site::Site;
use super::super::tool::{self, Effort, Trouble};

/// How long a load or a change may take: longer is a result.
const LIMIT: Duration = Duration::from_secs(60);

/// A way of blocking. All but its name and limits is called on the host of `site`, whose
/// directory it may use.
pub(super) trait Way: Sync {
    /// What it is called in tables, a name of its own.
    fn name(&self) -> String;

    /// The longest list worth trying, and why none longer.
    fn most(&self) -> Option<(usize, &'static str)> {
        None
    }

    /// Whether a short look has it.
    fn is_quick(&self) -> bool {
        false
    }

    /// Whether it is there to block; what others are compared with does not.
    fn blocks(&self) -> bool {
        true
    }

    /// Blocks a list where nobody is blocked.
    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble>;

    /// Changes the list. Called once with one who comes, then with many who leave and
    /// come.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble>;

    /// Takes away what would stay when the namespace goes.
    fn tear_down(&self, _site: &Site) {}
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Way>> {
    let mut ways: Vec<Box<dyn Way>> = vec![
        Box::new(nothing::Nothing { again: false }),
        Box::new(nothing::Nothing { again: true }),
    ];
    ways.extend(linear::ways());
    ways.extend(tree::ways());
    ways.extend(routes::ways());
    ways.extend(ipset::ways());
    ways.extend(nftables::ways());
    ways.extend(denyset::ways());
    ways.extend(xdp::ways());
    ways
}

/// Runs lines of commands one after the other.
fn lines(lines: &[&str]) -> Result<Effort, Trouble> {
    let mut effort = Effort::default();
    for line in lines {
        effort = effort.and(tool::run(line, LIMIT)?.effort);
    }
    Ok(effort)
}

/// Feeds a program with a text.
fn feed(site: &Site, program: &str, text: &str) -> Result<Effort, Trouble> {
    let file = site.file("input", text)?;
    Ok(tool::run_with(program, &file, LIMIT)?.effort)
}

/// A line for each, made by `line`.
fn joined<T>(
    all: impl IntoIterator<Item = T>,
    line: impl Fn(&mut String, T) -> std::fmt::Result,
) -> String {
    let mut text = String::new();
    for one in all {
        // A string takes any text.
        let _ = line(&mut text, one);
        let _ = writeln!(text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_a_name_of_its_own_and_the_first_two_block_nobody() {
        let names: Vec<_> = all().iter().map(|way| way.name()).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} stands twice");
        }
        assert!(all().iter().take(2).all(|way| !way.blocks()));
        assert!(all().iter().skip(2).all(|way| way.blocks()));
    }
}
