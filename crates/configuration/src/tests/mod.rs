//! The shipped file, and the rooms beside: every kind of mistake with its exact
//! message, and what a good file means.

mod exports;
mod meaning;
mod mistakes;

use blocklist::FeedName;

use super::Configuration;

const SHIPPED: &str = include_str!("../../../../config/denyset.toml");

/// The text has exactly these mistakes.
fn check(text: &str, want: &[&str]) {
    let found = Configuration::parse(text).err().unwrap_or_default();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, want, "in:\n{text}");
}

/// The text has no mistake.
fn good(text: &str) -> Configuration {
    Configuration::parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:?} in:\n{text}"))
}

fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a good name")
}

#[test]
fn the_shipped_file_says_the_same_as_an_empty_one() {
    assert_eq!(good(SHIPPED), Configuration::default());
    assert_eq!(good(""), Configuration::default());
}

#[test]
fn the_shipped_file_sets_every_key_once() {
    for key in [
        "feeds-dir",
        "state-dir",
        "control-socket",
        "lists-dir",
        "settle-ms",
        "settle-max-seconds",
        "scan-seconds",
        "ignore",
        "feeds-max",
        "probe-seconds",
        "audit-seconds",
        "withdraw-seconds",
        "on-stop",
        "set-prefix",
        "update",
        "layout",
        "extra-members-percent-max",
        "rejected-percent-max",
        "shrink-percent-max",
        "growth-percent-max",
        "coverage-percent-max",
        "allow-empty",
        "entries-max",
        "protect",
        "protect-peers",
    ] {
        let sets = |line: &&str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
        assert_eq!(SHIPPED.lines().filter(sets).count(), 1, "{key}");
    }
}

#[test]
fn the_commented_examples_of_the_shipped_file_are_good_too() {
    let (options, examples) = SHIPPED.split_once("# A list; as many").expect("it is there");
    let uncommented = examples.lines().skip_while(|line| !line.starts_with("# [[list]]"));
    // What goes on with a comment stands further in.
    let uncommented = uncommented.filter(|line| !line.starts_with("#   "));
    let uncommented = uncommented.map(|line| line.trim_start_matches(['#', ' ']));
    let uncommented = uncommented.filter(|line| line.contains(" = ") || line.starts_with("[["));
    let config = good(&format!("{options}{}", uncommented.collect::<Vec<_>>().join("\n")));
    assert_eq!((config.lists.len(), config.filters.len(), config.feeds.len()), (1, 1, 1));
    assert_eq!(config.exports.len(), 1);
}
