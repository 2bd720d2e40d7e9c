//! Files as registries, hosts and Spamhaus publish them, if they are there: a
//! directory beside the checkout. Where it is not, this says so.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use blocklist::Options;

use super::{options, outcome, read};

/// Names the directory, if it is not beside the checkout.
const VARIABLE: &str = "DENYSET_REAL_FEEDS";

fn file(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let beside = root.ancestors().skip(1).take(2).map(|above| above.join("shared").join("feeds"));
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let directory = named.or_else(|| beside.into_iter().find(|path| path.is_dir()));
    let bytes = directory.and_then(|directory| fs::read(directory.join(name)).ok());
    if bytes.is_none() {
        eprintln!("no {name} beside the checkout, and {VARIABLE} names none: nothing was tried");
    }
    bytes
}

/// How many entries the file has of this country, counted by other means.
fn check(name: &str, format: &str, separator: char, country: &str) {
    let Some(bytes) = file(name) else { return };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let of_country = lines.filter(|line| {
        let fields: Vec<&str> = line.split(separator).collect();
        let addresses = separator == ',' || matches!(fields.get(2), Some(&("ipv4" | "ipv6")));
        addresses && fields.get(1) == Some(&country)
    });
    let want = of_country.count() as u64;
    assert!(want > 0, "{name} has {country}");
    for format in ["auto", format] {
        let feed = read(format, &text, &options(&[&format!("countries: {country}")]));
        assert_eq!((feed.tally.entries, feed.tally.rejected), (want, 0), "{name}");
        assert!(outcome(&feed).is_ok(), "{name}: {:?}", feed.doubt);
        let others = read(format, &text, &options(&[&format!("countries: !{country}")]));
        let all = read(format, &text, &options(&["countries: *"]));
        let both = feed.prefixes.len() + others.prefixes.len();
        assert!(both <= all.prefixes.len() && others.tally.entries > want, "{name}");
        let undecided = outcome(&read("auto", &text, &Options::default()));
        assert!(undecided.is_err_and(|why| why.contains("countries = [")), "{name}");
    }
}

#[test]
fn real_tables_of_countries_hold_each_country_as_counted() {
    check("delegated-apnic-2010.txt", "delegated", '|', "KR");
    check("digitalocean_geofeed.csv", "geofeed", ',', "NL");
}

#[test]
fn a_real_list_of_networks_is_taken_in_whole() {
    let Some(bytes) = file("spamhaus_asndrop.jsonl") else { return };
    let mut options = options(&["asn-feed: asndrop.json"]);
    options.take_asn_feed(&bytes).expect("a good list");
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{\"asn\""));
    assert_eq!(options.listed_asns.map(|listed| listed.len()), Some(lines.count()));
}
