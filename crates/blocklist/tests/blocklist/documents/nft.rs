//! Sets as `nft -j` prints them.

use blocklist::Format::NftJson;

use super::{check, check_as};

fn set(fields: &str) -> String {
    format!(
        "{{\"nftables\":[{{\"metainfo\":{{\"version\":\"1.0.9\",\"json_schema_version\":1}}}},\
         {{\"set\":{{\"family\":\"inet\",\"name\":\"b4\",\"table\":\"t\",{fields}}}}}]}}"
    )
}

#[test]
fn an_element_is_an_address_a_prefix_or_a_range() {
    for (elements, want) in [
        ("[\"192.0.2.1\",\"192.0.2.2\"]", "192.0.2.1, 192.0.2.2, ignored 1"),
        ("[{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":24}}]", "192.0.2.0/24, ignored 1"),
        ("[{\"range\":[\"192.0.2.1\",\"192.0.2.3\"]}]", "192.0.2.1, 192.0.2.2/31, ignored 1"),
        (
            "[{\"elem\":{\"val\":\"192.0.2.1\",\"timeout\":3600,\"expires\":3599}}]",
            "192.0.2.1 for 3599, ignored 1",
        ),
        ("[{\"elem\":{\"val\":\"192.0.2.1\",\"timeout\":3600}}]", "192.0.2.1 for 3600, ignored 1"),
        (
            "[{\"elem\":{\"val\":{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":24}},\"comment\":\"203.0.113.1\"}}]",
            "192.0.2.0/24, ignored 1",
        ),
        (
            "[{\"elem\":{\"counter\":{\"packets\":0,\"bytes\":0},\"val\":\"192.0.2.1\"}}]",
            "192.0.2.1, ignored 1",
        ),
        ("[{\"elem\":{\"val\":\"192.0.2.1\",\"expires\":0}}]", "ignored 2"),
        ("[]", "ignored 1"),
        ("null", "ignored 1"),
        (
            "[{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":33}}]",
            "ignored 1, line 1 PrefixLength { max: 32 }",
        ),
        ("[{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":-1}}]", "ignored 1, line 1 NotAnAddress"),
        ("[{\"prefix\":{\"addr\":\"192.0.2.0\"}}]", "ignored 1, line 1 NotAnAddress"),
        (
            "[{\"prefix\":{\"addr\":\"192.0.2.0/8\",\"len\":24}}]",
            "ignored 1, line 1 PrefixLength { max: 32 }",
        ),
        ("[{\"range\":[\"192.0.2.3\",\"192.0.2.1\"]}]", "ignored 1, line 1 Reversed"),
        ("[{\"range\":[\"192.0.2.3\"]}]", "ignored 1, line 1 NotAnAddress"),
        ("[{\"range\":[\"192.0.2.1\",\"2001:db8::\"]}]", "ignored 1, line 1 Families"),
        ("[{\"concat\":[\"192.0.2.1\",22]}]", "ignored 1, line 1 NotAnAddress"),
        (
            "[{\"elem\":{\"val\":{\"elem\":{\"val\":\"192.0.2.1\"}}}}]",
            "ignored 1, line 1 NotAnAddress",
        ),
        ("[{\"elem\":{\"expires\":7}}]", "ignored 1, line 1 NotAnAddress"),
        ("[{\"elem\":{\"val\":\"192.0.2.1\",\"expires\":-7}}]", "ignored 1, line 1 NotAnAddress"),
        (
            "[{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":24},\"range\":[\"1.1.1.1\",\"9.9.9.9\"]}]",
            "ignored 1, line 1 NotAnAddress",
        ),
        ("[22,true]", "ignored 1, line 1 NotAnAddress, line 1 NotAnAddress"),
        ("[\"bad.example\",\"@other\"]", "ignored 1, line 1 NotAnAddress, line 1 NotAnAddress"),
    ] {
        check(NftJson, &set(&format!("\"type\":\"ipv4_addr\",\"elem\":{elements}")), want);
        check(NftJson, &set(&format!("\"elem\":{elements},\"type\":\"ipv4_addr\"")), want);
    }
    check(
        NftJson,
        &set("\"type\":\"ipv6_addr\",\"elem\":[\"2001:db8::1\"]"),
        "2001:db8::1, ignored 1",
    );
}

#[test]
fn what_is_no_set_of_addresses_is_ignored() {
    check(NftJson, &set("\"type\":\"inet_service\",\"elem\":[22]"), "ignored 2");
    check(
        NftJson,
        &set(
            "\"type\":[\"ipv4_addr\",\"inet_service\"],\"elem\":[{\"concat\":[\"192.0.2.1\",22]}]",
        ),
        "ignored 2",
    );
    check(NftJson, &set("\"type\":\"ipv4_addr\""), "ignored 1");
    for object in [
        "{\"rule\":{\"expr\":[{\"match\":{\"right\":\"192.0.2.1\"}},{\"drop\":null}]}}",
        "{\"chain\":{\"name\":\"192.0.2.1\"}}",
        "{\"map\":{\"type\":\"ipv4_addr\",\"map\":\"verdict\",\"elem\":[[\"192.0.2.1\",{\"drop\":null}]]}}",
        "{\"delete\":{\"set\":{\"type\":\"ipv4_addr\",\"elem\":[\"192.0.2.1\"]}}}",
        "{}",
    ] {
        check(NftJson, &format!("{{\"nftables\":[{object}]}}"), "ignored 1");
    }
    check_as(NftJson, "{\"nftables\":[7]}", "line 1 Foreign");
    check_as(NftJson, "{\"nftables\":7}", "line 1 MissingField");
    check(NftJson, "{\"nftables\":[]}", "");
}

#[test]
fn sets_may_stand_in_commands() {
    for command in ["add", "create"] {
        let text = format!(
            "{{\"nftables\":[{{\"{command}\":{{\"set\":{{\"type\":\"ipv4_addr\",\"elem\":[\"192.0.2.1\"]}}}}}},\
             {{\"{command}\":{{\"element\":{{\"name\":\"b4\",\"elem\":[\"192.0.2.2\"]}}}}}}]}}"
        );
        check(NftJson, &text, "192.0.2.1, 192.0.2.2");
    }
}
