//! Files that are read as somebody says: the key that a refusal names can be
//! tried on the command line, for `check` and for `compile`.

use std::fs;
use std::path::Path;

use lab::program::{self, ProgramOutcome};

/// A file, what is said of it, and what comes out: prefixes, or words of the
/// complaint.
struct Case {
    text: &'static str,
    /// Without it the file is refused, with this key in the message.
    refused_for: &'static str,
    arguments: &'static [&'static str],
    blocks: &'static str,
}

const CASES: &[Case] = &[
    Case {
        text: "ip,action\n91.7.8.9,deny\n91.20.30.4,allow\n",
        refused_for: "where",
        arguments: &["--where", "action = deny"],
        blocks: "91.7.8.9\n",
    },
    Case {
        text: "server,client\n91.7.8.9,91.20.30.4\n",
        refused_for: "column",
        arguments: &["--column", "client"],
        blocks: "91.20.30.4\n",
    },
    Case {
        text: "91.20.30.0;24\n91.7.8.9;32\n",
        refused_for: "length-column",
        arguments: &["--feed-format", "table", "--column", "1", "--length-column", "2"],
        blocks: "91.7.8.9\n91.20.30.0/24\n",
    },
    Case {
        text: "a;91.7.8.8;91.7.8.11\nb;91.20.30.4;91.20.30.4\n",
        refused_for: "last-column",
        arguments: &["--feed-format", "table", "--column", "2", "--last-column", "3"],
        blocks: "91.7.8.8/30\n91.20.30.4\n",
    },
    Case {
        text: "create bad hash:ip\ncreate ok hash:ip\nadd bad 91.7.8.9\nadd ok 91.20.30.4\n",
        refused_for: "select",
        arguments: &["--select", "set:bad"],
        blocks: "91.7.8.9\n",
    },
    Case {
        text: "{\"block\":[\"91.7.8.9\"],\"allow\":[\"91.20.30.4\"]}",
        refused_for: "path",
        arguments: &["--path", "block[]"],
        blocks: "91.7.8.9\n",
    },
    Case {
        text: "91.20.30.0/24,DE,DE-BE,Berlin,\n91.7.8.0/24,KP,KP-01,Pyongyang,\n",
        refused_for: "countries",
        arguments: &["--countries", "KP"],
        blocks: "91.7.8.0/24\n",
    },
    Case {
        text: "91.20.30.0\t24\t64500\n91.7.8.0\t24\t64501\n",
        refused_for: "asns",
        arguments: &["--asns", "AS64501,AS64502"],
        blocks: "91.7.8.0/24\n",
    },
];

fn run(verb: &str, file: &Path, arguments: &[&str]) -> ProgramOutcome {
    let file = file.to_str().expect("a plain name");
    let words = [verb, file].into_iter().chain(arguments.iter().copied());
    program::run(words)
}

#[test]
fn the_key_that_a_refusal_names_can_be_tried() {
    let home = tempfile::tempdir().expect("a directory");
    for (number, case) in CASES.iter().enumerate() {
        let file = home.path().join(format!("{number}.txt"));
        fs::write(&file, case.text).expect("it can be written");
        let key = format!("`{}", case.refused_for);
        let config = ["--config", "/dev/null"];
        run("compile", &file, &[]).exits(2).complains(&[&key]);
        run("check", &file, &config).exits(1);
        let outcome = run("compile", &file, case.arguments);
        assert_eq!(outcome.exits(0).stdout, case.blocks, "{:?}", case.arguments);
        run("check", &file, &[case.arguments, &config].concat()).exits(0);
    }
}

#[test]
fn what_is_said_must_be_understood() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("list.txt");
    fs::write(&file, "91.7.8.9\n").expect("it can be written");
    for arguments in [
        ["--feed-format", "csv-of-ours"],
        ["--column", "0"],
        ["--where", "nothing"],
        ["--countries", "UK"],
        ["--asns", "x"],
        ["--path", "a..b"],
        ["--locations", "../places.csv"],
    ] {
        run("compile", &file, &arguments).exits(64);
        run("check", &file, &arguments).exits(64);
    }
    // What no format listens to is not passed over.
    let plain = ["--feed-format", "plain", "--where", "a = b"];
    run("compile", &file, &plain).exits(2).complains(&["`where`"]);
    program::run(["check", "--config", "/dev/null", "--column", "1"])
        .exits(64)
        .complains(&["FEED"]);
}

