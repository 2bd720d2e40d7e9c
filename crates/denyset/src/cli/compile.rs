//! The arguments of `compile`: which files, what is done with them, and in what
//! form it is printed.

use std::path::PathBuf;

use blocklist::Family;
use clap::{Args, ValueEnum};

use super::{Format, ReadingArguments};

/// The arguments of `compile`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Compile {
    /// Files to unite; `-` is standard input.
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// Keep only addresses that each of these files has as well.
    #[arg(long, value_name = "FEED", num_args = 1..)]
    pub intersect: Vec<PathBuf>,
    /// Subtract the addresses of this file; may be repeated. Always wins.
    #[arg(long, value_name = "FEED", num_args = 1..)]
    pub allow: Vec<PathBuf>,
    /// Take feeds without any entry, and print what the others have.
    #[arg(long)]
    pub allow_empty: bool,
    /// The same addresses in the fewest prefix lengths that take at most so many
    /// percent of prefixes more, 25 without a number: a packet is looked up once
    /// for each length of a set that it is not in.
    #[arg(
        long,
        value_name = "PERCENT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "25",
        conflicts_with = "compare"
    )]
    pub reduce: Option<u32>,
    /// Print how many members, addresses and prefix lengths there are.
    #[arg(long, conflicts_with_all = ["compare", "output", "name"])]
    pub count: bool,
    /// Compare each feed with each of these files; without any, the feeds with
    /// one another. Prints how many addresses two have in common or alone.
    #[arg(long, value_name = "FEED", num_args = 0.., conflicts_with_all = ["output", "name"])]
    pub compare: Option<Vec<PathBuf>>,
    /// Print one family only.
    #[arg(long, value_parser = family, value_name = "ipv4|ipv6")]
    pub family: Option<Family>,
    /// What to print: a prefix a line, input for `ipset restore`, or for `nft -f`.
    #[arg(long, value_enum, default_value_t, value_name = "OUTPUT")]
    pub output: Output,
    /// What the names of the sets begin with, for `--output ipset` and `nft`.
    #[arg(long, value_parser = set_name, default_value = "compiled", value_name = "NAME")]
    pub name: String,
    /// `json` prints one document, {"ipv4": […], "ipv6": […]} in place of `--output`.
    #[arg(long, value_enum, default_value_t, conflicts_with = "output", value_name = "FORMAT")]
    pub format: Format,
    /// How to read the files to unite. All others are as their contents say.
    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// What `compile` writes.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// One address or CIDR a line.
    #[default]
    Plain,
    /// `create` and `add` lines, as `ipset save` writes and `ipset restore` reads.
    Ipset,
    /// A table with one set a family, as `nft -f` reads.
    Nft,
}

fn family(text: &str) -> Result<Family, String> {
    let wanted = Family::ALL.into_iter().find(|family| family.name() == text);
    wanted.ok_or_else(|| "ipv4 or ipv6 is allowed".to_owned())
}

/// A beginning of set names that both `ipset` and `nft` take: nft's
/// identifiers begin with a letter (its `scanner.l`), ipset's names have room
/// for 31 bytes with the family's suffix.
fn set_name(text: &str) -> Result<String, String> {
    const MAX: usize = 28;
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if begins && text.chars().all(fits) && text.len() <= MAX {
        return Ok(text.to_owned());
    }
    Err(format!("a letter, then A-Z a-z 0-9 _ . - are allowed, {MAX} bytes at most"))
}
