//! Every way of blocking in the kernel that was named, each a file: how a list is
//! loaded, how it is changed. How a packet fares is measured for all alike.

mod denyset;
mod ipset;
mod linear;
mod nftables;
mod nothing;
pub(in crate::evidence) mod programs;
mod routes;
mod tree;
mod xdp_filter;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::super::lists::{Change, Family};
use super::super::site::Site;
use super::super::tool::{self, Effort, Trouble};

pub(in crate::evidence) use self::denyset::{BY_LENGTHS, BY_LENGTHS_SIZE};

/// How long a load or a change may take: longer is a result.
const LIMIT: Duration = Duration::from_secs(25);

/// A way of blocking. All but its name and limits is called on the host of `site`, whose
/// directory it may use.
pub(super) trait Way: Sync {
    /// What it is called in tables, a name of its own.
    fn name(&self) -> String;

    /// The longest list worth trying, and why none longer.
    fn most(&self) -> Option<(usize, &'static str)> {
        None
    }

    /// Whether it has anything to say of lists so long. Where it has not, it has no row.
    fn is_for(&self, _length: usize) -> bool {
        true
    }

    /// The family of the packets that it drops.
    fn family(&self) -> Family {
        Family::V4
    }

    /// Whether a short look has it.
    fn is_quick(&self) -> bool {
        false
    }

    /// Whether it is there to block; what others are compared with does not.
    fn blocks(&self) -> bool {
        true
    }

    /// Whether it is measured how its list changes.
    fn changes(&self) -> bool {
        self.blocks()
    }

    /// Whether it is measured how another list takes the place of the whole.
    fn replaces(&self) -> bool {
        false
    }

    /// Blocks a list where nobody is blocked.
    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble>;

    /// Changes the list. Called once with one who comes, then with many who leave and
    /// come.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble>;

    /// Puts another list in the place of the whole. Called after that, if at all.
    fn replace(&self, _site: &Site, _whole: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        Err(Trouble::Missing("it has no way to do so".into()))
    }

    /// What a process that packets wait for has worked so far, beside who sends them.
    fn worked(&self) -> Duration {
        Duration::ZERO
    }

    /// How many packets can be under way to such a process and be judged all the same.
    fn at_once(&self) -> u32 {
        u32::MAX
    }

    /// Waits until no packet is under way to such a process.
    fn settle(&self, _site: &Site) -> Result<(), Trouble> {
        Ok(())
    }

    /// Takes away what would stay when the namespace goes.
    fn tear_down(&self, _site: &Site) {}
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Way>> {
    let mut ways = nothing::ways();
    ways.extend(linear::ways());
    ways.extend(tree::ways());
    ways.extend(routes::ways());
    ways.extend(ipset::ways());
    ways.extend(nftables::ways());
    ways.extend(denyset::ways());
    ways.extend(programs::ways());
    ways.extend(xdp_filter::ways());
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
    fn every_way_has_a_name_of_its_own_and_the_first_three_block_nobody() {
        let names: Vec<_> = all().iter().map(|way| way.name()).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} stands twice");
        }
        assert!(all().iter().take(3).all(|way| !way.blocks()));
        assert!(all().iter().skip(3).all(|way| way.blocks()));
    }
}
