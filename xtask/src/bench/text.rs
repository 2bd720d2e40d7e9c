//! The files that reading is measured with, made from a seed.

use std::fmt::{Display, Write as _};

use lab::generate::RandomNumbers;

/// One item a line.
pub(super) fn joined(items: impl Iterator<Item = impl Display>) -> String {
    items.fold(String::new(), |mut text, item| {
        writeln!(text, "{item}").expect("a string takes any text");
        text
    })
}

/// Random IPv4 addresses, one a line.
pub(super) fn ipv4(random: &mut RandomNumbers, count: usize) -> String {
    joined(random.addresses(count, 0).into_iter())
}

/// Random IPv6 addresses, one a line.
pub(super) fn ipv6(random: &mut RandomNumbers, count: usize) -> String {
    joined(random.addresses(count, 1).into_iter())
}

/// A JSON array of addresses.
pub(super) fn json(plain: &str) -> String {
    let quoted: Vec<String> = plain.lines().map(|line| format!("\"{line}\"")).collect();
    format!("[{}]", quoted.join(","))
}

/// A table with a header, addresses in the second column.
pub(super) fn csv(plain: &str) -> String {
    let rows = plain.lines().map(|line| format!("\"2026-01-01 00:00:00\",\"{line}\",443,online"));
    format!("first_seen,dst_ip,dst_port,status\n{}", joined(rows))
}
