//! Who else loads lists: the programs of ipset and nftables, as whole processes, in the
//! network namespace of the calling thread.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use blocklist::Family;
use reconcile::Capacity;

use super::{FREED, Input, LIMIT, Took, pass, program, tool};
use crate::measure::tool::Trouble;

/// What their sets are called.
pub(in crate::bench) const LIVE: &str = "peer";
const NEXT: &str = "peer-next";

/// A way of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Peer {
    /// `ipset restore`, into a set of the right size.
    Ipset,
    /// `nft -f`, into a set without intervals of a declared size.
    NftSet,
    /// `nft -f`, into a set of intervals.
    NftIntervals,
}

impl Peer {
    /// All of them.
    pub(in crate::bench) const ALL: [Self; 3] = [Self::Ipset, Self::NftSet, Self::NftIntervals];

    /// In tables.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::Ipset => "ipset restore",
            Self::NftSet => "nft -f, set of declared size",
            Self::NftIntervals => "nft -f, intervals",
        }
    }

    /// Whether it can, or why not.
    pub(in crate::bench) fn takes(self, input: &Input, most: usize) -> Result<(), Trouble> {
        let missing = |why: &str| Err(Trouble::Missing(why.to_owned()));
        match self {
            Self::NftSet if !input.kind().is_hosts() => {
                missing("a set without intervals holds no prefixes")
            }
            Self::NftSet | Self::NftIntervals if input.members().len() > most => {
                missing("it takes minutes and gigabytes")
            }
            _ => Ok(()),
        }
    }

    /// A file that it loads a whole set from.
    pub(in crate::bench) fn file(
        self,
        directory: &Path,
        input: &Input,
    ) -> Result<PathBuf, Trouble> {
        let text = match self {
            Self::Ipset => format!("{}{}", created(LIVE, input), adds(LIVE, input)),
            Self::NftSet => nft_set(input, &format!("size {};", input.members().len() * 2)),
            Self::NftIntervals => nft_set(input, "flags interval;"),
        };
        written(directory, &format!("{self:?}"), &text)
    }

    /// Loads it.
    pub(in crate::bench) fn load(self, file: &Path) -> Result<Took, Trouble> {
        match self {
            Self::Ipset => restore(file),
            Self::NftSet | Self::NftIntervals => program(&format!("nft -f {}", file.display())),
        }
    }

    /// Takes it away, and waits until its memory is free.
    pub(in crate::bench) fn clear(self) -> Result<(), Trouble> {
        match self {
            Self::Ipset => program(&format!("ipset destroy {LIVE}"))?,
            Self::NftSet | Self::NftIntervals => program("nft flush ruleset")?,
        };
        pass(FREED);
        Ok(())
    }
}

/// Writes a file for a program.
pub(in crate::bench) fn written(
    directory: &Path,
    name: &str,
    text: &str,
) -> Result<PathBuf, Trouble> {
    let path = directory.join(name);
    fs::write(&path, text).map_err(|error| Trouble::Broken(format!("{name}: {error}")))?;
    Ok(path)
}

/// Runs `ipset restore` with a file.
pub(in crate::bench) fn restore(file: &Path) -> Result<Took, Trouble> {
    Ok(tool::run_with("ipset -exist restore", file, LIMIT)?.effort.into())
}

/// What `ipset restore` puts in place of a set that is there: another one filled, swapped
/// and destroyed.
pub(in crate::bench) fn restore_swap(input: &Input) -> String {
    let [head, tail] = swap(input);
    format!("{head}{}{tail}", adds(NEXT, input))
}

/// The same by `iprange`, which reads the feed, and a shell that puts both together.
pub(in crate::bench) fn iprange_swap(feed: &Path, input: &Input) -> Result<Took, Trouble> {
    let [head, tail] = swap(input).map(|lines| lines.replace('\n', "\\n"));
    let script = format!(
        "set -e; {{ printf '{head}'; iprange --print-prefix 'add {NEXT} ' {}; printf '{tail}'; }} | \
         ipset -exist restore",
        feed.display()
    );
    // Whether it is there, so that a shell that does not find it is no result.
    tool::run("iprange --help", LIMIT).or_else(|trouble| match trouble {
        Trouble::Missing(_) => Err(trouble),
        Trouble::Broken(_) => tool::run("true", LIMIT),
    })?;
    Ok(tool::finish(Command::new("sh").args(["-c", &script]), None, LIMIT)?.effort.into())
}

fn swap(input: &Input) -> [String; 2] {
    let head = created(NEXT, input);
    [head, format!("swap {NEXT} {LIVE}\ndestroy {NEXT}\n")]
}

/// The line that makes a set of the right size.
fn created(set: &str, input: &Input) -> String {
    let Capacity { hashsize, maxelem } = Capacity::for_members(input.members().len());
    let family = if input.kind().family() == Family::Ipv4 { "inet" } else { "inet6" };
    format!("create {set} hash:net family {family} hashsize {hashsize} maxelem {maxelem}\n")
}

fn adds(set: &str, input: &Input) -> String {
    input.lines(|text, member| writeln!(text, "add {set} {member}"))
}

/// Lines that change a set of ipset.
pub(in crate::bench) fn changes(add: &Input, delete: &Input) -> String {
    let deletes = delete.lines(|text, member| writeln!(text, "del {LIVE} {member}"));
    format!("{}{deletes}", adds(LIVE, add))
}

/// The same for a set of nftables.
pub(in crate::bench) fn nft_changes(add: &Input, delete: &Input) -> String {
    let (ip, _) = nft_family(add);
    let change = |verb: &str, input: &Input| {
        format!("{verb} element {ip} peer listed {{ {} }}\n", elements(input))
    };
    format!("{}{}", change("add", add), change("delete", delete))
}

fn nft_set(input: &Input, options: &str) -> String {
    let (ip, kind) = nft_family(input);
    format!(
        "table {ip} peer {{\n set listed {{ type {kind}; {options} elements = {{ {} }} }}\n}}\n",
        elements(input)
    )
}

fn nft_family(input: &Input) -> (&'static str, &'static str) {
    match input.kind().family() {
        Family::Ipv4 => ("ip", "ipv4_addr"),
        Family::Ipv6 => ("ip6", "ipv6_addr"),
    }
}

fn elements(input: &Input) -> String {
    input.lines(|text, member| write!(text, "{member},"))
}
