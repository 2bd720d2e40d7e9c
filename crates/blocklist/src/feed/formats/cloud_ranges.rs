//! The documents in which large services publish their addresses. Each has its
//! own fields, chosen by key: other values may look like addresses.
//!
//! * AWS: <https://ip-ranges.amazonaws.com/ip-ranges.json>
//! * Google, Googlebot, Bingbot: <https://www.gstatic.com/ipranges/cloud.json>
//! * Azure service tags: <https://www.microsoft.com/download/details.aspx?id=56519>
//! * GitHub: <https://api.github.com/meta>
//! * Fastly: <https://api.fastly.com/public-ip-list>
//! * Oracle: <https://docs.oracle.com/iaas/tools/public_ip_ranges.json>
//! * Cloudflare: <https://api.cloudflare.com/client/v4/ips>
//! * Microsoft 365, where records of names alone have no addresses:
//!   <https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-ip-web-service>
//!
//! A prefix may stand there once for every service behind it.

use super::super::detect::{Head, Likeness};
use super::super::json::{DocumentKind, Outline, Paths, read_addresses};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape};

/// Where one service has its addresses.
struct Service {
    /// A document is the service's if it has all paths of one of these rows.
    marks: &'static [&'static [&'static str]],
    paths: &'static [&'static str],
    /// A key whose values are none.
    without: Option<&'static str>,
    /// Whether there are records without addresses.
    sparse: bool,
}

const SERVICES: [Service; 8] = [
    Service {
        marks: &[
            &["prefixes[].ip_prefix"],
            &["ipv6_prefixes[].ipv6_prefix"],
            &["prefixes", "syncToken", "createDate"],
        ],
        paths: &["prefixes[].ip_prefix", "ipv6_prefixes[].ipv6_prefix"],
        without: None,
        sparse: false,
    },
    Service {
        marks: &[
            &["prefixes[].ipv4Prefix"],
            &["prefixes[].ipv6Prefix"],
            &["prefixes", "creationTime"],
        ],
        paths: &["prefixes[].ipv4Prefix", "prefixes[].ipv6Prefix"],
        without: None,
        sparse: false,
    },
    Service {
        marks: &[&["values[].properties.addressPrefixes"]],
        paths: &["values[].properties.addressPrefixes[]"],
        without: None,
        sparse: false,
    },
    // New keys come with new products, each with an array of prefixes.
    Service {
        marks: &[
            &["hooks[]", "verifiable_password_authentication"],
            &["hooks[]", "ssh_keys"],
            &["hooks[]", "actions"],
        ],
        paths: &["*[]"],
        without: Some("ssh_keys"),
        sparse: false,
    },
    Service {
        marks: &[&["addresses[]", "ipv6_addresses"]],
        paths: &["addresses[]", "ipv6_addresses[]"],
        without: None,
        sparse: false,
    },
    Service {
        marks: &[&["regions[].cidrs[].cidr"]],
        paths: &["regions[].cidrs[].cidr"],
        without: None,
        sparse: false,
    },
    Service {
        marks: &[&["result.ipv4_cidrs[]"], &["result.ipv6_cidrs[]"]],
        paths: &["result.ipv4_cidrs[]", "result.ipv6_cidrs[]"],
        without: None,
        sparse: true,
    },
    Service {
        marks: &[&["[].ips[]", "[].serviceArea"]],
        paths: &["[].ips[]"],
        without: None,
        sparse: true,
    },
];

/// Reads all fields of the service that the document is of.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let service = service(Head::of(bytes).outline());
    let paths = service.map_or_else(Paths::default, |service| {
        let paths = Paths::of(service.paths);
        let paths = if service.sparse { paths.sparse() } else { paths };
        service.without.into_iter().fold(paths, Paths::without)
    });
    let expected = "the ranges of AWS, Google, Azure, GitHub, Fastly, Oracle, Cloudflare or Microsoft 365, or `path` set";
    read_addresses(bytes, &DocumentKind::of(&paths, expected), options, limits, visit)
}

/// Sure if it is one of the services.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if service(head.outline()).is_some() { Likeness::Sure } else { Likeness::None }
}

fn service(outline: &Outline) -> Option<&'static Service> {
    SERVICES.iter().find(|service| outline.has_any(service.marks))
}
