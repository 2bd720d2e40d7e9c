//! Exports: the members of a list as the text that another program reads of
//! itself, a web server or a script. It knows what each of them takes and in what
//! form, and no files: whoever writes one does so piece by piece, under another
//! name, and renames it.

mod keys;
mod octets;
mod sdbm;
mod write;

use std::fmt;

pub use sdbm::{SdbmError, SdbmFile, export_sdbm};
pub use write::export;

/// For whom a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExportFormat {
    /// Ranges of IPv4 in order, one a line, `192.0.2.0-192.0.2.255 1;`, for an
    /// `include` in a block `geo` with `ranges` of nginx
    /// (`ngx_http_geo_module`). A list of CIDR takes it six times the memory and
    /// five times the time to load, and `ranges` knows no IPv6.
    NginxGeo,
    /// Prefixes of both families, one a line, for `acl … -f FILE` of `HAProxy`
    /// (its configuration manual, section 7.1.1).
    HaproxyAcl,
    /// Keys for a `RewriteMap` of Apache, as `httxt2dbm(1)` reads them: `192.0.2 1`.
    /// A prefix of IPv4 becomes all keys of the next whole octets that it has. A
    /// rule of Apache cannot cut an IPv6 address into pieces.
    ApacheTxt,
    /// The same keys as an SDBM, a database of two files that Apache finds keys in
    /// without another program's help.
    ApacheSdbm,
    /// Prefixes of both families, one a line, IPv4 first.
    Plain,
    /// One object: `list`, and the arrays `ipv4` and `ipv6` of prefixes.
    Json,
}

impl ExportFormat {
    /// All of them, with their names in the configuration.
    pub const ALL: [(&'static str, Self); 6] = [
        ("nginx-geo", Self::NginxGeo),
        ("haproxy-acl", Self::HaproxyAcl),
        ("apache-txt", Self::ApacheTxt),
        ("apache-sdbm", Self::ApacheSdbm),
        ("plain", Self::Plain),
        ("json", Self::Json),
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, format)| *format == self);
        named.map_or("", |(name, _)| name)
    }

    /// Whether IPv6 can be written.
    pub const fn takes_ipv6(self) -> bool {
        match self {
            Self::NginxGeo | Self::ApacheTxt | Self::ApacheSdbm => false,
            Self::HaproxyAcl | Self::Plain | Self::Json => true,
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What became of the members of a list. A prefix within another one counts for
/// nothing: the other one says it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Prefixes that were written.
    pub prefixes: u64,
    /// Prefixes of IPv6 that the format cannot carry.
    pub left_out: u64,
}

#[cfg(test)]
mod tests;
