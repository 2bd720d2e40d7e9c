//! What an `[[export]]` means, and every mistake in one with its exact message.

use std::time::Duration;

use blocklist::ExportFormat;

use super::{check, good};

const LIST: &str = "[[list]]\nname = \"drop\"\n";
const EXPORT: &str = "[[export]]\nlist = \"drop\"\nformat = \"plain\"\npath = \"/x/drop\"\n";

#[test]
fn an_export_means_what_it_says() {
    let config = good(&format!("{LIST}{EXPORT}"));
    let export = &config.exports[0];
    assert_eq!((export.list.as_str(), export.format), ("drop", ExportFormat::Plain));
    assert_eq!((export.mode, export.owner_group.as_deref()), (0o640, None));
    assert_eq!((export.min_interval, export.at.line), (Duration::from_secs(30), 3));
    let more = "mode = \"0604\"\nowner-group = \"www-data\"\nmin-interval-seconds = 1\n";
    let config = good(&format!("{LIST}{EXPORT}{more}"));
    let export = &config.exports[0];
    assert_eq!((export.mode, export.owner_group.as_deref()), (0o604, Some("www-data")));
    assert_eq!(export.min_interval, Duration::from_secs(1));
}

#[test]
fn what_is_missing_in_an_export_is_asked_for() {
    check(
        "[[export]]\n",
        &[
            "1:1: export.list: is missing; it names the list that is written",
            "1:1: export.format: is missing; it says for whom the list is written",
            "1:1: export.path: is missing; it says where the list is written",
        ],
    );
}

#[test]
fn two_exports_do_not_share_a_file() {
    check(
        &format!("{LIST}{EXPORT}{EXPORT}"),
        &["10:8: export.path: is the file of the export in line 6 already"],
    );
}

#[test]
fn what_is_wrong_in_an_export_is_told_at_its_place() {
    let check_key = |key: &str, value: &str, want: &str| {
        let line = format!("{key} = {value}\n");
        let export: String = EXPORT
            .split_inclusive('\n')
            .map(|before| if before.starts_with(key) { line.as_str() } else { before })
            .collect();
        let added = if export.contains(&line) { "" } else { &line };
        check(&format!("{LIST}{export}{added}"), &[want]);
    };
    check_key("list", "\"dorp\"", "4:8: export.list: there is no list \"dorp\"");
    check_key(
        "format",
        "\"apache\"",
        "5:10: export.format: \"apache\" is unknown, `nginx-geo`, `haproxy-acl`, `apache-txt`, \
         `apache-sdbm`, `plain` or `json` is allowed",
    );
    check_key(
        "path",
        "\"drop.geo\"",
        "6:8: export.path: \"drop.geo\" is no usable path, an absolute path without `..` and other \
         than `/` is allowed",
    );
    check_key(
        "path",
        "\"/var/lib/denyset/feeds/x\"",
        "6:8: export.path: is within feeds-dir, /var/lib/denyset/feeds, which is not for exports",
    );
    let mode = "is no mode: three octal digits as in \"0640\" are allowed";
    check_key("mode", "\"0888\"", &format!("7:8: export.mode: \"0888\" {mode}"));
    check_key("mode", "\"4755\"", &format!("7:8: export.mode: \"4755\" {mode}"));
    check_key("mode", "640", "7:8: export.mode: a string is allowed, not an integer");
    check_key("owner-group", "\"a b\"", "7:15: export.owner-group: \"a b\" is no name of a group");
    check_key(
        "min-interval-seconds",
        "0",
        "7:24: export.min-interval-seconds: 0 is out of range, 1 to 86400 is allowed",
    );
    check_key("owner", "1", "7:1: export.owner: unknown key, did you mean `owner-group`?");
}
