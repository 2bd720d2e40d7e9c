//! What a good file means: every option, and which guard is in force for which
//! feed.

use std::time::Duration;

use blocklist::{AsNumber, Column, Format, FormatChoice, GuardPolicy, Protect};
use intake::WhenStale;
use reconcile::MemberLayout;

use super::super::{Configuration, DaemonTable, OnStop, UpdateMode};
use super::{check, feed, good};

#[test]
fn every_option_arrives() {
    let config = good(
        "
[daemon]
settle-ms = 1
settle-max-seconds = 2
scan-seconds = 3
feeds-max = 4
ignore = [\"*.md\", \"old/**\"]
withdraw-seconds = 0
on-stop = \"remove\"
[kernel]
set-prefix = \"x.\"
update = \"in-place\"
[guard]
protect = [\"own\"]
[[feed]]
match = \"a\"
format = \"plain\"
column = \"dst_ip\"
max-age = \"1d 12h\"
[[feed]]
match = \"b\"
column = 2
last-column = \"end\"
length-column = 3
select = [\"set:bad\"]
where = [\"n >= 90\", \"cc in CN,RU\"]
countries = [\"KP\", \"!de\"]
locations = \"GeoLite2-Country-Locations-en.csv\"
asns = [\"AS64500\", \"64501\"]
asn-feed = \"spamhaus/asndrop.json\"
[[feed]]
match = \"[b]\"
column = 4
",
    );
    assert_eq!(config.daemon.settle, Duration::from_millis(1));
    assert_eq!(config.daemon.settle_max, Duration::from_secs(2));
    assert_eq!(config.daemon.scan, Duration::from_secs(3));
    assert_eq!(config.daemon.feeds_max, 4);
    assert_eq!(config.daemon.ignore.len(), 2);
    assert_eq!(config.daemon.withdraw, Duration::ZERO);
    assert_eq!(config.daemon.on_stop, OnStop::Remove);
    assert_eq!(config.kernel.set_prefix.as_str(), "x.");
    assert_eq!(config.kernel.update, UpdateMode::InPlace);
    assert_eq!(config.protect, [Protect::Own]);
    assert_eq!(config.feeds[0].column, Some(Column::Name("dst_ip".into())));
    assert_eq!(config.feeds[1].column, Some(Column::Number(2)));
    let options = config.options_for(&feed("b"));
    assert_eq!(options.column, Some(Column::Number(4)));
    assert_eq!(options.last_column, Some(Column::Name("end".into())));
    assert_eq!(options.length_column, Some(Column::Number(3)));
    assert_eq!(options.select, ["set:bad"]);
    let conditions: Vec<_> = options.conditions.iter().map(ToString::to_string).collect();
    assert_eq!(conditions, ["n >= 90", "cc in CN,RU"]);
    let countries: Vec<_> = options.countries.iter().map(ToString::to_string).collect();
    assert_eq!(countries, ["KP", "!DE"]);
    assert_eq!(options.locations.as_deref(), Some("GeoLite2-Country-Locations-en.csv"));
    assert_eq!(options.asns, [AsNumber(64_500), AsNumber(64_501)]);
    assert_eq!(options.asn_feed.as_deref(), Some("spamhaus/asndrop.json"));
    assert_eq!(
        config.rules().max_age_for(&feed("a")),
        Some((Duration::from_secs(36 * 3_600), WhenStale::Keep))
    );
    assert_eq!(config.rules().max_age_for(&feed("b")), None);
    assert_eq!(config.format_for(&feed("a")), FormatChoice::Fixed(Format::Plain));
}

#[test]
fn a_layout_has_its_limit_only_if_lengths_are_chosen() {
    let check = |keys: &str, want| {
        assert_eq!(good(&format!("[kernel]\n{keys}")).kernel.layout, want, "{keys}");
    };
    check("", MemberLayout::FewLengths { extra_percent_max: 25 });
    check("extra-members-percent-max = 7", MemberLayout::FewLengths { extra_percent_max: 7 });
    check("layout = \"exact\"", MemberLayout::Exact);
}

#[test]
fn a_list_protects_what_it_says_or_what_the_guard_says_or_nothing() {
    let config = good(
        "
[guard]
protect = [\"own\", \"private\"]
[[list]]
name = \"own\"
feeds = [\"*\"]
protect = [\"loopback\"]
[[list]]
name = \"inherited\"
feeds = [\"*\"]
[[list]]
name = \"allow-only\"
allow = [\"192.0.2.1\"]
",
    );
    let protect: Vec<_> = config.lists.iter().map(|list| list.list.protect.clone()).collect();
    assert_eq!(protect, [vec![Protect::Loopback], vec![Protect::Own, Protect::Private], vec![]]);
}

#[test]
fn the_most_specific_guard_wins_and_of_equals_the_strictest() {
    let config = good(
        "
[guard]
shrink-percent-max = 10
[[list]]
name = \"loose\"
feeds = [\"a*\"]
shrink-percent-max = 90
growth-percent-max = 900
protect = [\"own\", \"private\"]
[[list]]
name = \"strict\"
feeds = [\"*b\"]
shrink-percent-max = 20
protect = [\"private\"]
[[feed]]
match = \"*c\"
shrink-percent-max = 60
allow-empty = true
[[feed]]
match = \"ac\"
shrink-percent-max = 70
",
    );
    let check = |name: &str, want: (u32, u32, bool)| {
        let policy = config.rules().guard_for(&feed(name));
        let found = (policy.shrink_percent_max, policy.growth_percent_max, policy.allow_empty);
        assert_eq!(found, want, "{name}");
    };
    check("none", (10, 400, false));
    check("a", (90, 900, false));
    check("b", (20, 400, false));
    check("ab", (20, 400, false));
    check("abc", (60, 900, true));
    check("ac", (70, 900, true));
    check("c", (60, 400, true));
    assert_eq!(
        config.rules().guard_for(&feed("none")).entries_max,
        GuardPolicy::default().entries_max
    );

    let protect = |name: &str| config.rules().protect_for(&feed(name));
    assert_eq!(protect("none"), Protect::ALL);
    assert_eq!(protect("a"), [Protect::Own, Protect::Private]);
    assert_eq!(protect("ab"), [Protect::Private]);
}

#[test]
fn what_stands_in_the_table_of_the_daemon_is_found_in_spite_of_mistakes() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("denyset.toml");
    let check = |text: &str, want: &str| {
        std::fs::write(&file, text).expect("it can be written");
        assert_eq!(DaemonTable::salvage(&file).control_socket.as_os_str(), want, "{text}");
    };
    let default = "/run/denyset/control.sock";
    check("[daemon]\ncontrol-socket = \"/run/x\"\n", "/run/x");
    check("[daemon]\nprobe-second = 1\ncontrol-socket = \"/run/x\"\n[demon]\n", "/run/x");
    check("[daemon]\ncontrol-socket = \"/run/x\"\n[kernel\n", "/run/x");
    check("[daemon]\ncontrol-socket = \"run/x\"\n", default);
    check("[daemon]\ncontrol-socket = 7\n", default);
    check("daemon = 7\n", default);
    check("= = =", default);
    std::fs::remove_file(&file).expect("it was there");
    assert_eq!(DaemonTable::salvage(&file), DaemonTable::default());
}

#[test]
fn the_text_that_was_checked_is_given_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("denyset.toml");
    let text = "# ours\n[daemon]\nsettle-ms = 7\n";
    std::fs::write(&file, text).expect("it can be written");
    let (config, read) = Configuration::read(&file).expect("a good configuration");
    assert_eq!((read.as_str(), config), (text, good(text)));
}

#[test]
fn a_glob_may_match_nothing_where_the_configuration_says_so() {
    let config = good(
        "
[[list]]
name = \"drop\"
feeds = [\"*.netset\", \"office/*\", \"office/new\", \"shop/*\"]
[[list]]
name = \"spare\"
feeds = [\"spare/*\"]
optional = true
[[feed]]
match = \"office/*\"
optional = true
[[feed]]
match = \"shop/*\"
",
    );
    let may = |list: usize| {
        let list = &config.lists[list];
        let globs = list.list.feeds.iter();
        globs.map(|glob| config.may_match_nothing(list, glob)).collect::<Vec<_>>()
    };
    assert_eq!(may(0), [false, true, true, false]);
    assert_eq!(may(1), [true]);
    check(
        "[[feed]]\nmatch = \"*\"\noptional = 1",
        &["3:12: feed.optional: true or false is allowed, not an integer"],
    );
}
