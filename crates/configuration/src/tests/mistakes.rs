//! Every kind of mistake with its exact message.

use blocklist::{Allow, Format};

use super::super::{ConfigError, Configuration};
use super::{check, feed, good};

#[test]
fn what_is_no_toml_is_shown_where_it_ends_to_be() {
    check("a = 1\na = 2\n", &["2:1: a: duplicate key"]);
    check(
        "[daemon]\n# ünï\n\ton-stop = \"ü\";\n",
        &["3:15: unexpected key or value, expected newline, `#`"],
    );
    check("c = \"\n", &["1:6: invalid basic string, expected `\"`"]);
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_known_one_named() {
    check(
        "[daemon]\nsetle-ms = 100",
        &["2:1: daemon.setle-ms: unknown key, did you mean `settle-ms`?"],
    );
    check("[deamon]\n", &["1:2: deamon: unknown key, did you mean `daemon`?"]);
    check("[[lists]]\n", &["1:3: lists: unknown key, did you mean `list`?"]);
    check(
        "[kernel]\ncolour = 1",
        &[
            "2:1: kernel.colour: unknown key, `set-prefix`, `update`, `layout`, `extra-members-percent-max` or `nflog-group` is allowed",
        ],
    );
    check(
        "[[list]]\nname = \"drop\"\nfeed = [\"*\"]",
        &["3:1: list.feed: unknown key, did you mean `feeds`?"],
    );
    check(
        "[[feed]]\nmatch = \"*\"\ncoverage-percentage-max = 10",
        &["3:1: feed.coverage-percentage-max: unknown key, did you mean `coverage-percent-max`?"],
    );
    check(
        "\"\\u001b[2J\" = 1",
        &[
            "1:1: \\u{1b}[2J: unknown key, `daemon`, `kernel`, `guard`, `list`, `feed`, `rule` or `export` is allowed",
        ],
    );
}

#[test]
fn a_table_of_the_wrong_kind_is_refused() {
    check("daemon = 3", &["1:10: daemon: a table, `[daemon]`, is allowed, not an integer"]);
    check("[[guard]]", &["1:1: guard: a table, `[guard]`, is allowed, not an array"]);
    check("list = 3", &["1:8: list: tables, `[[list]]`, are allowed, not an integer"]);
    check("list = [3]", &["1:9: list: a table, `[[list]]`, is allowed, not an integer"]);
    check("[list]\nname = \"drop\"", &["1:1: list: tables, `[[list]]`, are allowed, not a table"]);
    check("[guard.protect]", &["1:1: guard.protect: an array of strings is allowed, not a table"]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    check(
        "[daemon]\nsettle-ms = \"250\"",
        &["2:13: daemon.settle-ms: a whole number is allowed, not a string"],
    );
    check(
        "[daemon]\nwithdraw-seconds = 1.5",
        &["2:20: daemon.withdraw-seconds: a whole number is allowed, not a float"],
    );
    check(
        "[daemon]\non-stop = true",
        &["2:11: daemon.on-stop: a string is allowed, not a boolean"],
    );
    check(
        "[daemon]\nfeeds-dir = 2026-01-01",
        &["2:13: daemon.feeds-dir: a string is allowed, not a date"],
    );
    check(
        "[guard]\nallow-empty = \"no\"",
        &["2:15: guard.allow-empty: true or false is allowed, not a string"],
    );
    check(
        "[guard]\nprotect = \"private\"",
        &["2:11: guard.protect: an array of strings is allowed, not a string"],
    );
    check(
        "[[list]]\nname = \"drop\"\nallow = [3, \"ok/*\"]",
        &["3:10: list.allow: a string is allowed, not an integer"],
    );
}

#[test]
fn a_number_out_of_range_is_refused_with_its_range() {
    let number = |table: &str, key: &str, value: &str, place: &str, range: &str| {
        let want = format!("{place}: {table}.{key}: {value} is out of range, {range} is allowed");
        check(&format!("[{table}]\n{key} = {value}"), &[&want]);
    };
    number("daemon", "settle-ms", "0", "2:13", "1 to 60000");
    number("daemon", "settle-ms", "-1", "2:13", "1 to 60000");
    number("daemon", "settle-max-seconds", "0", "2:22", "1 to 3600");
    number("daemon", "scan-seconds", "86401", "2:16", "1 to 86400");
    number("daemon", "feeds-max", "1000001", "2:13", "1 to 1000000");
    number("daemon", "probe-seconds", "3601", "2:17", "1 to 3600");
    number("daemon", "audit-seconds", "0", "2:17", "1 to 604800");
    number("daemon", "withdraw-seconds", "604801", "2:20", "0 to 604800");
    number("guard", "rejected-percent-max", "101", "2:24", "0 to 100");
    number("guard", "shrink-percent-max", "101", "2:22", "0 to 100");
    number("guard", "growth-percent-max", "1000001", "2:22", "0 to 1000000");
    number("guard", "coverage-percent-max", "0xff", "2:24", "0 to 100");
    number("guard", "entries-max", "0", "2:15", "1 to 1000000000");
    // Beyond 128 bits, and shown as written.
    let huge = "9".repeat(50);
    number("guard", "entries-max", &huge, "2:15", "1 to 1000000000");
    check("[guard]\nentries-max = 1_000", &[]);
}

#[test]
fn an_unknown_word_is_refused_with_the_words_there_are() {
    check(
        "[daemon]\non-stop = \"flush\"",
        &["2:11: daemon.on-stop: \"flush\" is unknown, `keep` or `remove` is allowed"],
    );
    check(
        "[kernel]\nupdate = \"inplace\"",
        &["2:10: kernel.update: \"inplace\" is unknown, `auto`, `swap` or `in-place` is allowed"],
    );
    let (last, others) = Format::ALL.split_last().expect("there are formats");
    let others: Vec<_> = others.iter().map(|format| format!("`{format}`")).collect();
    let others = others.join(", ");
    check(
        "[[feed]]\nmatch = \"*\"\nformat = \"cvs\"",
        &[&format!(
            "3:10: feed.format: \"cvs\" is unknown, `auto`, {others} or `{last}` is allowed"
        )],
    );
    check(
        "[guard]\nprotect = [\"privat\", \"own\", \"own\"]",
        &[
            "2:12: guard.protect: \"privat\" is unknown, `unspecified`, `loopback`, `link-local`, \
             `multicast`, `private`, `own`, `gateways` or `resolvers` is allowed",
            "2:29: guard.protect: \"own\" stands here twice",
        ],
    );
}

#[test]
fn a_path_must_mean_the_same_everywhere() {
    for path in ["feeds", "", "/", "/var/lib/../etc", "/a\\u0000b"] {
        let shown = path.replace("\\u0000", "\\0");
        let want = format!(
            "2:13: daemon.feeds-dir: \"{shown}\" is no usable path, \
             an absolute path without `..` and other than `/` is allowed"
        );
        check(&format!("[daemon]\nfeeds-dir = \"{path}\""), &[&want]);
    }
    let config = good("[daemon]\nfeeds-dir = \"/srv//feeds/./a/\"");
    assert_eq!(config.daemon.feeds_dir.as_os_str(), "/srv/feeds/a");
}

#[test]
fn what_the_program_writes_stays_out_of_the_feeds() {
    check(
        "[daemon]\nfeeds-dir = \"/srv/feeds\"\nstate-dir = \"/srv/feeds/.state\"",
        &["3:13: daemon.state-dir: is within feeds-dir, /srv/feeds: copies would be feeds"],
    );
    check(
        "[daemon]\nfeeds-dir = \"/var/lib/denyset\"",
        &["2:13: daemon.state-dir: is within feeds-dir, /var/lib/denyset: copies would be feeds"],
    );
    check(
        "[daemon]\nstate-dir = \"/var/lib/denyset\"",
        &["2:13: daemon.state-dir: holds feeds-dir, /var/lib/denyset/feeds: \
           it is for copies alone"],
    );
    check(
        "[daemon]\ncontrol-socket = \"/var/lib/denyset/feeds/s\"",
        &["2:18: daemon.control-socket: is within feeds-dir, /var/lib/denyset/feeds, \
           which is for feeds"],
    );
    check(
        "[daemon]\nlists-dir = \"/var/lib/denyset/feeds/lists\"",
        &["2:13: daemon.lists-dir: is within feeds-dir, /var/lib/denyset/feeds, \
           which is for feeds"],
    );
    for lists in ["/var/lib/denyset", "/var/lib/denyset/state", "/var/lib/denyset/state/lists"] {
        check(
            &format!("[daemon]\nlists-dir = \"{lists}\""),
            &["2:13: daemon.lists-dir: is to be a folder of its own"],
        );
    }
    check(
        &format!("[daemon]\ncontrol-socket = \"/{}\"", "a".repeat(103)),
        &["2:18: daemon.control-socket: is too long, a socket's path has 103 bytes at most"],
    );
}

#[test]
fn names_of_sets_must_fit_the_kernel() {
    check("[kernel]\nset-prefix = \"\"", &["2:14: kernel.set-prefix: the name is empty"]);
    check(
        "[kernel]\nset-prefix = \"my sets\"",
        &["2:14: kernel.set-prefix: `my sets` has the character ' ', \
           only A-Z a-z 0-9 _ . - may stand in a name"],
    );
    check(
        "[kernel]\nset-prefix = \"aaaaaaaaaabbbbbbbbbbc\"",
        &["2:14: kernel.set-prefix: `aaaaaaaaaabbbbbbbbbbc` is 21 bytes long, at most 20 fit"],
    );
    check(
        "[[list]]\nname = \"abcdefghijabcdefghijabc\"",
        &["2:8: list.name: `denyset-abcdefghijabcdefghijabc-v4` is 34 bytes long, at most 31 fit"],
    );
    check("[[list]]\nname = \".1\"", &["2:8: list.name: `.1` must begin with a letter or a digit"]);
}

#[test]
fn a_list_needs_a_name_of_its_own() {
    check(
        "[[list]]\nfeeds = [\"*\"]",
        &["1:1: list.name: is missing; it becomes a part of the names of the list's two sets"],
    );
    check(
        "[[list]]\nname = \"drop\"\n\n[[list]]\nname = \"drop\"",
        &["5:8: list.name: \"drop\" is the name of the list in line 2 already"],
    );
    check(
        "[[feed]]\nformat = \"plain\"",
        &["1:1: feed.match: is missing; \
           a glob on the names of the feeds that the table is for is needed"],
    );
}

#[test]
fn a_glob_must_be_one_that_can_match() {
    check(
        "[[list]]\nname = \"drop\"\nfeeds = [\"/etc/*\", \"\"]",
        &[
            "3:10: list.feeds: \"/etc/*\" begins with `/`, \
             a glob on paths below feeds-dir is allowed",
            "3:20: list.feeds: is empty, a glob on paths below feeds-dir is allowed",
        ],
    );
    let mistakes = Configuration::parse("[[feed]]\nmatch = \"a[\"").expect_err("no glob");
    assert!(mistakes[0].to_string().starts_with("2:9: feed.match: \"a[\" is no glob: "));
}

#[test]
fn what_looks_like_an_address_never_becomes_a_glob() {
    let allow = |text: &str, why: &str| {
        let text = format!("[[list]]\nname = \"drop\"\nallow = [\"{text}\"]");
        check(&text, &[&format!("3:10: list.allow: {why}")]);
    };
    allow(
        "10.0.0.0/33",
        "\"10.0.0.0/33\" looks like an address: \
         the prefix length must be a decimal number from 0 to 32",
    );
    allow(
        "10.0.0.1/8",
        "\"10.0.0.1/8\" looks like an address: \
         it has bits set beyond its length: write 10.0.0.0/8, or the address alone",
    );
    allow(
        "010.0.0.1",
        "\"010.0.0.1\" looks like an address: \
         an octet begins with a zero: octal to some programs, decimal to others",
    );
    allow("10.1", "\"10.1\" looks like an address: an IPv4 address has exactly four octets");
    allow(
        "192.0.2.*",
        "\"192.0.2.*\" looks like an address: neither an address, a prefix nor a range",
    );
    allow(
        "192.0.2.1-192.0.2.9",
        "\"192.0.2.1-192.0.2.9\" looks like an address: \
         a range stands only in feeds; write prefixes",
    );
    allow(
        "fe80::1%eth0",
        "\"fe80::1%eth0\" looks like an address: \
         an address with a zone belongs to one host's interface",
    );
    allow(
        "2001:db8::/129",
        "\"2001:db8::/129\" looks like an address: \
         the prefix length must be a decimal number from 0 to 128",
    );
}

#[test]
fn what_is_allowed_may_be_a_glob_an_address_or_a_prefix() {
    let text = "[[list]]\nname = \"a\"\nallow = [\"allow/*\", \"192.0.2.10\", \"2001:db8::/64\"]";
    let allow = &good(text).lists[0].list.allow;
    assert!(matches!(&allow[0], Allow::Feeds(glob) if glob.matches(&feed("allow/us"))));
    for (position, want) in [(1, "192.0.2.10"), (2, "2001:db8::/64")] {
        assert!(matches!(allow[position], Allow::Prefix(prefix) if prefix.to_string() == want));
    }
}

#[test]
fn options_of_feeds_have_their_own_limits() {
    let option =
        |line: &str, want: &str| check(&format!("[[feed]]\nmatch = \"*\"\n{line}"), &[want]);
    option(
        "length-column = 0",
        "3:17: feed.length-column: 0 is out of range, 1 to 1000 is allowed",
    );
    option(
        "where = [\"confidence\"]",
        "3:10: feed.where: `confidence` is no condition: write a field, one of =, !=, <, <=, >, >=, in, \
         not in, exists, and what to compare with, `confidence >= 90`",
    );
    option("column = 0", "3:10: feed.column: 0 is out of range, 1 to 1000 is allowed");
    option("column = \" \"", "3:10: feed.column: is empty, a number from 1 or a name is allowed");
    option(
        "path = \"a[].b, c d\"",
        "3:8: feed.path: `c d` is no path to a field: write keys with dots, `[]` behind arrays, \
         `a.b[].c`",
    );
    option("column = true", "3:10: feed.column: a whole number is allowed, not a boolean");
    option("max-age = 3", "3:11: feed.max-age: a string is allowed, not an integer");
    for age in ["2", "2000d", "-2d", "0s", "1mo", "soon"] {
        let want = format!(
            "3:11: feed.max-age: \"{age}\" is no usable time, \
             a time with its unit is allowed, \"90m\", \"36h\", \"7d\", 366 days at most"
        );
        option(&format!("max-age = \"{age}\""), &want);
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_in_their_order() {
    let text = "\
[daemon]
settle-ms = 0
on-stop = 1
[[list]]
name = \"drop me\"
fedes = []
[kernel]
set-prefix = \"-\"
";
    let want = [
        "2:13: daemon.settle-ms: 0 is out of range, 1 to 60000 is allowed",
        "3:11: daemon.on-stop: a string is allowed, not an integer",
        "5:8: list.name: `drop me` has the character ' ', \
         only A-Z a-z 0-9 _ . - may stand in a name",
        "6:1: list.fedes: unknown key, did you mean `feeds`?",
        "8:14: kernel.set-prefix: `-` must begin with a letter or a digit",
    ];
    check(text, &want);

    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("denyset.toml");
    std::fs::write(&file, text).expect("it can be written");
    let error = Configuration::load(&file).expect_err("it is full of mistakes");
    let lines: Vec<String> = want.iter().map(|line| format!("{}:{line}", file.display())).collect();
    assert_eq!(error.to_string(), lines.join("\n"));
    assert_eq!(error.mistakes().len(), want.len());
}

#[test]
fn what_a_feed_says_about_reading_fits_into_the_header_of_its_copy() {
    let table = |bytes: usize| {
        let half = "x".repeat(bytes / 2);
        format!("[[feed]]\nmatch = \"*\"\ncolumn = \"{half}\"\nselect = [\"{half}\"]\n")
    };
    good(&table(4096));
    let keys = "`column`, `last-column`, `length-column`, `path`, `select`, `where`, `locations` \
                and `asn-feed`";
    check(
        &table(4098),
        &[&format!("1:1: feed.match: {keys} have 4098 bytes together, at most 4096 fit")],
    );
}

#[test]
fn what_is_no_country_no_network_and_no_file_is_told_at_its_place() {
    let country = "is no country: two letters of ISO 3166-1 are allowed, `KP`, with `!` for all \
                   but this one, or `*` for all";
    let network = "is no number of a network: AS1 to AS4294967294 is allowed, as in `AS64500`";
    let check_key = |key: &str, value: &str, want: &str| {
        let text = format!("[[feed]]\nmatch = \"*\"\n{key} = {value}\n");
        check(&text, &[&format!("3:{want}")]);
    };
    check_key("countries", "[\"DEU\"]", &format!("14: feed.countries: `DEU` {country}"));
    check_key(
        "countries",
        "[\"KP\", \"!UK\"]",
        &format!("20: feed.countries: `!UK` {country}; the United Kingdom is GB"),
    );
    check_key(
        "countries",
        "[\"DE\", \"!DE\"]",
        "14: feed.countries: `!DE` takes out what is named beside it",
    );
    check_key("asns", "[\"AS0\"]", &format!("9: feed.asns: `AS0` {network}"));
    check_key("asns", "[\"AS1\", \"x\"]", &format!("16: feed.asns: `x` {network}"));
    check_key("asns", "[64500]", "9: feed.asns: a string is allowed, not an integer");
    for key in ["locations", "asn-feed"] {
        for file in ["/etc/passwd", "../x", "", ".x", "a//b"] {
            let text = format!("[[feed]]\nmatch = \"*\"\n{key} = \"{file}\"\n");
            let mistakes = Configuration::parse(&text).expect_err("it is no file in feeds-dir");
            let found = mistakes[0].to_string();
            assert!(found.contains(&format!("feed.{key}")), "{found}");
        }
    }
}

#[test]
fn a_file_that_is_no_configuration_is_an_error_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("denyset.toml");
    let missing = Configuration::load(&file).expect_err("there is none");
    assert!(matches!(missing, ConfigError::Read { .. }), "{missing}");
    assert!(missing.to_string().contains("denyset.toml: No such file"), "{missing}");

    let bytes = [b"# \xc3\xbc\n#\xff".as_slice(), &[0xff; 9]].concat();
    std::fs::write(&file, bytes).expect("it can be written");
    let binary = Configuration::load(&file).expect_err("it is no text").to_string();
    assert_eq!(binary, format!("{}:2:2: is not UTF-8, which TOML has to be", file.display()));

    std::fs::write(&file, vec![b'\n'; 5 << 20]).expect("it can be written");
    let long = Configuration::load(&file).expect_err("it is too long").to_string();
    assert!(long.ends_with("is longer than 4194304 bytes, which is the limit"), "{long}");
}
