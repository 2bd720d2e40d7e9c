//! Files beside a feed that say which of its rows count: where the places are
//! that MaxMind's blocks refer to, which networks a list has. Their bytes arrive
//! here once, and only what they come to is kept: it is a part of how a feed is
//! read.

use super::country::CountryRule;
use super::csv::Splitter;
use super::options::Options;
use super::{lines, network, text};

/// More places than that are in no file that MaxMind ever made.
const PLACES_MAX: usize = 200_000;

/// What is wrong with a file beside a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BesideError {
    /// A line that such a file does not have.
    #[error("line {line}, `{text}`, is none of {what}")]
    Line {
        /// Its number, the first being 1.
        line: u64,
        /// Its beginning.
        text: String,
        /// What the file has.
        what: &'static str,
    },
    /// It has no header, or none with the columns that are needed.
    #[error(
        "it is no file of MaxMind's locations: a header with `geoname_id` and `country_iso_code` \
         is expected"
    )]
    Header,
    /// It says how many entries it has, and has not so many.
    #[error("it promises {promised} entries and has {found}")]
    Promise {
        /// As it says.
        promised: usize,
        /// As it has.
        found: usize,
    },
    /// Nothing that counts is in it.
    #[error("there are none of the {0} in it that are asked for")]
    Empty(&'static str),
    /// More than fits beside a copy.
    #[error("it has more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

impl Options {
    /// Takes in a file of MaxMind's locations: from now on the rows count that
    /// refer to places in the wanted countries.
    ///
    /// # Errors
    /// [`BesideError`]; nothing has changed then.
    pub fn take_locations(&mut self, bytes: &[u8]) -> Result<(), BesideError> {
        self.places = Some(places(bytes, &self.countries)?);
        Ok(())
    }

    /// Takes in a file that lists networks: from now on those count too.
    ///
    /// # Errors
    /// [`BesideError`]; nothing has changed then.
    pub fn take_asn_feed(&mut self, bytes: &[u8]) -> Result<(), BesideError> {
        self.listed_asns = Some(network::listed(bytes)?);
        Ok(())
    }
}

/// The numbers of the places in the wanted countries, in their order. Source:
/// <https://dev.maxmind.com/geoip/docs/databases/city-and-country>, where a place
/// may be a country, a city, or a continent without a country.
fn places(bytes: &[u8], rules: &[CountryRule]) -> Result<Vec<u32>, BesideError> {
    let mut splitter = Splitter::new(b',');
    let mut columns = None;
    let mut places = Vec::new();
    for (at, line) in lines::all(bytes).enumerate() {
        if text::trim(line).is_empty() {
            continue;
        }
        let fields = splitter.split(line);
        let Some((id, country)) = columns else {
            let named = |name: &[u8]| fields.iter().position(|field| field == name);
            columns = Some(
                named(b"geoname_id").zip(named(b"country_iso_code")).ok_or(BesideError::Header)?,
            );
            continue;
        };
        let wrong = || BesideError::Line {
            line: at as u64 + 1,
            text: text::printable(line, 40),
            what: "places with a number and a country",
        };
        let number = fields.get(id).and_then(network::number).ok_or_else(wrong)?;
        let country = fields.get(country).ok_or_else(wrong)?;
        if CountryRule::take(rules, country) {
            places.push(number);
        }
    }
    if columns.is_none() {
        return Err(BesideError::Header);
    }
    places.sort_unstable();
    places.dedup();
    match places.len() {
        0 => Err(BesideError::Empty("countries")),
        count if count > PLACES_MAX => {
            Err(BesideError::TooMany { what: "places", max: PLACES_MAX })
        }
        _ => Ok(places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCATIONS: &str = "\
geoname_id,locale_code,continent_code,continent_name,country_iso_code,country_name
1873107,en,AS,Asia,KP,\"North Korea\"
2921044,en,EU,Europe,DE,Germany
6255148,en,EU,Europe,,
2950159,en,EU,Europe,DE,\"Germany, Berlin\"
";

    fn check(text: &str, rules: &[&str], want: Result<&[u32], &str>) {
        let countries = rules.iter().map(|rule| rule.parse().expect("a country")).collect();
        let mut options = Options { countries, ..Options::default() };
        let taken = options.take_locations(text.as_bytes());
        match want {
            Ok(want) => assert_eq!((taken, options.places), (Ok(()), Some(want.to_vec()))),
            Err(want) => {
                let error = taken.expect_err(text).to_string();
                assert!(error.contains(want) && options.places.is_none(), "{error}");
            }
        }
    }

    #[test]
    fn locations_come_to_the_places_in_the_wanted_countries() {
        check(LOCATIONS, &["KP"], Ok(&[1_873_107]));
        check(LOCATIONS, &["DE"], Ok(&[2_921_044, 2_950_159]));
        check(LOCATIONS, &["!DE"], Ok(&[1_873_107]));
        check(LOCATIONS, &["*", "!DE"], Ok(&[1_873_107, 6_255_148]));
    }

    #[test]
    fn what_is_no_file_of_locations_says_why() {
        check("", &["KP"], Err("geoname_id"));
        check("network,geoname_id\n192.0.2.0/24,1\n", &["KP"], Err("country_iso_code"));
        check(LOCATIONS, &["FR"], Err("none of the countries"));
        check(&LOCATIONS.replace("2921044", "x"), &["KP"], Err("line 3"));
        check(&LOCATIONS.replace(",EU,Europe,,", ""), &["KP"], Err("line 4"));
    }
}
