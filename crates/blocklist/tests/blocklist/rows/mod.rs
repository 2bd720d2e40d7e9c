//! Which rows of a feed count, as the configuration says: by conditions, by
//! countries, by networks. What is left out is counted, and nothing is taken by
//! guess: what a format does not have is refused by the key that asks for it.

mod countries;
mod networks;
mod real;
mod records;
mod tables;

use blocklist::{
    AsNumber, Column, Feed, FormatChoice, GuardPolicy, Limits, Options, Prefixes, judge, parse_with,
};

/// Options of a `[[feed]]`, a line each as in the configuration, but without
/// quotes and brackets: `where: a = b`, `countries: KP,!DE`.
fn options(lines: &[&str]) -> Options {
    let mut options = Options::default();
    for line in lines {
        let (key, value) = line.split_once(": ").expect("a key and a value");
        match key {
            "where" => options.conditions.push(value.parse().expect(value)),
            "column" => options.column = Some(column(value)),
            "last-column" => options.last_column = Some(column(value)),
            "length-column" => options.length_column = Some(column(value)),
            "path" => options.path = Some(value.to_owned()),
            "countries" => {
                options.countries = value.split(',').map(|c| c.parse().expect(c)).collect();
            }
            "asns" => options.asns = value.split(',').map(|n| n.parse().expect(n)).collect(),
            "asn-feed" => options.asn_feed = Some(value.to_owned()),
            "listed" => {
                let listed = value.split(',').map(|n| AsNumber(n.parse().expect(n)));
                options.listed_asns = Some(listed.collect());
            }
            "locations" => options.locations = Some(value.to_owned()),
            _ => panic!("no such key: {key}"),
        }
    }
    options
}

fn column(text: &str) -> Column {
    text.parse().map_or_else(|_| Column::Name(text.to_owned()), Column::Number)
}

/// A feed in a format, or in the one that it looks like for `auto`.
fn read(format: &str, text: &str, options: &Options) -> Feed {
    let choice = match format {
        "auto" => FormatChoice::Auto,
        name => FormatChoice::Fixed(name.parse().expect(name)),
    };
    parse_with(text.as_bytes(), choice, options, &Limits::default())
}

/// What comes of a feed: the prefixes, and how many rows were left out or ignored;
/// or why it is refused.
fn outcome(feed: &Feed) -> Result<String, String> {
    let policy = GuardPolicy { coverage_percent_max: 100, ..GuardPolicy::default() };
    judge(feed, None, &policy, &Prefixes::new())
        .map_err(|refusals| refusals.iter().map(ToString::to_string).collect::<String>())?;
    let all = Prefixes::union(feed.expiring.values().chain([&feed.prefixes]));
    let shown: Vec<String> = all.iter().map(|prefix| prefix.to_string()).collect();
    Ok(format!("{}; {}", shown.join(" "), feed.tally.ignored))
}

/// A feed with options: prefixes and what is left out, or `refused: ` and a part
/// of the reason.
fn check_with(format: &str, text: &str, options: &Options, want: &str) {
    let found = outcome(&read(format, text, options));
    match (want.strip_prefix("refused: "), &found) {
        (Some(part), Err(why)) => assert!(why.contains(part), "{text}: {why}"),
        (None, Ok(found)) => assert_eq!(found, want, "{text}"),
        _ => panic!("{text}: {found:?} in place of {want}"),
    }
}

fn check(format: &str, text: &str, lines: &[&str], want: &str) {
    check_with(format, text, &options(lines), want);
}
