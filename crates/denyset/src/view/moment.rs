//! A moment as the documents spell it: RFC 3339, in UTC, to the second.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Timestamp);

impl Moment {
    /// The moment so many seconds after the beginning of 1970; the nearest
    /// that can be told if that is beyond the year 9999.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self(Timestamp::from_second(seconds).unwrap_or(nearest))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => {
                Self::from_unix_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
            }
            Err(before) => {
                let seconds = i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX);
                Self::from_unix_seconds(-seconds)
            }
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl FromStr for Moment {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Moment;

    #[test]
    fn a_moment_is_rfc_3339_in_utc_to_the_second() {
        let check = |time: SystemTime, want: &str| {
            let moment = Moment::from(time);
            assert_eq!(moment.to_string(), want);
            assert_eq!(want.parse::<Moment>().expect("it reads back"), moment);
        };
        let epoch = SystemTime::UNIX_EPOCH;
        check(epoch, "1970-01-01T00:00:00Z");
        check(epoch + Duration::from_millis(1_795_420_800_999), "2026-11-23T08:00:00Z");
        check(epoch - Duration::from_secs(1), "1969-12-31T23:59:59Z");
    }
}
