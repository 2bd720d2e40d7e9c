//! Reputation lists of Suricata: `192.0.2.1,1,100`, an address or prefix, the
//! number of a category, a score from 1 to 127. Source: the Suricata User Guide,
//! "IP Reputation Format".
//!
//! * What a category means, and from which score on it is bad, the rules of
//!   Suricata say and this file does not. `select = ["category:1"]` takes those of
//!   some categories, `where = ["score >= 50"]` those of some scores, with the
//!   fields `address`, `category` and `score`. Several categories are in doubt
//!   until one of both is there.
//! * A score of 0 is none, and is ignored.
//!
//! Three columns may be anything: the configuration has to name the format.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::words::number;
use super::super::{Condition, Limits, Options, Shape, Why, lines, text};
use crate::{RejectReason, parse_entry};

/// The highest score there is.
const SCORE_MAX: u64 = 127;
/// The highest number of a category.
const CATEGORY_MAX: u64 = 60;

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut counts: BTreeMap<&[u8], u64> = BTreeMap::new();
    let mut first: Option<Line<'_>> = None;
    let shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let row = match row(said) {
            Ok(row) => row,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let [address, category, score] = row;
        let fits = |condition: &Condition| row_fits(condition, row);
        let counts_here = options.selects(category) && options.conditions.iter().all(fits);
        if score == b"0" || !counts_here {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        *counts.entry(category).or_default() += 1;
        first.get_or_insert(line);
        visit.read(line, parse_entry(address))
    });
    let decided = !options.select.is_empty() || !options.conditions.is_empty();
    if let Some(line) = first.filter(|_| !decided && counts.len() > 1) {
        let shown = |(name, count): (&&[u8], &u64)| {
            format!("category {} with {count}", String::from_utf8_lossy(name))
        };
        let names = counts.iter().take(8).map(shown).collect::<Vec<_>>().join(", ");
        visit.doubt(line, Why::Sets { names, example: "category:1".to_owned() });
    }
    shape
}

/// Never: see above.
pub(in super::super) const fn resembles(_: &Head<'_>) -> Likeness {
    Likeness::None
}

fn row(line: &[u8]) -> Result<[&[u8]; 3], RejectReason> {
    let mut fields = line.split(|&byte| byte == b',').map(text::trim);
    let mut field = || fields.next().ok_or(RejectReason::MissingField);
    let row = [field()?, field()?, field()?];
    let up_to = |text, max| number(text).is_some_and(|number| number <= max);
    if fields.next().is_some() {
        return Err(RejectReason::Trailing);
    }
    if up_to(row[1], CATEGORY_MAX) && up_to(row[2], SCORE_MAX) {
        Ok(row)
    } else {
        Err(RejectReason::Number)
    }
}

fn row_fits(condition: &Condition, row: [&[u8]; 3]) -> bool {
    let names = ["address", "category", "score"];
    let at = |name: &str| condition.field() == name;
    let place = names.into_iter().position(at).or_else(|| {
        let number: usize = condition.field().parse().ok()?;
        number.checked_sub(1).filter(|&place| place < row.len())
    });
    condition.fits(place.map(|place| String::from_utf8_lossy(row[place])).as_deref())
}
