//! Numbers and times as people read them.

use jiff::Timestamp;

/// A number in groups of three.
pub(super) fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// How long ago a moment was, both in seconds since 1970.
pub(super) fn ago(moment: Option<i64>, now: u64) -> String {
    let Some(moment) = moment else { return "–".to_owned() };
    let Some(seconds) = u64::try_from(moment).ok().and_then(|then| now.checked_sub(then)) else {
        return "in the future".to_owned();
    };
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (0, 0, 0) => "just now".to_owned(),
        (0, 0, minutes) => format!("{minutes} min ago"),
        (0, hours, _) => format!("{hours} h ago"),
        (days, _, _) => format!("{days} d ago"),
    }
}

/// A moment in UTC, for `datetime` and for whoever points at it.
pub(super) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_read_easily() {
        let counts = [0, 999, 1_000, 1_234_567].map(counted);
        assert_eq!(counts, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        let check = |moment, want: &str| assert_eq!(ago(moment, 100_000), want);
        check(None, "–");
        check(Some(99_999), "just now");
        check(Some(99_000), "16 min ago");
        check(Some(90_000), "2 h ago");
        check(Some(1), "1 d ago");
        check(Some(100_001), "in the future");
        check(Some(-1), "in the future");
        assert_eq!(moment(7), "1970-01-01T00:00:07Z");
    }
}
