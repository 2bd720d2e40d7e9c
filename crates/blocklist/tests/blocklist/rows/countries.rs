//! Tables of countries: which of them count is said, or they are refused by the
//! key that says it.

use super::{check, check_with, options};

const DELEGATED: &str = "\
2|apnic|20260101|4|19850701|20260101|+1000
apnic|*|ipv4|*|3|summary
apnic|*|ipv6|*|1|summary
apnic|KP|ipv4|192.0.2.0|256|20110811|allocated
apnic|DE|ipv4|198.51.100.0|3|20110811|assigned
apnic|AP|ipv4|203.0.113.0|256|20110811|allocated
apnic|KP|ipv6|2001:db8::|32|20110811|allocated
";
const GEOFEED: &str = "\
# prefix,country,region,city,postal
192.0.2.0/24,KP,KP-01,Town,
198.51.100.0/24,DE,DE-BE,Berlin,
203.0.113.0/24,,,,
2001:db8::/32,KP,,,
";
const DB_IP: &str = "\
192.0.2.0,192.0.2.255,KP
198.51.100.0,198.51.100.255,DE
203.0.113.0,203.0.113.255,ZZ
2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,KP
";
const DB_IP_CITY: &str = "\
192.0.2.0,192.0.2.255,AS,KP,Pyongyang,Pyongyang,39.0,125.7
198.51.100.0,198.51.100.255,EU,DE,Berlin,Berlin,52.5,13.4
";
const IP2LOCATION: &str = "\
\"3221225984\",\"3221226239\",\"KP\",\"North Korea\"
\"3325256704\",\"3325256959\",\"DE\",\"Germany\"
\"3405803776\",\"3405804031\",\"-\",\"-\"
";
const IPINFO: &str = "\
network,country,country_code,continent
192.0.2.0/24,North Korea,KP,Asia
198.51.100.0/24,Germany,DE,Europe
";
const BLOCKS: &str = "\
network,geoname_id,registered_country_geoname_id,represented_country_geoname_id,is_anonymous_proxy
192.0.2.0/24,1873107,1873107,,0
198.51.100.0/24,2921044,1873107,,0
203.0.113.0/24,,1873107,,0
2001:db8::/32,1873107,,,0
";
const LOCATIONS: &str = "\
geoname_id,locale_code,continent_code,continent_name,country_iso_code,country_name
1873107,en,AS,Asia,KP,\"North Korea\"
2921044,en,EU,Europe,DE,Germany
6255148,en,EU,Europe,,
";

#[test]
fn countries_are_taken_out_of_all_kinds_of_tables() {
    for (text, kp, but_de) in [
        (DELEGATED, "192.0.2.0/24 2001:db8::/32; 5", "192.0.2.0/24 2001:db8::/32; 5"),
        (GEOFEED, "192.0.2.0/24 2001:db8::/32; 2", "192.0.2.0/24 2001:db8::/32; 2"),
        (DB_IP, "192.0.2.0/24 2001:db8::/32; 2", "192.0.2.0/24 2001:db8::/32; 2"),
        (DB_IP_CITY, "192.0.2.0/24; 1", "192.0.2.0/24; 1"),
        (IP2LOCATION, "192.0.2.0/24; 2", "192.0.2.0/24; 2"),
        (IPINFO, "192.0.2.0/24; 2", "192.0.2.0/24; 2"),
    ] {
        check("auto", text, &["countries: KP"], kp);
        check("auto", text, &["countries: !DE"], but_de);
        check("auto", text, &["countries: FR"], "refused: none in");
    }
    // A region of a registry is nobody's country, but may be named.
    check("auto", DELEGATED, &["countries: AP"], "203.0.113.0/24; 6");
    check("auto", DELEGATED, &["countries: DE"], "198.51.100.0/31 198.51.100.2; 6");
    check("auto", GEOFEED, &["countries: *,!DE"], "192.0.2.0/24 203.0.113.0/24 2001:db8::/32; 1");
}

