//! The formats by name, as the configuration and JSON know them. What each of
//! them is, its own module says.

use std::fmt;
use std::str::FromStr;

use super::detect::{Head, Likeness};
use super::visit::Visit;
use super::{Limits, Options, Shape, detect, formats};

/// One line a format: what it is, its name, its module.
macro_rules! formats {
    ($($(#[$about:meta])+ $format:ident = $name:literal in $module:ident,)+) => {
        /// How a feed is to be read.
        ///
        #[doc = include_str!("../../formats.md")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$about])+ $format,)+
        }

        impl Format {
            /// All formats. Where a text could be several of them, the first
            /// one is meant.
            pub const ALL: &'static [Self] = &[$(Self::$format),+];

            /// The name in the configuration and in JSON: `plain`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$format => $name,)+
                }
            }

            /// Reads a feed of this format.
            pub(super) fn read(
                self,
                bytes: &[u8],
                options: &Options,
                limits: &Limits,
                visit: &mut impl Visit,
            ) -> Shape {
                match self {
                    $(Self::$format => formats::$module::read(bytes, options, limits, visit),)+
                }
            }

            /// Whether a feed that begins like this is of this format.
            pub(super) fn resembles(self, head: &Head<'_>) -> Likeness {
                match self {
                    $(Self::$format => formats::$module::resembles(head),)+
                }
            }
        }
    };
}

