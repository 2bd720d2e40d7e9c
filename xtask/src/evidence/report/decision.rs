//! The table to decide from: of both halves of question B the ways that a reader chooses
//! between, each with the longest list that it took. All others are in the tables of
//! each length.

use super::super::million as found;
use super::super::record::{Finding, Findings};
use super::super::statistics::{Spread, short};
use super::super::web;
use super::million::{base_of, is_within_noise, short_count};
use super::table::{Row, markdown};

/// At most this many can be looked over.
const ROWS: usize = 25;

/// Those that block in the kernel.
const KERNEL: [&str; 17] = [
    "linear rules, iptables-legacy",
    "linear rules, iptables-nft",
    "tree of chains, 16-ary, iptables-legacy",
    "tree of chains, 256-ary, iptables-legacy",
    "tree of chains, 256-ary, iptables-nft",
    "null routes, rp_filter=1",
    "ip rule, local table behind",
    "ipset hash:ip at INPUT",
    "ipset hash:ip in raw, by swap",
    "ipset hash:ip, flushed and filled",
    "nft set, addresses",
    "nft set, intervals",
    "denyset",
    "denyset, nine lengths",
    "NFQUEUE, looked up in user space",
    "XDP, longest prefix match, generic mode",
    "XDP, xdp-filter in generic mode",
];

/// Those that a web server is told.
const SERVERS: [&str; 8] = [
    "nginx deny",
    "nginx geo, addresses",
    "nginx geo, ranges, as denyset exports it",
    "nginx auth_request, denyset-gateway",
    "HAProxy acl, as denyset exports it",
    "Apache Require not ip, 64 a line",
    "Apache RewriteMap txt",
    "Apache RewriteMap, SDBM",
];

/// Where a change takes no longer than this nobody waits for it, ms.
const SOON_MS: f64 = 2_000.0;

const BEFORE: &str = "\
Each way with the longest list that it took. `a miss` is what nobody on the list pays: processor time of a
packet, for web servers of a request, in microseconds more than without a list; `=` is within the noise. `a
change` is of a thousand entries, for web servers of one, until it is in force. `leaked` are packets of those
who stay blocked that got through while it was made. Memory is that of the program that loads the list, which
it gives back unless it has to stay, and what the kernel keeps; of a web server, of all its processes.
All other variants, figures with their spread, and shorter lists are in sections B and W.

";

/// The whole section; nothing without question B.
pub(super) fn section(million: Option<&Findings>, servers: Option<&Findings>) -> String {
    let Some(million) = million else { return String::new() };
    let rows = rows(million, servers);
    debug_assert!(rows.len() <= ROWS, "nobody can look over {} rows", rows.len());
    let head = [
        "way",
        "longest list",
        "load, ms",
        "memory: program, MiB",
        "kernel, MiB",
        "a miss, us more",
        "a change, ms",
        "leaked",
        "where it ends",
    ];
    let table = markdown(&head.map(str::to_owned), &rows);
    format!("\n## To decide from\n\n{}{BEFORE}{table}", answer(million))
}

fn rows(million: &Findings, servers: Option<&Findings>) -> Vec<Row> {
    let mut rows: Vec<_> = KERNEL.iter().filter_map(|way| kernel(million, way)).collect();
    if let Some(servers) = servers {
        rows.extend(SERVERS.iter().filter_map(|way| server(servers, way)));
    }
    rows
}

fn longest(findings: &Findings, way: &str, loaded: &str) -> Option<u64> {
    findings.sizes().into_iter().rev().find(|size| findings.rounds(way, *size, loaded).is_some())
}

fn middle(findings: &Findings, way: &str, size: u64, metric: &str) -> Option<f64> {
    Some(Spread::of(findings.rounds(way, size, metric)?)?.middle)
}

/// A median, or why there is none.
fn figure(findings: &Findings, way: &str, size: u64, metric: &str) -> String {
    match (middle(findings, way, size, metric), findings.find(way, size, metric)) {
        (Some(middle), _) => short(middle),
        (None, Some(Finding::Broke(why) | Finding::NotRun(why))) => why.clone(),
        _ => "–".into(),
    }
}

fn kernel(findings: &Findings, way: &str) -> Option<Row> {
    let size = longest(findings, way, found::LOAD).unwrap_or_default();
    let ends = ends(findings, way, size, found::LOAD);
    if size == 0 {
        return ends.map(|ends| {
            [way, "none", "–", "–", "–", "–", "–", "–", &ends].map(str::to_owned).into()
        });
    }
    let own = findings.rounds(way, size, found::MISS);
    let base = findings.rounds(base_of(way), size, found::MISS);
    let miss = match (own, base) {
        (Some(own), Some(base)) => {
            let more = Spread::of_differences(own, base)?.middle / 1e3;
            let is_none = is_within_noise(findings, own, base, size, found::MISS);
            if is_none { "=".into() } else { short(more) }
        }
        _ => "–".into(),
    };
    let count = |metric| findings.rounds(way, size, metric).and_then(<[f64]>::first).copied();
    let leaked = match (count(found::LEAKED), count(found::SENT)) {
        (Some(0.0), Some(_)) => "0".into(),
        (Some(leaked), Some(sent)) => format!("{} %", short(leaked / sent.max(1.0) * 100.0)),
        _ => "–".into(),
    };
    let told = |metric| figure(findings, way, size, metric);
    Some(vec![
        way.to_owned(),
        short_count(size),
        told(found::LOAD),
        told(found::USER_MEMORY),
        told(found::KERNEL_MEMORY),
        miss,
        told(found::THOUSAND),
        leaked,
        ends.unwrap_or_default(),
    ])
}

