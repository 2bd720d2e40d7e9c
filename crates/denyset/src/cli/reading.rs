//! Arguments that say of files what a `[[feed]]` table says of feeds: in which
//! format they are and what of them counts. So a key that a refusal names can
//! be tried before it is configured.

use blocklist::{
    AsNumber, Column, Condition, CountryRule, FeedName, Format, FormatChoice, Options,
};
use clap::Args;

/// How the files are to be read, where it is not told from their contents.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "As in a [[feed]]")]
pub struct ReadingArguments {
    /// The format of the files, as `format` in a `[[feed]]`.
    #[arg(long, value_parser = format, value_name = "FORMAT")]
    pub feed_format: Option<FormatChoice>,
    /// The column that holds the addresses, by number from 1 or by name.
    #[arg(long, value_parser = column, value_name = "COLUMN")]
    pub column: Option<Column>,
    /// The column that holds the last addresses of ranges.
    #[arg(long, value_parser = column, value_name = "COLUMN")]
    pub last_column: Option<Column>,
    /// The column that holds the lengths of prefixes, or netmasks.
    #[arg(long, value_parser = column, value_name = "COLUMN")]
    pub length_column: Option<Column>,
    /// The fields of a JSON document that hold the addresses.
    #[arg(long, value_parser = path, value_name = "PATH")]
    pub path: Option<String>,
    /// Which of several sets or lists counts: `set:bad`; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub select: Vec<String>,
    /// Which rows count: `country in CN,RU`; may be repeated, and all must fit.
    #[arg(long = "where", value_name = "CONDITION")]
    pub conditions: Vec<Condition>,
    /// Of which countries rows count: `KP`, or `!DE` for all others.
    #[arg(long, value_name = "COUNTRY", value_delimiter = ',')]
    pub countries: Vec<CountryRule>,
    /// The file with the places that rows refer to, beside the feed.
    #[arg(long, value_parser = beside, value_name = "FILE")]
    pub locations: Option<String>,
    /// Of which networks rows count: `AS64500`.
    #[arg(long, value_name = "ASN", value_delimiter = ',')]
    pub asns: Vec<AsNumber>,
    /// The file that lists more of them, beside the feed.
    #[arg(long, value_parser = beside, value_name = "FILE")]
    pub asn_feed: Option<String>,
}

impl ReadingArguments {
    /// The format, or else the one that is configured.
    pub fn choice(&self, configured: FormatChoice) -> FormatChoice {
        self.feed_format.unwrap_or(configured)
    }

    /// What is configured, with what is said here instead.
    pub fn over(&self, configured: Options) -> Options {
        fn several<T: Clone>(said: &[T], configured: Vec<T>) -> Vec<T> {
            if said.is_empty() { configured } else { said.to_vec() }
        }
        let said = self.clone();
        Options {
            column: said.column.or(configured.column),
            last_column: said.last_column.or(configured.last_column),
            length_column: said.length_column.or(configured.length_column),
            path: said.path.or(configured.path),
            select: several(&said.select, configured.select),
            conditions: several(&said.conditions, configured.conditions),
            countries: several(&said.countries, configured.countries),
            locations: said.locations.or(configured.locations),
            asns: several(&said.asns, configured.asns),
            asn_feed: said.asn_feed.or(configured.asn_feed),
            ..configured
        }
    }
}

fn format(text: &str) -> Result<FormatChoice, String> {
    match text {
        "auto" => Ok(FormatChoice::Auto),
        _ => text.parse::<Format>().map(FormatChoice::from).map_err(|error| error.to_string()),
    }
}

fn column(text: &str) -> Result<Column, String> {
    match text.parse::<u16>() {
        Ok(0) => Err("columns have numbers from 1, or names".to_owned()),
        Ok(number) => Ok(Column::Number(number)),
        Err(_) if text.trim().is_empty() => Err("a number from 1 or a name is allowed".to_owned()),
        Err(_) => Ok(Column::Name(text.to_owned())),
    }
}

fn path(text: &str) -> Result<String, String> {
    let paths = blocklist::JsonPath::list(text).map_err(|error| error.to_string());
    paths.map(|_| text.to_owned())
}

fn beside(text: &str) -> Result<String, String> {
    FeedName::new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
