//! One format of feeds, the one that `FUZZ_FORMAT` names: whatever the bytes
//! are, it is read without a panic, and what was read agrees with itself.
//!
//! First lines `?column=…`, `?path=…`, `?where=…`, `?countries=…` and `?asns=…` are
//! options as in the configuration, the feed is what stands behind them.
#![no_main]

mod found;
mod limited;
mod numbers;
mod rewritten;

use std::env;
use std::net::IpAddr;
use std::sync::LazyLock;

use blocklist::{
    AsNumber, Column, Condition, CountryRule, Exemption, Feed, Format, Limits, Options, Prefixes,
    SourceLine, exemption_with, parse_at, parse_with, sources_with,
};

/// Names the format.
const VARIABLE: &str = "FUZZ_FORMAT";

static FORMAT: LazyLock<Format> = LazyLock::new(|| {
    let name = env::var(VARIABLE).unwrap_or_else(|_| panic!("{VARIABLE} names a format"));
    name.parse().unwrap_or_else(|unknown| panic!("{VARIABLE}: {unknown}"))
});

/// Something to be read, and how.
struct Case<'a> {
    bytes: &'a [u8],
    options: Options,
}

impl<'a> Case<'a> {
    fn new(mut bytes: &'a [u8]) -> Self {
        let mut options = Options::default();
        while let Some((column, rest)) = option(bytes, b"?column=") {
            let number = column.parse().map(Column::Number);
            options.column = Some(number.unwrap_or_else(|_| Column::Name(column.to_owned())));
            bytes = rest;
        }
        if let Some((path, rest)) = option(bytes, b"?path=") {
            options.path = Some(path.to_owned());
            bytes = rest;
        }
        while let Some((condition, rest)) = option(bytes, b"?where=") {
            options.conditions.extend(condition.parse::<Condition>());
            bytes = rest;
        }
        if let Some((countries, rest)) = option(bytes, b"?countries=") {
            let codes = countries.split(',').filter_map(|code| code.parse::<CountryRule>().ok());
            options.countries.extend(codes);
            bytes = rest;
        }
        if let Some((numbers, rest)) = option(bytes, b"?asns=") {
            let numbers = numbers.split(',').filter_map(|number| number.parse::<AsNumber>().ok());
            options.asns.extend(numbers);
            bytes = rest;
        }
        Self { bytes, options }
    }

    /// The same options for other bytes.
    fn with<'b>(&self, bytes: &'b [u8]) -> Case<'b> {
        Case { bytes, options: self.options.clone() }
    }

    fn read(&self, limits: &Limits) -> Feed {
        parse_with(self.bytes, *FORMAT, &self.options, limits)
    }

    fn sources(&self, limits: &Limits, address: IpAddr) -> Vec<SourceLine> {
        sources_with(self.bytes, *FORMAT, &self.options, limits, address)
    }

    fn exemption(&self, limits: &Limits, address: IpAddr) -> Option<Exemption> {
        exemption_with(self.bytes, *FORMAT, &self.options, limits, address)
    }
}

/// The value of an option in the first line, and what stands behind that line.
fn option<'a>(bytes: &'a [u8], name: &[u8]) -> Option<(&'a str, &'a [u8])> {
    let rest = bytes.strip_prefix(name)?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    Some((str::from_utf8(&rest[..end]).ok()?, &rest[end + 1..]))
}

/// All prefixes, also of entries that end.
fn all_prefixes(feed: &Feed) -> Prefixes {
    Prefixes::union(feed.ending().chain([&feed.prefixes]))
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let case = Case::new(input);
    let limits = Limits::default();
    let feed = case.read(&limits);
    let given_back = parse_at(case.bytes.to_vec(), *FORMAT, &case.options, &limits, None);
    assert_eq!(given_back, feed, "what is given back as it is read is the same");
    numbers::check(&feed, &limits);
    numbers::check_shape(&feed, case.bytes);
    found::check(&case, &feed, &limits);
    limited::check(&case, &feed);
    rewritten::check(&case, &feed, &limits);
});
