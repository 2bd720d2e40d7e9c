//! Conditions on records of documents, by keys and paths.

use super::check;

#[test]
fn records_count_by_their_fields() {
    let text = "[{\"ip\":\"192.0.2.1\",\"score\":90,\"tags\":[\"c2\",\"spam\"],\"a\":{\"b\":true}},\
                {\"ip\":\"192.0.2.2\",\"score\":5.5,\"tags\":[],\"a\":{\"b\":false}},\
                {\"ip\":\"192.0.2.3\",\"score\":null,\"list\":\"white\"}]";
    let lines = text.trim_matches(['[', ']']).replace("},{", "}\n{");
    for (condition, want) in [
        ("score >= 90", "192.0.2.1; 2"),
        ("score < 90", "192.0.2.2; 2"),
        ("score exists", "192.0.2.1 192.0.2.2; 1"),
        ("score != 5.5", "192.0.2.1; 2"),
        ("tags = c2", "192.0.2.1; 2"),
        ("tags[] = spam", "192.0.2.1; 2"),
        ("tags != c2", "refused: none in"),
        ("a.b = true", "192.0.2.1; 2"),
        ("a.b in true,false", "192.0.2.1 192.0.2.2; 1"),
        ("a exists", "refused: none in"),
        ("list not in black", "192.0.2.3; 2"),
        ("list = white", "192.0.2.3; 2"),
    ] {
        check("auto", text, &[&format!("where: {condition}")], want);
        check("auto", &lines, &[&format!("where: {condition}")], want);
    }
}

#[test]
fn a_field_of_an_object_around_counts_if_the_record_has_none() {
    let text = "{\"values\":[\
                {\"name\":\"Storage\",\"properties\":{\"region\":\"west\",\"addressPrefixes\":[\"192.0.2.0/24\"]}},\
                {\"name\":\"Sql\",\"properties\":{\"region\":\"east\",\"addressPrefixes\":[\"198.51.100.0/24\"]}}]}";
    check("auto", text, &["where: name = Sql"], "198.51.100.0/24; 1");
    check("auto", text, &["where: region = west"], "192.0.2.0/24; 1");
    check("auto", text, &["where: region = west", "where: name = Sql"], "refused: none in");
    check("auto", text, &["where: properties.region = west"], "192.0.2.0/24; 1");
}

#[test]
fn the_services_of_a_cloud_can_be_chosen() {
    let text = "{\"syncToken\":\"1\",\"createDate\":\"x\",\"prefixes\":[\
                {\"ip_prefix\":\"192.0.2.0/24\",\"region\":\"x\",\"service\":\"EC2\"},\
                {\"ip_prefix\":\"198.51.100.0/24\",\"region\":\"y\",\"service\":\"S3\"}],\
                \"ipv6_prefixes\":[{\"ipv6_prefix\":\"2001:db8::/32\",\"service\":\"EC2\"}]}";
    check("auto", text, &["where: service = EC2"], "192.0.2.0/24 2001:db8::/32; 1");
    check("auto", text, &["where: region = y"], "198.51.100.0/24; 2");
}

#[test]
fn records_that_do_not_count_need_no_address() {
    let text = "[{\"id\":1,\"urls\":[\"x\"]},{\"id\":2,\"ips\":[\"192.0.2.0/24\"]},{\"id\":3}]";
    check("json", text, &["path: [].ips[]", "where: id = 2"], "192.0.2.0/24; 2");
}

#[test]
fn decisions_and_drop_lists_are_records_too() {
    let text = "[{\"scope\":\"Ip\",\"value\":\"192.0.2.1\",\"type\":\"ban\",\"origin\":\"CAPI\"},\
                {\"scope\":\"Ip\",\"value\":\"192.0.2.2\",\"type\":\"ban\",\"origin\":\"cscli\"}]";
    check("auto", text, &["where: origin = cscli"], "192.0.2.2; 1");
    let alerts = "[{\"scenario\":\"ssh-bf\",\"decisions\":[{\"scope\":\"Ip\",\"value\":\"192.0.2.1\"}]},\
                  {\"scenario\":\"http\",\"decisions\":[{\"scope\":\"Ip\",\"value\":\"192.0.2.2\"}]}]";
    check("auto", alerts, &["where: scenario = ssh-bf"], "192.0.2.1; 1");
    let text = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n\
                {\"cidr\":\"198.51.100.0/24\",\"sblid\":\"SBL2\",\"rir\":\"apnic\"}\n\
                {\"type\":\"metadata\",\"records\":2}\n";
    check("auto", text, &["where: rir = apnic"], "198.51.100.0/24; 2");
    check("auto", text, &["where: rir = ripencc"], "refused: none in");
}