// What stands before plain consists of the same lines and has something that no
// plain list has: a promise, a reference, a zone's head. All others stand behind
// it, so that none of them can take a plain list.
formats! {
    /// FireHOL's `.ipset` and `.netset`: plain under a header with a promise.
    Firehol = "firehol" in firehol,
    /// Spamhaus DROP as text: plain with `; SBL…` behind every prefix.
    Spamhaus = "spamhaus" in spamhaus,
    /// Zone files of rbldnsd; `!` makes an exception.
    Rbldnsd = "rbldnsd" in rbldnsd,
    /// csf.deny and csf.allow of `ConfigServer` Firewall.
    Csf = "csf" in csf,
    /// What `ipset list` prints.
    IpsetList = "ipset-list" in ipset_list,
    /// Address match lists of BIND: `acl bad { 192.0.2.0/24; };`.
    Bind = "bind" in bind,
    /// One entry a line: address, prefix or range, with `#`, `;` and `//` comments.
    #[default]
    Plain = "plain" in plain,
    /// ipsum: an address, a tab, and a count.
    Ipsum = "ipsum" in ipsum,
    /// Spamhaus DROP as JSON, one object a line, the last one with a promise.
    SpamhausJson = "spamhaus-json" in spamhaus_json,
    /// CrowdSec's decisions as JSON, with types, scopes and durations.
    Crowdsec = "crowdsec" in crowdsec,
    /// AbuseIPDB's blacklist as JSON.
    Abuseipdb = "abuseipdb" in abuseipdb,
    /// The ranges of AWS, Google, Azure, GitHub, Fastly, Oracle as JSON.
    CloudRanges = "cloud-ranges" in cloud_ranges,
    /// Sets as `nft -j` prints them.
    NftJson = "nft-json" in nft_json,
    /// MISP's warninglists, which are for `allow`.
    Misp = "misp" in misp,
    /// MISP's events: attributes that are `to_ids`.
    MispEvent = "misp-event" in misp_event,
    /// Indicators of STIX 2.1 whose pattern is one address.
    Stix = "stix" in stix,
    /// Any other JSON: arrays of addresses, records, lines, or what `path` says.
    Json = "json" in json,
    /// CrowdSec's decisions as CSV.
    CrowdsecCsv = "crowdsec-csv" in crowdsec_csv,
    /// DShield's block list: first address, last address, mask, with tabs.
    Dshield = "dshield" in dshield,
    /// Feodo Tracker's quoted CSV with a promise as the last line.
    Feodo = "feodo" in feodo,
    /// PeerGuardian's `label:first-last`.
    P2p = "p2p" in p2p,
    /// eMule's `first - last , level , label`.
    Dat = "dat" in dat,
    /// `first,last` and more: ipcat, DB-IP, IP2Location.
    Ranges = "ranges" in ranges,
    /// The registries' delegated statistics, with counts of addresses.
    Delegated = "delegated" in delegated,
    /// MaxMind's CSV of networks: prefixes and the numbers of autonomous systems.
    MaxmindAsn = "maxmind-asn" in maxmind_asn,
    /// MaxMind's CSV with a header that begins with `network`.
    Maxmind = "maxmind" in maxmind,
    /// RFC 8805: prefix, country, region, city, postal code.
    Geofeed = "geofeed" in geofeed,
    /// CAIDA's tables of prefixes and autonomous systems, of `RouteViews`.
    Pfx2as = "pfx2as" in pfx2as,
    /// iptoasn: first address, last address, autonomous system, with tabs.
    Iptoasn = "iptoasn" in iptoasn,
    /// Tor's lists of exits with `ExitAddress` lines.
    TorExits = "tor-exits" in tor_exits,
    /// Address lists of `RouterOS`: `add list=NAME address=ADDRESS`.
    Mikrotik = "mikrotik" in mikrotik,
    /// What `ipset save` writes, and scripts of `ipset add`.
    Ipset = "ipset" in ipset,
    /// Rules of `iptables-save`, and scripts of them.
    Iptables = "iptables" in iptables,
    /// nginx: `deny ADDRESS;` and `geo` blocks.
    Nginx = "nginx" in nginx,
    /// Apache: `Deny from` and `Require not ip`.
    Apache = "apache" in apache,
    /// Rich rules of firewalld, and scripts of `firewall-cmd`.
    Firewalld = "firewalld" in firewalld,
    /// Routes of `ip route` that lead nowhere: `blackhole 192.0.2.0/24`.
    IpRoute = "ip-route" in ip_route,
    /// The blacklist of sshguard: time, service, family, address.
    Sshguard = "sshguard" in sshguard,
    /// Access lists of Unbound: `access-control: 192.0.2.0/24 refuse`.
    Unbound = "unbound" in unbound,
    /// Access lists of the `PowerDNS` Recursor: `allow-from=192.0.2.0/24`.
    Powerdns = "powerdns" in powerdns,
    /// Zones of response policies by client: `….rpz-client-ip CNAME rpz-drop.`
    Rpz = "rpz" in rpz,
    /// Zeek's intelligence files, by `indicator_type`.
    ZeekIntel = "zeek-intel" in zeek_intel,
    /// Access lists of Cisco: `deny ip host 192.0.2.1 any`.
    Cisco = "cisco" in cisco,
    /// Sets as `nft list set` and `nft list ruleset` print them.
    Nft = "nft" in nft,
    /// TCP wrappers: `sshd: 192.0.2.1`.
    HostsDeny = "hosts-deny" in hosts_deny,
    /// Snort and Suricata: `alert ip [192.0.2.1,…] any -> …`.
    Snort = "snort" in snort,
    /// What fail2ban-client or the log of fail2ban says is banned.
    Fail2ban = "fail2ban" in fail2ban,
    /// Tables of pf, with `!` for exceptions. By name only.
    Pf = "pf" in pf,
    /// Suricata's reputation: address, category, score. By name only.
    Iprep = "iprep" in iprep,
    /// Addresses with ports, and URLs with an address as host. By name only.
    Endpoints = "endpoints" in endpoints,
    /// Addresses with words behind them, and a mark between.
    Edl = "edl" in edl,
    /// Any other table with addresses in one column.
    Table = "table" in table,
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// There is no format of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no feed format `{0}`; formats are: {all}", all = names())]
pub struct UnknownFormat(pub String);

fn names() -> String {
    Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

impl Format {
    /// Reads a feed of this format and gives its memory back: of a plain list,
    /// which may be very long, as it is read, of all others at the end.
    pub(super) fn consume(
        self,
        bytes: Vec<u8>,
        options: &Options,
        limits: &Limits,
        visit: &mut impl Visit,
    ) -> Shape {
        match self {
            Self::Plain => formats::plain::consume(bytes, limits, visit),
            _ => self.read(&bytes, options, limits, visit),
        }
    }

    /// Whether files of this format have rows that may be those of a table.
    const fn has_rows(self) -> bool {
        matches!(
            self,
            Self::Plain
                | Self::Ipsum
                | Self::Dshield
                | Self::Feodo
                | Self::P2p
                | Self::Dat
                | Self::Ranges
                | Self::Maxmind
                | Self::Geofeed
                | Self::Delegated
        )
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let format = Self::ALL.iter().find(|format| format.name() == name);
        format.copied().ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// The format of a feed, as configured: `auto` or a format's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormatChoice {
    /// The one that the feed looks most like.
    #[default]
    Auto,
    /// This one.
    Fixed(Format),
}

impl FormatChoice {
    /// The format to read `bytes` in, with these options. Whoever names a column
    /// means a table, where the bytes are rows, and so does whoever asks for some
    /// rows of what would be a plain list otherwise.
    pub fn for_bytes(self, bytes: &[u8], options: &Options) -> Format {
        let bytes = &super::text::decoded(bytes)[..];
        let format = match self {
            Self::Auto => detect(bytes),
            Self::Fixed(format) => return format,
        };
        let asked = !options.conditions.is_empty();
        let lines = format == Format::Plain;
        let table = options.column.is_some() && format.has_rows() || asked && lines;
        if table { Format::Table } else { format }
    }
}

impl From<Format> for FormatChoice {
    fn from(format: Format) -> Self {
        Self::Fixed(format)
    }
}
