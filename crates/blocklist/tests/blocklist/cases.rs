//! Files that are easily read wrongly, as administrators have them lying about:
//! a collection beside the checkout, with what an administrator can live with
//! for each. Where it is not there, this says so.
//!
//! `EXPECT.json` has `cases`: the `file`, whether it stands `as` a feed (`deny`)
//! or under `allow` of a list of the addresses in `base`, and what of it is
//! acceptable: `refused`, or `blocks` with exactly these `prefixes`. `names` are
//! keys of which a refusal should name one.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use blocklist::{AnyPrefix, FormatChoice, GuardPolicy, Limits, Prefixes, judge, parse};
use serde::Deserialize;

/// Names the directory, if it is not beside the checkout.
const VARIABLE: &str = "DENYSET_CASES";

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    kind: String,
    #[serde(rename = "as")]
    role: String,
    #[serde(default)]
    base: Vec<String>,
    accept: Vec<Outcome>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Outcome {
    Refused,
    Blocks { prefixes: BTreeSet<String> },
}

/// What comes of a file, and the refusal if there is one.
struct Found {
    outcome: Outcome,
    refusal: String,
    prefixes: Prefixes,
}

fn directory() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let beside = root.ancestors().skip(1).take(2).map(|above| above.join("shared").join("cases"));
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    named.or_else(|| beside.into_iter().find(|path| path.is_dir()))
}

fn prefixes(texts: &[String]) -> Prefixes {
    texts.iter().map(|text| text.parse::<AnyPrefix>().expect("a prefix")).collect()
}

fn blocks(prefixes: &Prefixes) -> Found {
    let prefixes = prefixes.aggregate();
    let shown = prefixes.iter().map(|prefix| prefix.to_string()).collect();
    let outcome = Outcome::Blocks { prefixes: shown };
    Found { outcome, refusal: String::new(), prefixes }
}

/// Reads a file as the program would without a configuration.
fn read(case: &Case, bytes: &[u8]) -> Found {
    let feed = parse(bytes, FormatChoice::Auto, &Limits::default());
    let policy = GuardPolicy { coverage_percent_max: 100, ..GuardPolicy::default() };
    let policy = if case.role == "allow" { policy } else { GuardPolicy::default() };
    match judge(&feed, None, &policy, &Prefixes::new()) {
        Err(refusals) => {
            let refusal = refusals.iter().map(ToString::to_string).collect();
            Found { outcome: Outcome::Refused, refusal, prefixes: Prefixes::new() }
        }
        Ok(()) if case.role == "allow" => blocks(&prefixes(&case.base).subtract(feed.allows())),
        Ok(()) => {
            let expiring = feed.expiring.into_values();
            blocks(&Prefixes::union_of(expiring.chain([feed.prefixes])))
        }
    }
}

#[test]
fn files_that_are_easily_read_wrongly_are_read_right_or_refused() {
    let Some(directory) = directory() else {
        eprintln!("no cases beside the checkout, and {VARIABLE} names none: nothing was tried");
        return;
    };
    let text = fs::read_to_string(directory.join("EXPECT.json")).expect("EXPECT.json");
    let Cases { cases } = serde_json::from_str(&text).expect("EXPECT.json is understood");
    let (mut wrong, mut asked, mut named) = (Vec::new(), 0, 0);
    for case in &cases {
        let bytes = fs::read(directory.join(&case.file)).expect("the file of a case");
        let Found { outcome, refusal, prefixes } = read(case, &bytes);
        let never = case.never.iter().filter_map(|text| text.parse().ok());
        let blocked: Vec<_> = never.filter(|&address| prefixes.contains(address)).collect();
        if !case.accept.contains(&outcome) || !blocked.is_empty() {
            wrong.push(format!("{} ({}): {outcome:?} {blocked:?}", case.file, case.kind));
        }
        if outcome == Outcome::Refused && !case.names.is_empty() {
            asked += 1;
            named += usize::from(case.names.iter().any(|key| refusal.contains(key.as_str())));
        }
    }
    let right = cases.len() - wrong.len();
    println!("{right} of {} acceptable; {named} of {asked} refusals name a key", cases.len());
    assert!(wrong.is_empty(), "{right} of {}:\n{}", cases.len(), wrong.join("\n"));
}
