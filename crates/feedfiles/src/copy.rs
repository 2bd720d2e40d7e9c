//! The form of a last good copy on disk: one line that says what it is, a
//! header in JSON, then the feed byte for byte. `head -2` shows the former,
//! `tail -n +3` the latter.
//!
//! Everything is checked when it is read: a copy that is not exactly what was
//! written is an error, never a feed.

use std::io::{self, Read};
use std::iter::repeat_n;
use std::time::SystemTime;

use blocklist::{Column, Condition, ConditionError, FeedName, Format, Options, Tally};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::version::{ColumnText, Manner, READER, RowsText, VersionId, reading_crc32};

/// What a copy begins with; the number is the version of this form.
const MAGIC: &str = "denyset-feed 1 ";
/// Magic, length of the header and its CRC-32 as eight hexadecimal digits
/// each, a space between them, a newline.
const LEAD_BYTES: usize = MAGIC.len() + 8 + 1 + 8 + 1;
/// The longest header. JSON may need six bytes for one of a name, and a name
/// has 4,096 at most, and what the configuration says about a feed few times as
/// many, as it comes from several tables. The numbers of places that rows refer
/// to need most of it: 200,000 of eleven bytes.
const HEADER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known of a copy apart from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyHeader {
    /// Whose copy it is.
    pub feed: FeedName,
    /// What its lines mean.
    pub format: Format,
    /// Whether that was told from the bytes alone.
    pub detected: bool,
    /// By which reader: see [`READER`].
    pub(super) reader: u32,
    /// Where in it the addresses stand.
    pub options: Options,
    /// When its file had last been modified, to the nanosecond: the times of
    /// its entries count from then.
    pub written: SystemTime,
    /// What was counted in it when it was accepted. Only the counts that stand
    /// in the header; the others are zero.
    pub tally: Tally,
    /// When it was accepted, to the second.
    pub accepted: SystemTime,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their CRC-32.
    pub crc32: u32,
}

/// What is wrong with a copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It begins like none.
    #[error("it is no copy of a feed, or one of another version")]
    Foreign,
    /// The header is not the one that was written.
    #[error("its header is damaged: {0}")]
    Header(String),
    /// Too short or too long.
    #[error("it should have {expected} bytes of feed and has {found}")]
    Length {
        /// By its header.
        expected: u64,
        /// There.
        found: u64,
    },
    /// The bytes are not those that were written.
    #[error("its checksum is wrong")]
    Checksum,
    /// It is a copy of another feed than its file name says.
    #[error("it is a copy of {0}")]
    Misnamed(FeedName),
    /// The system cannot read it now: a disk error, no memory, no descriptor,
    /// no permission. It may be good.
    #[error("it cannot be read: {0}")]
    System(#[from] io::Error),
}

impl CopyError {
    /// Whether the file itself is bad, rather than the way to it.
    pub(super) fn is_damage(&self) -> bool {
        !matches!(self, Self::System(_))
    }
}

impl CopyHeader {
    /// The header of what is read so, not counted and not accepted yet.
    pub(super) fn new(
        feed: &FeedName,
        manner: Manner<'_>,
        bytes: &[u8],
        written: SystemTime,
    ) -> Self {
        Self {
            feed: feed.clone(),
            format: manner.format,
            detected: manner.detected,
            reader: READER,
            options: manner.options.clone(),
            written,
            tally: Tally::default(),
            accepted: SystemTime::UNIX_EPOCH,
            bytes: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
        }
    }

    /// Which version the copy is of.
    pub fn version(&self) -> VersionId {
        let reading = reading_crc32(self.manner(), self.reader);
        VersionId { bytes: self.bytes, crc32: self.crc32, reading }
    }

