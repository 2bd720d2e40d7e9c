//! Tables of networks: which of them count is said, or they are refused by the
//! key that says it.

use super::check;

const PFX2AS: &str = "\
192.0.2.0\t24\t64500
198.51.100.0\t24\t64501
203.0.113.0\t24\t64500_64502
203.0.114.0\t24\t{64500,64503}
2001:db8::\t32\t64500
";
const IPTOASN: &str = "\
192.0.2.0\t192.0.2.255\t64500\tUS\tEXAMPLE
192.0.3.0\t192.0.3.255\t0\tNone\tNot routed
198.51.100.0\t198.51.100.255\t64501\tDE\tOTHER
2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64500\tUS\tEXAMPLE
";
const MAXMIND: &str = "\
network,autonomous_system_number,autonomous_system_organization
192.0.2.0/24,64500,\"Example, Inc.\"
198.51.100.0/24,64501,Other
2001:db8::/32,64500,Example
";

#[test]
fn networks_are_taken_out_of_all_kinds_of_tables() {
    let both = "192.0.2.0/24 2001:db8::/32";
    for (format, text, left) in
        [("pfx2as", PFX2AS, 3), ("iptoasn", IPTOASN, 2), ("maxmind-asn", MAXMIND, 2)]
    {
        let want = format!("{both}; {left}");
        for format in ["auto", format] {
            check(format, text, &["asns: AS64500"], &want);
            check(format, text, &["asns: AS1", "asn-feed: x", "listed: 3,64500"], &want);
            check(format, text, &["asn-feed: x"], "refused: `asn-feed` is set");
            check(format, text, &["asns: AS1"], "refused: none in");
            check(format, text, &[], "refused: `asns = [\"AS64500\"]`");
        }
        check("auto", text, &["countries: KP"], "refused: `countries` is set");
    }
}

#[test]
fn a_prefix_of_several_networks_counts_if_all_of_them_do() {
    let check_asns =
        |asns: &str, want: &str| check("auto", PFX2AS, &[&format!("asns: {asns}")], want);
    check_asns("AS64502", "refused: none in");
    check_asns("AS64500,AS64502", "192.0.2.0/24 203.0.113.0/24 2001:db8::/32; 2");
    check_asns("AS64500,AS64503", "192.0.2.0/24 203.0.114.0/24 2001:db8::/32; 2");
}

#[test]
fn conditions_choose_networks_as_well() {
    check("auto", IPTOASN, &["where: country_code = DE"], "198.51.100.0/24; 3");
    check("auto", IPTOASN, &["where: 5 = OTHER"], "198.51.100.0/24; 3");
    let by_name = ["where: autonomous_system_organization = Other"];
    check("auto", MAXMIND, &by_name, "198.51.100.0/24; 3");
}

#[test]
fn a_damaged_row_is_no_network() {
    for (format, line) in [
        ("pfx2as", "192.0.2.0\t33\t64500"),
        ("pfx2as", "192.0.2.0\t24"),
        ("pfx2as", "192.0.2.0\t24\tx"),
        ("pfx2as", "192.0.2.0\t255.255.255.0\t64500"),
        ("pfx2as", "192.0.2.0/24\t24\t64500"),
        ("pfx2as", "192.0.2.0\t24\t64500\tUS"),
        ("iptoasn", "192.0.2.9\t192.0.2.1\t64500\tUS\tX"),
        ("iptoasn", "192.0.2.0\t192.0.2.255\tx\tUS\tX"),
        ("iptoasn", "192.0.2.0\t192.0.2.255\t64500"),
        ("iptoasn", "192.0.2.0\t192.0.2.255\t24\t579\tX"),
        ("maxmind-asn", "192.0.2.0/24,64500,X"),
    ] {
        check(format, line, &["asns: AS64500"], "refused: ");
    }
}
