//! The formats, each a module with its grammar and where that is written down.
//! A format knows how to read a text and how much a text looks like its own;
//! what becomes of the entries it does not know.

pub(super) mod abuseipdb;
pub(super) mod apache;
pub(super) mod cisco;
pub(super) mod cloud_ranges;
pub(super) mod crowdsec;
pub(super) mod crowdsec_csv;
pub(super) mod dat;
pub(super) mod delegated;
pub(super) mod dshield;
pub(super) mod fail2ban;
pub(super) mod feodo;
pub(super) mod firehol;
pub(super) mod firewalld;
pub(super) mod geofeed;
pub(super) mod hosts_deny;
pub(super) mod ipset;
pub(super) mod ipsum;
pub(super) mod iptables;
pub(super) mod iptoasn;
pub(super) mod json;
pub(super) mod maxmind;
pub(super) mod maxmind_asn;
pub(super) mod mikrotik;
pub(super) mod misp;
pub(super) mod nft;
pub(super) mod nft_json;
pub(super) mod nginx;
pub(super) mod p2p;
pub(super) mod pfx2as;
pub(super) mod plain;
pub(super) mod ranges;
pub(super) mod rbldnsd;
pub(super) mod snort;
pub(super) mod spamhaus;
pub(super) mod spamhaus_json;
pub(super) mod table;
pub(super) mod tor_exits;

pub(super) use table::is_part_of_address;
