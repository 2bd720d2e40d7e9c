//! What the name of a column says of what stands in it: the address, a part of
//! it, how many there are, a verdict, a note. Found out once a table, and not for
//! every row.

use super::super::super::fields as named;
use super::super::super::verdict;

/// Names of columns that hold the addresses of whom a list is about, in small
/// letters and without what stands between their words.
const ADDRESSES: [&str; 44] = [
    "ip",
    "ips",
    "ipaddress",
    "ipaddr",
    "address",
    "addr",
    "cidr",
    "cidrs",
    "network",
    "prefix",
    "prefixes",
    "subnet",
    "netblock",
    "range",
    "iprange",
    "ipv4",
    "ipv6",
    "host",
    "hostip",
    "srcip",
    "sourceip",
    "srcaddr",
    "sourceaddress",
    "attackerip",
    "attacker",
    "dstip",
    "remoteip",
    "clientip",
    "badip",
    "ioc",
    "indicator",
    "ipv4address",
    "ipv6address",
    "ipprefix",
    "ipcidr",
    "bannedip",
    "blockedip",
    "abuserip",
    "value",
    "net",
    "networkcidr",
    "ipnetwork",
    "ipblock",
    "iporcidr",
];

/// Names of columns that say something of an address and decide nothing.
const NOTES: [&str; 95] = [
    "firstseen",
    "lastseen",
    "firstseenutc",
    "lastseenutc",
    "lastonline",
    "seen",
    "date",
    "time",
    "datetime",
    "timestamp",
    "when",
    "since",
    "created",
    "createdat",
    "updated",
    "updatedat",
    "modified",
    "added",
    "addedat",
    "reported",
    "lastreported",
    "lastreportedat",
    "port",
    "ports",
    "dstport",
    "srcport",
    "protocol",
    "proto",
    "service",
    "country",
    "countrycode",
    "countryname",
    "cc",
    "continent",
    "city",
    "region",
    "state2",
    "postal",
    "zip",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "asn",
    "as",
    "asname",
    "asnum",
    "asorg",
    "aso",
    "autonomoussystemnumber",
    "autonomoussystemorganization",
    "org",
    "organization",
    "organisation",
    "isp",
    "owner",
    "holder",
    "name",
    "netname",
    "rir",
    "registry",
    "sblid",
    "malware",
    "malwarefamily",
    "family",
    "threat",
    "threattype",
    "tag",
    "tags",
    "campaign",
    "actor",
    "category",
    "categories",
    "comment",
    "comments",
    "note",
    "notes",
    "description",
    "reason",
    "reference",
    "references",
    "url",
    "link",
    "source",
    "feed",
    "count",
    "hits",
    "attacks",
    "attempts",
    "reports",
    "numreports",
    "totalreports",
    "id",
    "hostname",
    "domain",
];

/// Names of columns that are a part of the address.
const PARTS: [&str; 22] = [
    "length",
    "len",
    "prefixlen",
    "prefixlength",
    "masklen",
    "masklength",
    "mask",
    "netmask",
    "bits",
    "cidrlength",
    "subnetmask",
    "wildcard",
    "end",
    "last",
    "endip",
    "lastip",
    "to",
    "ipto",
    "rangeend",
    "endaddress",
    "plen",
    "maskbits",
];

/// Names of columns that count the addresses of a network, which has no length then.
const COUNTS: [&str; 6] =
    ["size", "numips", "numaddresses", "ipcount", "addresscount", "wildcardmask"];

/// What is known of a column by its name.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct ColumnName {
    /// As it stands in the header.
    pub(super) shown: String,
    /// It holds the addresses of whom the list is about.
    pub(super) is_address: bool,
    /// It is a part of an address that stands in another column.
    pub(super) is_part: bool,
    /// It counts the addresses of a network.
    pub(super) counts: bool,
    /// It says something of an address and decides nothing, or has doubts of its
    /// own.
    pub(super) is_known: bool,
    /// What stands in it decides about its row.
    pub(super) decides: bool,
    /// Its states are numbered by rules of their own.
    pub(super) is_numbered: bool,
    /// It says what a rule does.
    pub(super) is_action: bool,
    /// It says to what of a host a rule applies.
    pub(super) is_scope: bool,
    /// It says when its row ends to count.
    pub(super) ends: bool,
}

impl ColumnName {
    pub(super) fn of(shown: &[u8]) -> Self {
        let plain = verdict::plain_name(shown);
        let is_note = is_one_of(&NOTES, &plain) || plain.is_empty();
        Self {
            shown: String::from_utf8_lossy(shown).into_owned(),
            is_address: is_one_of(&ADDRESSES, &plain),
            is_part: is_one_of(&PARTS, &plain),
            counts: is_one_of(&COUNTS, &plain),
            is_known: is_note || decides_or_notes(shown),
            decides: verdict::is_deciding(shown),
            is_numbered: named::is_numbered(shown),
            is_action: named::is_action(shown),
            is_scope: named::is_scope(shown),
            ends: named::ends(shown),
        }
    }
}

/// Whether a column's own doubts were asked for, or it is a note by its last word.
fn decides_or_notes(name: &[u8]) -> bool {
    const LAST: [&str; 22] = [
        "seen",
        "date",
        "time",
        "count",
        "name",
        "dns",
        "rdns",
        "ptr",
        "country",
        "city",
        "region",
        "asn",
        "org",
        "isp",
        "url",
        "id",
        "port",
        "comment",
        "note",
        "description",
        "reason",
        "domain",
    ];
    let mut words = name.split(|byte| !byte.is_ascii_alphanumeric());
    let last = words.next_back().unwrap_or_default();
    let noted = LAST.iter().any(|word| last.eq_ignore_ascii_case(word.as_bytes()));
    let says = words.any(|word| verdict::of_word(word).is_some());
    verdict::is_deciding(name) || named::ends(name) || noted && !says
}

/// Whether a column of this name holds a part of an address that stands in
/// another one: a length, a mask, the end of a range.
pub(in super::super::super) fn is_part_of_address(name: &[u8]) -> bool {
    is_one_of(&PARTS, &verdict::plain_name(name))
}

/// Whether a column of this name holds the addresses of whom a list is about.
pub(in super::super::super) fn is_address_column(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && is_one_of(&ADDRESSES, &verdict::plain_name(name))
}

fn is_one_of(known: &[&str], name: &[u8]) -> bool {
    known.iter().any(|known| known.as_bytes() == name)
}