    fn manner(&self) -> Manner<'_> {
        Manner { format: self.format, detected: self.detected, options: &self.options }
    }

    /// Whether today's reader, in this manner, would read the same bytes to the
    /// same effect.
    pub(super) fn is_read(&self, manner: Manner<'_>) -> bool {
        self.reader == READER
            && self.format == manner.format
            && self.detected == manner.detected
            && self.options == *manner.options
    }

    /// The lead line and the header. Their length does not depend on `tally` and
    /// `accepted`, so that they can be written again when these are known: blanks
    /// behind the JSON take the place of digits.
    pub(super) fn encode(&self) -> Vec<u8> {
        let written = HeaderText::from(self);
        let mut json = serde_json::to_string(&written).expect("numbers and strings are JSON");
        json.extend(repeat_n(' ', written.digits_left()));
        json.push('\n');
        let crc32 = crc32fast::hash(json.as_bytes());
        format!("{MAGIC}{:08x} {crc32:08x}\n{json}", json.len()).into_bytes()
    }

    /// Reads lead line and header, up to the first byte of the feed.
    pub(super) fn decode(file: &mut impl Read) -> Result<Self, CopyError> {
        let mut lead = [0; LEAD_BYTES];
        read_whole(file, &mut lead)?.ok_or(CopyError::Foreign)?;
        let (length, crc32) = decode_lead(&lead).ok_or(CopyError::Foreign)?;
        if length > HEADER_BYTES_MAX {
            return Err(CopyError::Header(format!("{length} bytes are too many")));
        }
        let mut json = vec![0; length];
        let damaged = || CopyError::Header("it ends early, or its checksum is wrong".to_owned());
        read_whole(file, &mut json)?.ok_or_else(damaged)?;
        if crc32fast::hash(&json) != crc32 {
            return Err(damaged());
        }
        let written =
            serde_json::from_slice::<HeaderText>(&json).map_err(|error| error.to_string());
        written.and_then(Self::try_from).map_err(CopyError::Header)
    }
}

fn decode_lead(lead: &[u8; LEAD_BYTES]) -> Option<(usize, u32)> {
    let numbers = std::str::from_utf8(lead).ok()?.strip_prefix(MAGIC)?.strip_suffix('\n')?;
    let (length, crc32) = numbers.split_once(' ')?;
    Some((usize::from_str_radix(length, 16).ok()?, u32::from_str_radix(crc32, 16).ok()?))
}

/// Fills the buffer; `None` if there is less.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<Option<()>> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(Some(())),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// The header as it is written. Keys may be added, these stay.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct HeaderText {
    feed: String,
    format: String,
    #[serde(default)]
    detected: bool,
    /// The first one did not say so.
    #[serde(default = "first_reader")]
    reader: u32,
    #[serde(default)]
    column: Option<ColumnText>,
    #[serde(default)]
    last_column: Option<ColumnText>,
    #[serde(default)]
    length_column: Option<ColumnText>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    select: Vec<String>,
    #[serde(default, rename = "where")]
    conditions: Vec<String>,
    #[serde(flatten)]
    rows: RowsText,
    written: String,
    accepted: String,
    bytes: u64,
    crc32: u32,
    entries: u64,
    ipv4: u64,
    ipv6: u64,
    duplicates: u64,
    rejected: u64,
    masked: u64,
}

impl From<&CopyHeader> for HeaderText {
    fn from(header: &CopyHeader) -> Self {
        let Options { column, last_column, length_column, path, select, conditions, .. } =
            &header.options;
        Self {
            feed: header.feed.to_string(),
            format: header.format.to_string(),
            detected: header.detected,
            reader: header.reader,
            column: column.as_ref().map(ColumnText::from),
            last_column: last_column.as_ref().map(ColumnText::from),
            length_column: length_column.as_ref().map(ColumnText::from),
            path: path.clone(),
            select: select.clone(),
            conditions: conditions.iter().map(ToString::to_string).collect(),
            rows: RowsText::from(&header.options),
            written: encode_exactly(header.written),
            accepted: encode_time(header.accepted),
            bytes: header.bytes,
            crc32: header.crc32,
            entries: header.tally.entries,
            ipv4: header.tally.ipv4,
            ipv6: header.tally.ipv6,
            duplicates: header.tally.duplicates,
            rejected: header.tally.rejected,
            masked: header.tally.masked,
        }
    }
}