fn server(findings: &Findings, way: &str) -> Option<Row> {
    let size = longest(findings, way, web::START)?;
    let base = web::ways().iter().find(|one| one.name() == way)?.base();
    let (own, of_base) =
        (findings.rounds(way, size, web::MISS)?, findings.rounds(base, size, web::MISS)?);
    let more = Spread::of_differences(own, of_base)?;
    // Requests of the same server differ by as much from each other.
    let is_none = more.least <= 0.0;
    let told = |metric| figure(findings, way, size, metric);
    Some(vec![
        way.to_owned(),
        short_count(size),
        told(web::START),
        told(web::MEMORY),
        "–".into(),
        if is_none { "=".into() } else { short(more.middle) },
        told(web::CHANGE),
        "–".into(),
        ends(findings, way, size, web::START).unwrap_or_default(),
    ])
}

/// Why it took no longer list than this.
fn ends(findings: &Findings, way: &str, size: u64, loaded: &str) -> Option<String> {
    let next = findings.sizes().into_iter().find(|next| *next > size)?;
    match findings.find(way, next, loaded)? {
        Finding::Broke(why) => Some(format!("at {}: {why}", short_count(next))),
        Finding::NotRun(why) => Some(format!("not tried further: {why}")),
        Finding::Rounds(_) | Finding::Seen(_) => None,
    }
}

/// How many ways came to the end, and which of them can be lived with.
fn answer(findings: &Findings) -> String {
    let Some(size) = findings.sizes().into_iter().next_back() else { return String::new() };
    let ways = findings.variants();
    let tried: Vec<_> = ways
        .into_iter()
        .filter(|way| !way.starts_with("none") && !way.starts_with(found::BY_LENGTHS))
        .collect();
    let at = |way, metric| middle(findings, way, size, metric);
    let loaded: Vec<_> = tried.iter().filter(|way| at(way, found::LOAD).is_some()).collect();
    let mut good: Vec<_> = loaded
        .iter()
        .filter(|way| KERNEL.contains(way))
        .filter(|way| {
            let soon = at(way, found::THOUSAND).is_some_and(|ms| ms <= SOON_MS);
            soon && at(way, found::LEAKED) == Some(0.0)
        })
        .filter_map(|way| {
            let rounds = |way| findings.rounds(way, size, found::MISS);
            let miss = Spread::of_ratios(rounds(way)?, rounds(base_of(way))?)?.middle;
            Some((at(way, found::LOAD)?, miss, **way))
        })
        .collect();
    good.sort_by(|one, other| one.0.total_cmp(&other.0));
    let good: Vec<_> = good
        .into_iter()
        .map(|(load, miss, way)| format!("{way} ({} ms, {}x)", short(load), short(miss)))
        .collect();
    format!(
        "**Of {} ways to block in the kernel {} took {} addresses here. Of those in the table the following change a \
         thousand entries within {} seconds and let nothing through meanwhile, told with the time to load and \
         what a packet of nobody on the list costs to one without a filter: {}.**\n\n",
        tried.len(),
        loaded.len(),
        short_count(size),
        SOON_MS / 1e3,
        good.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::record::Ledger;
    use super::super::million::AGAIN;
    use super::*;

    fn findings() -> Findings {
        let mut ledger = Ledger::default();
        for (way, misses) in [
            ("none", [1_000.0, 1_020.0]),
            (AGAIN, [1_010.0, 1_000.0]),
            ("denyset", [3_000.0, 3_060.0]),
        ] {
            for miss in misses {
                ledger.figure(way, 1_000, found::LOAD, 5.0);
                ledger.figure(way, 1_000, found::MISS, miss);
                ledger.figure(way, 1_000, found::THOUSAND, 100.0);
                ledger.figure(way, 1_000, found::LEAKED, 0.0);
                ledger.figure(way, 1_000, found::SENT, 64.0);
            }
        }
        ledger.put("denyset", 10_000, found::LOAD, Finding::Broke("Too many".into()));
        Findings { records: ledger.into_records(), ..Findings::default() }
    }

    #[test]
    fn where_a_way_ends_the_table_says_why() {
        let row = kernel(&findings(), "denyset").expect("a row");
        assert_eq!(
            row,
            ["denyset", "1,000", "5.00", "–", "–", "2.02", "100", "0", "at 10,000: Too many"]
        );
        assert_eq!(kernel(&findings(), "linear rules, iptables-nft"), None);
    }

    #[test]
    fn there_are_no_more_rows_than_can_be_looked_over_and_no_server_is_unknown() {
        assert!(KERNEL.len() + SERVERS.len() <= ROWS);
        let ways = web::ways();
        for name in SERVERS {
            assert!(ways.iter().any(|way| way.name() == name), "{name}");
        }
        for name in KERNEL {
            assert!(found::names().iter().any(|way| way == name), "{name}");
        }
    }
}
