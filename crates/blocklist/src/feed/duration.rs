//! Durations as Go prints and reads them: `3h59m57.64s`, `-5m`, `0`. Source:
//! <https://pkg.go.dev/time#ParseDuration>.

use crate::RejectReason;

/// Nanoseconds of each unit; both letters that look like the Greek mu.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The whole seconds that a duration lasts, a started one counted; 0 if there
/// is none left.
///
/// # Errors
/// [`RejectReason::Duration`], also for those of more than 292 years, which Go
/// does not have.
pub(super) fn seconds(text: &str) -> Result<u64, RejectReason> {
    let (rest, negative) = match text.as_bytes().first() {
        Some(b'-') => (&text[1..], true),
        Some(b'+') => (&text[1..], false),
        _ => (text, false),
    };
    let nanoseconds = if rest == "0" { Some(0) } else { unsigned(rest) };
    match nanoseconds.ok_or(RejectReason::Duration)? {
        _ if negative => Ok(0),
        nanoseconds => Ok(nanoseconds.div_ceil(1_000_000_000)),
    }
}

/// The sum of one or more numbers with their units.
fn unsigned(mut rest: &str) -> Option<u64> {
    let mut sum = 0_u64;
    loop {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let (_, scale) = UNITS.into_iter().find(|&(name, _)| name == unit)?;
        sum = sum.checked_add(scaled(number, scale)?).filter(|&sum| i64::try_from(sum).is_ok())?;
        if next.is_empty() {
            return Some(sum);
        }
        rest = next;
    }
}

/// A decimal number of units of this scale; what is below a nanosecond is cut.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(scale)? };
    // Eighteen digits are more than an hour has nanoseconds.
    let digits = &fraction[..fraction.len().min(18)];
    let part = if digits.is_empty() { 0 } else { digits.parse::<u128>().ok()? };
    let part = part * u128::from(scale) / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Option<u64>) {
        assert_eq!(seconds(text).ok(), want, "{text:?}");
    }

    #[test]
    fn a_duration_is_read_as_go_reads_it() {
        check("3h59m57.64s", Some(14_398));
        check("4h", Some(14_400));
        check("4h0m0s", Some(14_400));
        check("1.5h", Some(5_400));
        check(".5m", Some(30));
        check("1.m", Some(60));
        check("0", Some(0));
        check("0s", Some(0));
        check("+1s", Some(1));
        check("-5m", Some(0));
        check("-0.1s", Some(0));
        check("1ns", Some(1));
        check("1\u{b5}s", Some(1));
        check("999ms", Some(1));
        check("1001ms", Some(2));
        check("1s1s", Some(2));
        check("2562047h47m16s", Some(9_223_372_036));
        check("0.000000000000000000001h", Some(0));
        check("1.123456789012345678901234567890s", Some(2));
    }

    #[test]
    fn what_go_does_not_read_is_no_duration() {
        for text in [
            "",
            "-",
            "+",
            "1",
            "00",
            "h",
            ".",
            ".h",
            "1..5h",
            "1d",
            "1w",
            "1H",
            " 1h",
            "1h ",
            "1 h",
            "1h-5m",
            "--1h",
            "2562047h48m",
            "99999999999999999999h",
            "1e3s",
            "0x1h",
            "1h30",
            "never",
            "1,5h",
        ] {
            check(text, None);
        }
    }
}