impl HeaderText {
    /// How many more digits all counts together could have.
    fn digits_left(&self) -> usize {
        let Self { entries, ipv4, ipv6, duplicates, rejected, masked, .. } = self;
        let counts = [entries, ipv4, ipv6, duplicates, rejected, masked];
        let left = |count: &u64| u64::MAX.ilog10() - count.checked_ilog10().unwrap_or(0);
        counts.into_iter().map(|count| left(count) as usize).sum()
    }
}

const fn first_reader() -> u32 {
    1
}

/// The conditions in their texts.
fn conditions(texts: &[String]) -> Result<Vec<Condition>, String> {
    texts
        .iter()
        .map(|text| text.parse().map_err(|error: ConditionError| error.to_string()))
        .collect()
}

impl TryFrom<HeaderText> for CopyHeader {
    type Error = String;

    fn try_from(written: HeaderText) -> Result<Self, String> {
        Ok(Self {
            feed: FeedName::new(&written.feed).map_err(|error| error.to_string())?,
            format: written.format.parse().map_err(|_| format!("format {}", written.format))?,
            detected: written.detected,
            reader: written.reader,
            options: Options {
                column: written.column.map(Column::from),
                last_column: written.last_column.map(Column::from),
                length_column: written.length_column.map(Column::from),
                path: written.path,
                select: written.select,
                conditions: conditions(&written.conditions)?,
                ..written.rows.options()?
            },
            written: time(&written.written)?,
            accepted: time(&written.accepted)?,
            bytes: written.bytes,
            crc32: written.crc32,
            tally: Tally {
                entries: written.entries,
                ipv4: written.ipv4,
                ipv6: written.ipv6,
                duplicates: written.duplicates,
                rejected: written.rejected,
                masked: written.masked,
                ..Tally::default()
            },
        })
    }
}

fn time(text: &str) -> Result<SystemTime, String> {
    decode_time(text).ok_or_else(|| format!("time {text}"))
}