#[test]
fn a_table_of_countries_is_refused_by_the_key_that_decides() {
    for text in [DELEGATED, GEOFEED, DB_IP, DB_IP_CITY, IP2LOCATION, IPINFO, BLOCKS] {
        check("auto", text, &[], "refused: `countries = [");
    }
    // What only its name tells from a list is one to whoever names it.
    check("geofeed", GEOFEED, &[], "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32; 0");
    for (format, text) in [("delegated", DELEGATED), ("ranges", DB_IP), ("maxmind", BLOCKS)] {
        check(format, text, &[], "refused: `countries = [");
    }
}

#[test]
fn a_country_beside_what_a_list_is_about_is_a_note() {
    let blocks = "network,country,last_seen\n192.0.2.0/24,KP,2026\n198.51.100.0/24,DE,2026\n";
    let ranges = "start,end,country,hits\n192.0.2.0,192.0.2.255,KP,7\n\
                  198.51.100.0,198.51.100.255,DE,9\n";
    for text in [blocks, ranges] {
        check("auto", text, &[], "192.0.2.0/24 198.51.100.0/24; 1");
        check("auto", text, &["countries: KP"], "192.0.2.0/24; 2");
    }
    let places = blocks.replace("last_seen", "city");
    check("auto", &places, &[], "refused: `countries = [");
}

#[test]
fn conditions_choose_countries_as_well() {
    check("auto", DELEGATED, &["where: cc = KP"], "192.0.2.0/24 2001:db8::/32; 5");
    check("auto", DB_IP_CITY, &["where: 4 in KP,IR"], "192.0.2.0/24; 1");
    check("auto", IPINFO, &["where: country_code = KP"], "192.0.2.0/24; 2");
    check("auto", GEOFEED, &["where: country = KP"], "192.0.2.0/24 2001:db8::/32; 2");
    let both = ["where: type = ipv4", "countries: KP"];
    check("auto", DELEGATED, &both, "192.0.2.0/24; 6");
}

#[test]
fn the_countries_of_blocks_stand_in_another_file() {
    let kp = ["countries: KP"];
    check("auto", BLOCKS, &kp, "refused: `locations`");
    let named = ["countries: KP", "locations: locations.csv"];
    check("auto", BLOCKS, &named, "refused: `locations` is set");
    let mut taken = options(&named);
    taken.take_locations(LOCATIONS.as_bytes()).expect("a good file");
    // One row refers to no place: where it was registered is not where it is.
    check_with("auto", BLOCKS, &taken, "192.0.2.0/24 2001:db8::/32; 3");
    let mut but = options(&["countries: !KP", "locations: locations.csv"]);
    but.take_locations(LOCATIONS.as_bytes()).expect("a good file");
    check_with("auto", BLOCKS, &but, "198.51.100.0/24; 4");
}

#[test]
fn where_the_countries_stand_is_not_guessed() {
    let two = "192.0.2.0,192.0.2.255,KP,DE\n198.51.100.0,198.51.100.255,DE,KP\n";
    check("auto", two, &["countries: KP"], "refused: ask for one by `where`");
    check("auto", two, &["where: 4 = KP"], "198.51.100.0/24; 1");
    check("auto", two, &[], "refused: `countries = [");
    let none = "192.0.2.0,192.0.2.255,Example,https://example/\n";
    check("auto", none, &["countries: KP"], "refused: ask for one by `where`");
    check("auto", none, &[], "192.0.2.0/24; 0");
    let named = "ip,cc,port\n192.0.2.1,KP,1\n192.0.2.2,DE,1\n";
    check("auto", named, &["countries: KP"], "192.0.2.1; 2");
    let table = "ip,nation,port\n192.0.2.1,KP,1\n192.0.2.2,DE,1\n";
    check("auto", table, &["countries: KP"], "refused: ask for one by `where`");
}