#[test]
fn files_beside_a_feed_say_which_rows_count() {
    let home = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(home.path().join("feeds/mm")).expect("it can be made");
        fs::write(home.path().join("feeds/mm").join(name), text).expect("it can be written");
        home.path().join("feeds/mm").join(name)
    };
    write("places.csv", "geoname_id,country_iso_code\n1,DE\n2,KP\n");
    write("drop.json", "{\"asn\":64500}\n");
    let blocks = write("blocks.csv", "network,geoname_id\n91.7.8.0/24,2\n91.20.30.0/24,1\n");
    let table = write("pfx2as", "91.9.8.0\t24\t64500\n91.21.0.0\t24\t64501\n");
    let config = ["--config", "/dev/null"];
    for (file, arguments, want) in [
        (&blocks, ["--countries", "KP", "--locations", "places.csv"], "91.7.8.0/24\n"),
        (&table, ["--asns", "64502", "--asn-feed", "drop.json"], "91.9.8.0/24\n"),
    ] {
        assert_eq!(run("compile", file, &arguments).exits(0).stdout, want);
        run("check", file, &[&arguments[..], &config].concat()).exits(0);
        let missing = [&arguments[..3], &["missing"]].concat();
        run("compile", file, &missing).exits(2).complains(&[&arguments[2][2..], "missing"]);
        run("check", file, &[&missing[..], &config].concat()).exits(1);
    }
    // A glob that takes them in as well makes no feeds of them.
    let config = home.path().join("denyset.toml");
    let text = format!(
        "[daemon]\nfeeds-dir = {:?}\n[[list]]\nname = \"drop\"\nfeeds = [\"mm/*\"]\n\
         [[feed]]\nmatch = \"mm/blocks.csv\"\ncountries = [\"KP\"]\nlocations = \"places.csv\"\n\
         [[feed]]\nmatch = \"mm/pfx2as\"\nasn-feed = \"mm/drop.json\"\n",
        home.path().join("feeds")
    );
    fs::write(&config, text).expect("it can be written");
    let config = config.to_str().expect("a plain name");
    let outcome = program::run(["check", "--config", config]);
    let text = &outcome.exits(0).stdout;
    for beside in ["mm/places.csv", "mm/drop.json"] {
        let remark = format!("{beside} in feeds-dir is no feed");
        assert!(text.contains(&remark) && !text.contains(&format!("{beside}:")), "{text}");
    }
}

#[test]
fn an_empty_feed_compiles_where_that_is_said() {
    let home = tempfile::tempdir().expect("a directory");
    let [empty, list] = ["empty.txt", "list.txt"].map(|name| home.path().join(name));
    fs::write(&empty, "# nothing today\n").expect("it can be written");
    fs::write(&list, "91.7.8.9\n").expect("it can be written");
    let list = list.to_str().expect("a plain name");
    run("compile", &empty, &[]).exits(2).complains(&["allow-empty"]);
    assert_eq!(run("compile", &empty, &["--allow-empty"]).exits(0).stdout, "");
    assert_eq!(run("compile", &empty, &[list, "--allow-empty"]).exits(0).stdout, "91.7.8.9\n");
}

#[test]
fn an_explanation_shows_what_each_kind_of_line_was_taken_for() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("list.txt");
    let text = "# a list\n91.7.8.9\n91.20.30.1/24\nbad.example\n".to_owned();
    fs::write(&file, text + &"91.7.8.10\n".repeat(40)).expect("it can be written");
    let arguments = ["--config", "/dev/null", "--explain"];
    let outcome = run("check", &file, &arguments);
    let text = &outcome.exits(0).stdout;
    for words in ["plain", "91.7.8.9", "91.20.30.1/24", "bad.example", "# a list"] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    let json = run("check", &file, &[&arguments[..], &["--format", "json"]].concat());
    let json = json.exits(0).json();
    let explained = &json["feeds"][0]["explained"];
    let why = explained["format"].as_str().expect("why this format");
    assert!(why.contains("plain"), "{why}");
    let lines = explained["lines"].as_array().expect("lines");
    assert!(lines.len() >= 20, "{lines:?}");
    assert!(lines.iter().all(|line| line["taken-for"].is_string()), "{lines:?}");
    program::run(["check", "--config", "/dev/null", "--explain"]).exits(64);
}
