//! Which crate of the workspace may know which. The table is literal, so that
//! a new arrow is a line in a diff that somebody has to agree to.

use std::collections::BTreeSet;

use serde_json::Value;

/// What one crate may depend on, of this workspace.
struct Edges {
    package: &'static str,
    /// What its own code may use.
    uses: &'static [&'static str],
    /// What its tests may use besides.
    tests_use: &'static [&'static str],
}

/// Arrows point down: nothing shipped knows the model, nothing below the
/// program knows the program, and the judge knows nobody.
const ALLOWED: &[Edges] = &[
    Edges { package: "blocklist", uses: &[], tests_use: &[] },
    Edges { package: "reconcile", uses: &["blocklist"], tests_use: &[] },
    Edges { package: "intake", uses: &["blocklist"], tests_use: &[] },
    Edges { package: "keeper", uses: &["blocklist", "intake", "reconcile"], tests_use: &[] },
    Edges { package: "netfilter", uses: &["blocklist", "reconcile"], tests_use: &[] },
    Edges {
        package: "netfilter-model",
        uses: &["blocklist", "intake", "keeper", "reconcile", "netfilter"],
        tests_use: &[],
    },
    // Of `reconcile` it knows the form of the names of sets, of `intake` what
    // feeds are judged by.
    Edges { package: "configuration", uses: &["blocklist", "intake", "reconcile"], tests_use: &[] },
    Edges { package: "feedfiles", uses: &["blocklist"], tests_use: &[] },
    Edges { package: "host", uses: &[], tests_use: &[] },
    Edges { package: "figures", uses: &[], tests_use: &[] },
    Edges { package: "unixsocket", uses: &[], tests_use: &[] },
    // It reads what the daemon hands on, and shares no code with it.
    Edges {
        package: "denyset-gateway",
        uses: &["blocklist", "feedfiles", "figures", "unixsocket"],
        tests_use: &[],
    },
    Edges {
        package: "denyset",
        uses: &[
            "blocklist",
            "configuration",
            "feedfiles",
            "figures",
            "host",
            "intake",
            "keeper",
            "netfilter",
            "reconcile",
            "unixsocket",
        ],
        tests_use: &[],
    },
    Edges { package: "lab", uses: &[], tests_use: &[] },
    Edges {
        package: "tests",
        uses: &[],
        tests_use: &[
            "blocklist",
            "configuration",
            "reconcile",
            "netfilter",
            "netfilter-model",
            "host",
            "lab",
        ],
    },
    // It measures the planning and the ops that the daemon is made of, each alone.
    Edges {
        package: "xtask",
        uses: &["blocklist", "reconcile", "netfilter", "netfilter-model", "lab"],
        tests_use: &[],
    },
];

/// Whether one package can see the types of another, or is the same.
pub(crate) fn sees(package: &str, other: &str) -> bool {
    let uses = ALLOWED.iter().find(|edges| edges.package == package).map(|edges| edges.uses);
    package == other || uses.is_some_and(|uses| uses.contains(&other))
}

/// Differences between the table and what `cargo metadata` says.
pub(crate) fn breaches(metadata: &Value) -> Vec<String> {
    let packages: Vec<&Value> = metadata["packages"].as_array().into_iter().flatten().collect();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let members: BTreeSet<_> = packages.iter().map(|package| name(package)).collect();
    let mut breaches = Vec::new();
    for package in packages {
        let from = name(package);
        let Some(allowed) = ALLOWED.iter().find(|edges| edges.package == from) else {
            breaches.push(format!("{from}: not in the table of allowed edges"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = name(dependency);
            let for_tests = dependency["kind"] == "dev";
            let may =
                allowed.uses.contains(&&*to) || for_tests && allowed.tests_use.contains(&&*to);
            if members.contains(&to) && !may {
                let kind = if for_tests { "the tests of " } else { "" };
                breaches.push(format!("{kind}{from} must not know {to}"));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(from: &str, to: &str, kind: Option<&str>, want: &[&str]) {
        let metadata = json!({"packages": [
            {"name": from, "dependencies": [{"name": to, "kind": kind}, {"name": "libc"}]},
            {"name": "netfilter-model", "dependencies": []},
            {"name": "blocklist", "dependencies": []},
        ]});
        assert_eq!(breaches(&metadata), want);
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_a_breach() {
        check("reconcile", "blocklist", None, &[]);
        check("denyset", "netfilter-model", None, &["denyset must not know netfilter-model"]);
        check("tests", "netfilter-model", Some("dev"), &[]);
        check("tests", "netfilter-model", None, &["tests must not know netfilter-model"]);
        check(
            "reconcile",
            "netfilter-model",
            Some("dev"),
            &["the tests of reconcile must not know netfilter-model"],
        );
        check("newcomer", "blocklist", None, &["newcomer: not in the table of allowed edges"]);
    }
}