/// RFC 3339 in UTC, whole seconds: always 20 bytes. A clock so wrong that its
/// year has not four digits counts as 1970.
pub(super) fn encode_time(time: SystemTime) -> String {
    let seconds = Timestamp::try_from(time).map_or(0, |time| time.as_second().max(0));
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// RFC 3339 in UTC, to the nanosecond, as file systems know it. A time that
/// RFC 3339 does not know counts as 1970.
pub(super) fn encode_exactly(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Reads what [`encode_time`] or [`encode_exactly`] wrote.
pub(super) fn decode_time(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use blocklist::AsNumber;

    use super::*;

    fn header(accepted: SystemTime) -> CopyHeader {
        let bytes = b"192.0.2.1\n";
        let feed = FeedName::new("a/drüben \"b\".txt").expect("a good name");
        let parsed = blocklist::parse(bytes, Format::Plain, &blocklist::Limits::default());
        let options = Options {
            column: Some(Column::Number(3)),
            last_column: Some(Column::Number(4)),
            length_column: Some(Column::Name("bits".into())),
            path: Some("a[].b".into()),
            select: vec!["set:bad".into()],
            conditions: vec!["n >= 90".parse().expect("a condition")],
            countries: vec!["!DE".parse().expect("a country")],
            locations: Some("locations.csv".into()),
            places: Some(vec![7, 2_921_044]),
            asns: vec![AsNumber(64_500)],
            asn_feed: Some("asndrop.json".into()),
            listed_asns: Some(vec![AsNumber(3), AsNumber(64_501)]),
        };
        let manner = Manner { format: Format::Plain, detected: false, options: &options };
        let header = CopyHeader::new(&feed, manner, bytes, UNIX_EPOCH);
        CopyHeader { tally: parsed.tally, accepted, ..header }
    }

    #[test]
    fn a_header_survives_the_way_to_disk_and_back() {
        let header = header(UNIX_EPOCH + Duration::from_secs(1_795_000_000));
        let encoded = header.encode();
        assert_eq!(CopyHeader::decode(&mut encoded.as_slice()).expect("good"), header);
        let text = String::from_utf8(encoded).expect("text");
        assert!(text.contains("\"accepted\":\"2026-11-18T"), "{text}");
        assert!(text.trim_ascii_end().ends_with('}') && text.ends_with('\n'), "{text}");
    }

    #[test]
    fn the_time_that_lifetimes_count_from_is_exact() {
        let written = UNIX_EPOCH + Duration::new(1_795_000_000, 123_456_789);
        let encoded = CopyHeader { written, ..header(UNIX_EPOCH) }.encode();
        assert_eq!(CopyHeader::decode(&mut encoded.as_slice()).expect("good").written, written);
        let before_1970 = UNIX_EPOCH - Duration::new(3, 500_000_000);
        assert_eq!(decode_time(&encode_exactly(before_1970)), Some(before_1970));
    }

    #[test]
    fn a_version_is_its_bytes_and_how_they_are_read() {
        let named = |format, options, bytes| {
            VersionId::of(Manner { format, detected: false, options }, bytes)
        };
        let plain = Options::default();
        let detected = Manner { format: Format::Plain, detected: true, options: &plain };
        let column =
            |number| Options { column: Some(Column::Number(number)), ..Options::default() };
        let path = |path: &str| Options { path: Some(path.into()), ..Options::default() };
        let places = |places: &[u32]| Options { places: Some(places.into()), ..Options::default() };
        let listed = |asn| Options { listed_asns: Some(vec![AsNumber(asn)]), ..Options::default() };
        let versions = [
            named(Format::Plain, &plain, b"a"),
            named(Format::Plain, &plain, b"b"),
            named(Format::Plain, &plain, b"aa"),
            named(Format::Firehol, &plain, b"a"),
            named(Format::Firehol, &column(1), b"a"),
            named(Format::Firehol, &column(2), b"a"),
            named(Format::Plain, &path("1"), b"a"),
            named(Format::Plain, &places(&[1]), b"a"),
            named(Format::Plain, &places(&[2]), b"a"),
            named(Format::Plain, &listed(1), b"a"),
            named(Format::Plain, &listed(2), b"a"),
            VersionId::of(detected, b"a"),
        ];
        let all: std::collections::BTreeSet<_> = versions.into_iter().collect();
        assert_eq!(all.len(), versions.len());
        let header = header(UNIX_EPOCH);
        let same = VersionId::of(header.manner(), b"192.0.2.1\n");
        assert_eq!(header.version(), same);
    }

    #[test]
    fn a_header_has_the_same_length_whenever_it_is_written() {
        let length = |seconds| header(UNIX_EPOCH + Duration::from_secs(seconds)).encode().len();
        for seconds in [1, 1_795_000_000, 100_000_000_000, 1 << 60] {
            assert_eq!(length(seconds), length(0), "{seconds}");
        }
        let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(header(before_1970).encode().len(), length(0));
        for entries in [0, 9, 10, 1_000_000, u64::MAX] {
            let tally = Tally { entries, ipv4: entries / 2, ipv6: 1, ..Tally::default() };
            let counted = CopyHeader { tally, ..header(UNIX_EPOCH) }.encode();
            assert_eq!(counted.len(), length(0), "{entries} entries");
            let read = CopyHeader::decode(&mut counted.as_slice()).expect("good");
            assert_eq!(read.tally, tally);
        }
    }

    #[test]
    fn no_header_that_was_changed_is_taken_for_good() {
        let good = header(UNIX_EPOCH).encode();
        for position in 0..good.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[position] ^= bit;
                // Hexadecimal digits may be written small or large.
                let same =
                    position < LEAD_BYTES && bad[position].eq_ignore_ascii_case(&good[position]);
                let read = CopyHeader::decode(&mut bad.as_slice());
                assert!(same || read.is_err(), "bit {bit:#x} of byte {position}");
            }
            assert!(CopyHeader::decode(&mut &good[..position]).is_err(), "{position} bytes");
        }
    }
}
