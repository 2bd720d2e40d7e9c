//! Countries as the configuration names them and as tables of addresses have
//! them: two letters. Knows no tables.

use std::fmt;
use std::str::FromStr;

/// The codes that ISO 3166-1 assigns, and XK, which it leaves to users and which
/// all tables of addresses have for Kosovo. Source:
/// <https://www.iso.org/obp/ui/#search/code/>.
const ASSIGNED: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// What the registries write for networks of several countries.
const REGIONS: [&str; 2] = ["AP", "EU"];

/// One item of `countries`: whose rows count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountryRule {
    /// `KP`: those of this country.
    Only([u8; 2]),
    /// `!DE`: not those of this country. Where nothing else is said, those of
    /// all other countries.
    Without([u8; 2]),
    /// `*`: all, also those of no country.
    All,
}

/// A text is not a [`CountryRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no country: two letters of ISO 3166-1 are allowed, `KP`, with `!` for all but this \
     one, or `*` for all{hint}", hint = hint(.0)
)]
pub struct CountryError(pub String);

/// What is commonly meant by codes that are none.
fn hint(text: &str) -> &'static str {
    match text.trim_start_matches('!') {
        "UK" | "uk" => "; the United Kingdom is GB",
        "EL" | "el" => "; Greece is GR",
        _ => "",
    }
}

impl FromStr for CountryRule {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        if text == "*" {
            return Ok(Self::All);
        }
        let (without, code) = match text.strip_prefix('!') {
            Some(code) => (true, code),
            None => (false, text),
        };
        let wrong = || CountryError(text.to_owned());
        let code = upper(code.as_bytes()).ok_or_else(wrong)?;
        match (without, is_assigned(code), is_region(code)) {
            (true, true, _) => Ok(Self::Without(code)),
            (false, true, _) | (false, _, true) => Ok(Self::Only(code)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for CountryRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, code) = match self {
            Self::Only(code) => ("", code),
            Self::Without(code) => ("!", code),
            Self::All => return out.pad("*"),
        };
        out.pad(&format!("{mark}{}", String::from_utf8_lossy(code)))
    }
}

impl CountryRule {
    /// The first of these that says the opposite of another one.
    pub fn contradiction(rules: &[Self]) -> Option<Self> {
        let opposite = |rule: &&Self| match rule {
            Self::Without(code) => rules.contains(&Self::Only(*code)),
            Self::Only(_) | Self::All => false,
        };
        rules.iter().find(opposite).copied()
    }

    /// Whether rows of this country count by all of these together. What is no
    /// country, empty, `-` or `ZZ`, counts by `*` only: nobody knows that it is
    /// not the one that is left out. The same holds for regions, unless they are
    /// named.
    pub(super) fn take(rules: &[Self], code: &[u8]) -> bool {
        let code = upper(code);
        if code.is_some_and(|code| rules.contains(&Self::Without(code))) {
            return false;
        }
        if rules.contains(&Self::All) {
            return true;
        }
        let Some(code) = code else { return false };
        let named = rules.iter().any(|rule| matches!(rule, Self::Only(_)));
        if named { rules.contains(&Self::Only(code)) } else { is_assigned(code) }
    }
}

/// Whether a field of a table has the shape of a country, or says that there is
/// none.
pub(super) fn is_code(field: &[u8]) -> bool {
    matches!(field, b"-")
        || matches!(field, [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase())
}

/// Whether the name of a column says that it holds the codes of countries, by
/// its letters alone. `country` may hold names.
pub(super) fn is_code_column(plain: &[u8]) -> bool {
    const NAMES: [&str; 8] = [
        "countryisocode",
        "countrycode",
        "countrycode2",
        "isocode",
        "cc",
        "alpha2code",
        "country2",
        "countryiso",
    ];
    NAMES.iter().any(|known| plain == known.as_bytes())
}

/// Whether the name of a column says that it tells where addresses are or whose:
/// a table of nothing else names everybody.
pub(super) fn is_place_column(plain: &[u8]) -> bool {
    const BEGINNINGS: [&str; 14] = [
        "country",
        "continent",
        "city",
        "region",
        "state",
        "subdivision",
        "postal",
        "zip",
        "lat",
        "lon",
        "timezone",
        "asn",
        "as",
        "org",
    ];
    let begins = |known: &&str| plain.starts_with(known.as_bytes());
    plain.is_empty() || is_code_column(plain) || BEGINNINGS.iter().any(begins)
}

fn upper(code: &[u8]) -> Option<[u8; 2]> {
    let code: [u8; 2] = code.try_into().ok()?;
    code.iter().all(u8::is_ascii_alphabetic).then(|| code.map(|byte| byte.to_ascii_uppercase()))
}

fn is_assigned(code: [u8; 2]) -> bool {
    ASSIGNED.as_bytes().chunks(3).any(|known| known[..2] == code)
}

fn is_region(code: [u8; 2]) -> bool {
    REGIONS.iter().any(|region| region.as_bytes() == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<CountryRule> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn check(texts: &[&str], taken: &[&str], left: &[&str]) {
        let rules = rules(texts);
        let counts = |code: &&str| CountryRule::take(&rules, code.as_bytes());
        assert!(taken.iter().all(counts), "{texts:?}");
        assert!(!left.iter().any(counts), "{texts:?}");
    }

    #[test]
    fn countries_are_named_or_left_out() {
        check(&["KP", "ir"], &["KP", "IR", "kp"], &["DE", "", "-", "ZZ", "KPX"]);
        check(&["!DE"], &["KP", "FR"], &["DE", "de", "", "-", "ZZ", "EU", "AP", "UK"]);
        check(&["KP", "!DE"], &["KP"], &["DE", "FR", "ZZ"]);
        check(&["*"], &["KP", "", "-", "ZZ", "EU"], &[]);
        check(&["*", "!DE"], &["KP", "", "EU"], &["DE"]);
        check(&["EU"], &["EU"], &["DE", "FR"]);
    }

    #[test]
    fn what_is_no_country_is_refused() {
        for text in ["", "D", "DEU", "Germany", "!", "!!DE", "U K", "ZZ", "!EU", "Ü", "1A", "!*"] {
            let error = text.parse::<CountryRule>().expect_err(text).to_string();
            assert!(error.contains("ISO 3166-1"), "{error}");
        }
        let error = "!UK".parse::<CountryRule>().expect_err("it is GB").to_string();
        assert!(error.ends_with("the United Kingdom is GB"), "{error}");
    }

    #[test]
    fn a_rule_is_written_as_it_is_read() {
        for text in ["KP", "!DE", "*", "EU"] {
            assert_eq!(rules(&[text])[0].to_string(), text);
        }
        assert_eq!(
            CountryRule::contradiction(&rules(&["DE", "!FR", "!DE"])).map(|r| r.to_string()),
            Some("!DE".into())
        );
        assert_eq!(CountryRule::contradiction(&rules(&["DE", "!FR"])), None);
        assert_eq!(ASSIGNED.split(' ').count(), 250);
        assert!(ASSIGNED.split(' ').is_sorted());
    }
}
