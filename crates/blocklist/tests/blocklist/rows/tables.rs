//! Conditions on the rows of tables, by the number or the name of a column.

use super::check;

const TABLE: &str = "\
ip,country,confidence,active
192.0.2.1,CN,90,true
192.0.2.2,DE,89.5,true
192.0.2.3,RU,100,false
192.0.2.4,,7,true
192.0.2.5,CN
";

#[test]
fn rows_count_by_any_of_the_comparisons() {
    for (condition, want) in [
        ("country = CN", "192.0.2.1 192.0.2.5; 3"),
        ("2 = CN", "192.0.2.1 192.0.2.5; 3"),
        ("country in CN, RU", "192.0.2.1 192.0.2.3 192.0.2.5; 2"),
        // A row without the field is left out of whatever is asked.
        ("country not in CN,RU", "192.0.2.2; 4"),
        ("country != CN", "192.0.2.2 192.0.2.3; 3"),
        ("country exists", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.5; 1"),
        ("confidence >= 90", "192.0.2.1 192.0.2.3; 3"),
        ("confidence > 90", "192.0.2.3; 4"),
        ("confidence < 89.50", "192.0.2.4; 4"),
        ("confidence <= 89.5", "192.0.2.2 192.0.2.4; 3"),
        ("confidence = 90.0", "192.0.2.1; 4"),
        ("confidence != 90", "192.0.2.2 192.0.2.3 192.0.2.4; 2"),
        ("active = true", "192.0.2.1 192.0.2.2 192.0.2.4; 2"),
        ("9 exists", "refused: none in 6 lines"),
        ("nation = CN", "refused: there is no column `nation`"),
        ("0 = CN", "refused: there is no column `0`"),
    ] {
        // The header is ignored too.
        let want = match want.rsplit_once("; ") {
            Some((prefixes, left)) => {
                format!("{prefixes}; {}", left.parse::<u64>().expect("a number") + 1)
            }
            None => want.to_owned(),
        };
        check("auto", TABLE, &[&format!("where: {condition}")], &want);
        check("table", &TABLE.replace(',', ";"), &[&format!("where: {condition}")], &want);
        check("table", &TABLE.replace(',', "\t"), &[&format!("where: {condition}")], &want);
    }
}

#[test]
fn a_row_has_to_fit_all_conditions() {
    let both = ["where: country in CN,RU", "where: confidence > 95"];
    check("auto", TABLE, &both, "192.0.2.3; 5");
}

#[test]
fn which_rows_count_does_not_say_where_their_addresses_stand() {
    let text = "network,prefixlen,country\n192.0.2.0,24,CN\n198.51.100.0,24,DE\n";
    check("auto", text, &["where: country = CN"], "refused: `length-column`");
    let said = ["where: country = CN", "column: network", "length-column: prefixlen"];
    check("auto", text, &said, "192.0.2.0/24; 2");
    let text = "src,dst,country\n192.0.2.1,198.51.100.9,CN\n192.0.2.7,198.51.100.3,DE\n";
    check("auto", text, &["where: country = CN"], "refused: name the `column`");
    check("auto", text, &["where: country = CN", "column: src"], "192.0.2.1; 2");
    let text = "192.0.2.0,24,CN\n198.51.100.0,24,DE\n";
    check("auto", text, &["where: 3 = CN"], "refused: `length-column`");
    check("auto", text, &["where: 3 = CN", "where: 2 > 3"], "192.0.2.0; 1");
    check("auto", text, &["where: 3 = CN", "column: 1"], "192.0.2.0; 1");
    check("auto", text, &["where: 3 = CN", "column: 1", "length-column: 2"], "192.0.2.0/24; 1");
}

#[test]
fn every_format_with_columns_can_be_asked() {
    for (text, condition, want) in [
        ("192.0.2.1\t3\n192.0.2.2\t1\n", "2 >= 3", "192.0.2.1; 1"),
        ("192.0.2.1\t3\n192.0.2.2\t0\n", "count > 0", "192.0.2.1; 1"),
        (
            "Start\tEnd\tNetmask\tAttacks\tName\tCountry\n\
             192.0.2.0\t192.0.2.255\t24\t579\tX\tCN\n\
             198.51.100.0\t198.51.100.255\t24\t12\tY\tDE\n",
            "Attacks > 100",
            "192.0.2.0/24; 2",
        ),
        (
            "192.0.2.0\t192.0.2.255\t24\t579\tX\tCN\n198.51.100.0\t198.51.100.255\t24\t12\tY\tDE\n",
            "6 in CN,RU",
            "192.0.2.0/24; 1",
        ),
        (
            "# abuse.ch Feodo Tracker #\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\"\n\
             \"2026\",\"192.0.2.8\",\"443\",\"online\"\n\"2026\",\"192.0.2.9\",\"80\",\"offline\"\n\
             # END 2 entries\n",
            "c2_status = online",
            "192.0.2.8; 2",
        ),
        (
            "duration,scope,value,reason\n4h,ip,192.0.2.1,ssh-bf\n4h,ip,192.0.2.2,http\n",
            "reason = ssh-bf",
            "192.0.2.1; 2",
        ),
        (
            "start_ip,end_ip,name\n192.0.2.0,192.0.2.255,Amazon AWS\n\
             198.51.100.0,198.51.100.255,Other\n",
            "name = Amazon AWS",
            "192.0.2.0/24; 2",
        ),
        (
            "192.0.2.0,192.0.2.255,deny\n198.51.100.0,198.51.100.255,allow\n",
            "3 = deny",
            "refused: `last-column`",
        ),
        (
            "network,is_anonymous,is_hosting_provider\n192.0.2.0/24,1,0\n198.51.100.0/24,0,1\n",
            "is_anonymous = 1",
            "192.0.2.0/24; 2",
        ),
        (
            "192.0.2.0/24,KP,KP-01,Town,\n198.51.100.0/24,DE,DE-BE,Berlin,\n",
            "city = Berlin",
            "198.51.100.0/24; 1",
        ),
        (
            "2|apnic|20260101|2|19850701|20260101|+1000\napnic|*|ipv4|*|2|summary\n\
             apnic|AU|ipv4|192.0.2.0|256|20110811|allocated\n\
             apnic|AU|ipv4|198.51.100.0|256|20200811|assigned\n",
            "date >= 20200101",
            "198.51.100.0/24; 3",
        ),
        ("192.0.2.0\t24\t13335\n198.51.100.0\t24\t64500\n", "3 = 64500", "198.51.100.0/24; 1"),
    ] {
        check("auto", text, &[&format!("where: {condition}")], want);
    }
}

#[test]
fn what_has_no_columns_cannot_be_asked() {
    for text in ["192.0.2.1\n192.0.2.2\n", "deny 192.0.2.1;\n", "$SOA 1 a b 1 1 1 1 1\n192.0.2.1\n"]
    {
        let why = if text.starts_with("192") { "refused: `column`" } else { "refused: `where`" };
        check("auto", text, &["where: 2 = CN"], why);
        check("auto", text, &["countries: KP"], "refused: `countries`");
        check("auto", text, &["asns: AS1"], "refused: `asns`");
    }
}
