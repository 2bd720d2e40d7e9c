//! `check` on directories and files of a test's own.

use std::fs;
use std::path::Path;

use crate::cli::ReadingArguments;

use super::*;

/// The configuration `text` with feeds-dir in `home`, where `files` are.
fn config(home: &Path, files: &[(&str, &str)], text: &str) -> Configuration {
    let feeds_dir = home.join("feeds");
    fs::create_dir(&feeds_dir).expect("a new directory");
    for (name, content) in files {
        let file = feeds_dir.join(name);
        fs::create_dir_all(file.parent().expect("it is in feeds")).expect("a directory");
        fs::write(file, content).expect("it can be written");
    }
    let daemon = format!("[daemon]\nfeeds-dir = {feeds_dir:?}\n");
    Configuration::parse(&(daemon + text)).expect("a good configuration")
}

/// What `check` says about the files under the configuration.
fn check(files: &[(&str, &str)], text: &str) -> CheckView {
    let home = tempfile::tempdir().expect("a directory");
    let config = config(home.path(), files, text);
    directory(&config, &Protection::default()).expect("the directory can be read")
}

#[test]
fn a_list_is_composed_of_good_feeds_minus_what_it_allows_and_protects() {
    let view = check(
        &[
            ("drop", "192.0.2.0/24\n192.0.2.7\n10.0.0.1\n2001:db8::1\n"),
            ("allow/us", "192.0.2.0/25\n"),
            ("page", "<html>\n198.51.100.1\n"),
        ],
        "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"allow/*\", \"192.0.2.255\"]\n",
    );
    let feeds: Vec<_> = view.feeds.iter().map(|f| (&*f.feed, f.entries)).collect();
    assert_eq!(feeds, [("allow/us", 1), ("drop", 4), ("page", 1)]);
    let refused: Vec<_> = view.feeds.iter().map(|feed| feed.refused.is_some()).collect();
    assert_eq!(refused, [false, false, true]);
    assert!(!view.is_good());

    let [list] = view.lists.as_slice() else { panic!("one list, not {:?}", view.lists) };
    assert_eq!(list.ipv4.addresses, "127");
    assert_eq!(list.ipv4.members, 7);
    assert_eq!(list.ipv4.lengths, (26..=32).map(|length| (length, 1)).collect());
    assert_eq!((list.ipv6.members, &*list.ipv6.addresses), (1, "1"));
    assert_eq!((view.problems, view.remarks), (vec![], vec![]));
}

#[test]
fn rejected_lines_are_shown_and_good_as_long_as_they_are_few() {
    let many = ["192.0.2.1\n"; 100].concat();
    let list = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
    let view = check(&[("drop", &format!("{many}010.0.0.1\n"))], list);
    assert!(view.is_good());
    assert_eq!((view.feeds[0].rejected, view.feeds[0].rejects[0].line), (1, 101));

    let strict = format!("[guard]\nrejected-percent-max = 0\n{list}");
    let view = check(&[("drop", &format!("{many}010.0.0.1\n"))], &strict);
    assert!(!view.is_good());
}

#[test]
fn a_feed_is_judged_by_its_own_guards() {
    let list = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
    let feed = "[[feed]]\nmatch = \"quiet\"\nallow-empty = true\n";
    assert!(check(&[("quiet", "# nothing\n")], &format!("{list}{feed}")).is_good());
    assert!(!check(&[("quiet", "# nothing\n")], list).is_good());

    let small = format!("{list}entries-max = 1\n");
    assert!(!check(&[("two", "192.0.2.1\n192.0.2.2\n")], &small).is_good());
}

#[test]
fn what_is_most_likely_a_slip_is_a_problem_and_the_rest_a_remark() {
    let one = [("a", "192.0.2.1\n")];
    let found = |text: &str, problems: &[&str], remarks: &[&str]| {
        let view = check(&one, text);
        assert_eq!(view.problems, problems, "{text}");
        assert_eq!(view.remarks, remarks, "{text}");
        assert_eq!(view.is_good(), problems.is_empty(), "{text}");
    };
    let nothing =
        |place: &str| format!("{place} matches no feed; if that is meant, say `optional = true`");
    let list = "[[list]]\nname = \"x\"\nfeeds = [\"*\"]\n";
    found("", &[], &["no list is configured, so that nothing is blocked"]);
    found(
        "[[list]]\nname = \"x\"\nfeeds = [\"b*\"]\nallow = [\"c\"]\n",
        &[&nothing("list x: feeds: \"b*\""), &nothing("list x: allow: \"c\"")],
        &["feed a is in no list"],
    );
    found(
        "[[list]]\nname = \"x\"\nfeeds = [\"b*\", \"a\"]\nallow = [\"c\"]\noptional = true\n",
        &[],
        &[],
    );
    found(
        &format!("{list}allow = [\"c/*\"]\n[[feed]]\nmatch = \"c/*\"\noptional = true\n"),
        &[],
        &[],
    );
    found(
        "[[list]]\nname = \"x\"\nallow = [\"a\"]\n",
        &[],
        &["list x names no feeds, so that it blocks nothing"],
    );
    found(
        &format!("{list}allow = [\"a\"]\n"),
        &[],
        &["list x: feed a is in feeds and in allow; allow wins"],
    );
    found(
        &format!("{list}[[feed]]\nmatch = \"b\"\ncolumn = 2\nmax-age = \"2d\"\n"),
        &[&nothing("[[feed]] \"b\"")],
        &[],
    );
}

/// The name of a feed, how many hours it is old, and the options for it.
fn aged(hours: i64, options: &str) -> (usize, CheckView) {
    let home = tempfile::tempdir().expect("a directory");
    let text =
        format!("[[list]]\nname = \"x\"\nfeeds = [\"*\"]\n[[feed]]\nmatch = \"*\"\n{options}\n");
    let config = config(home.path(), &[("a", "192.0.2.1\n")], &text);
    let file = fs::File::options().write(true).open(config.daemon.feeds_dir.join("a"));
    let age = Duration::from_secs(hours.unsigned_abs() * 3600);
    let now = SystemTime::now();
    let written = if hours < 0 { now + age } else { now - age };
    file.expect("it is there").set_modified(written).expect("it is ours");
    let protection = Protection::default();
    let view = directory(&config, &protection).expect("the directory can be read");
    let members = usize::try_from(view.lists[0].ipv4.members).expect("few");
    // A file that is named is judged by the same rule.
    let paths = [config.daemon.feeds_dir.join("a")];
    let files =
        NamedFiles { config: &config, paths: &paths, reading: &ReadingArguments::default() };
    let named = files.check(&protection, Vec::new());
    assert_eq!((&named.problems, &named.remarks), (&view.problems, &view.remarks));
    (members, view)
}

#[test]
fn a_feed_is_as_old_as_it_is_for_the_daemon() {
    let check = |hours: i64, options: &str, members: usize, problem: &str, remark: &str| {
        let (found, view) = aged(hours, options);
        assert_eq!(found, members, "{hours} {options}");
        for (found, want) in [(&view.problems, problem), (&view.remarks, remark)] {
            assert_eq!(found.len(), usize::from(!want.is_empty()), "{found:?}");
            assert!(found.iter().all(|text| text.contains(want)), "{found:?}");
        }
    };
    check(47, "max-age = \"2d\"", 1, "", "");
    check(48, "max-age = \"2d\"", 1, "older than its max-age of 48 h", "");
    check(49, "max-age = \"2d\"", 1, "it stays in force", "");
    check(49, "max-age = \"2d\"\nwhen-stale = \"drop\"", 0, "it is not in force", "");
    check(49, "", 1, "", "");
    check(-24, "max-age = \"2d\"", 1, "written in the future", "");
    check(-24, "", 1, "", "written in the future");
}

#[test]
fn what_is_no_file_is_a_problem_and_not_a_feed() {
    let home = tempfile::tempdir().expect("a directory");
    let list = "[[list]]\nname = \"x\"\nfeeds = [\"*\"]\n";
    let config = config(home.path(), &[("a", "192.0.2.1\n")], list);
    let link = config.daemon.feeds_dir.join("link");
    std::os::unix::fs::symlink("/dev/zero", link).expect("a link");
    let view = directory(&config, &Protection::default()).expect("the directory can be read");
    assert_eq!(view.feeds.len(), 1);
    let want = format!("link in feeds-dir is no feed: {}", feedfiles::Hindrance::Leaving);
    assert_eq!(view.remarks, [want]);
    assert!(view.is_good());
}

#[test]
fn without_its_directory_there_is_nothing_to_check() {
    let home = tempfile::tempdir().expect("a directory");
    let config = config(home.path(), &[], "");
    fs::remove_dir(&config.daemon.feeds_dir).expect("it is empty");
    let failure = directory(&config, &Protection::default()).expect_err("there is no directory");
    assert_eq!(failure.exit(), Exit::Failure);
    assert!(failure.message.contains("does not exist"), "{}", failure.message);
}

#[test]
fn files_are_checked_under_the_options_of_their_names() {
    let home = tempfile::tempdir().expect("a directory");
    let feed = "[[feed]]\nmatch = \"sub/quiet\"\nallow-empty = true\n";
    let config = config(home.path(), &[("sub/quiet", "# nothing\n")], feed);
    let inside = config.daemon.feeds_dir.join("sub/quiet");
    let outside = home.path().join("quiet");
    fs::copy(&inside, &outside).expect("a copy");
    let missing = home.path().join("missing");
    let hidden = home.path().join(".hidden");

    let paths = [inside, outside, missing, hidden];
    let files =
        NamedFiles { config: &config, paths: &paths, reading: &ReadingArguments::default() };
    let view = files.check(&Protection::default(), Vec::new());
    let refused: Vec<_> = view.feeds.iter().map(|feed| feed.refused.is_some()).collect();
    assert_eq!(refused, [false, true, true]);
    assert_eq!(view.problems.len(), 1);
    assert!(view.lists.is_empty());
}

#[test]
fn a_configuration_that_was_asked_for_must_exist() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("denyset.toml");
    let (defaults, problems) = files::config(None, &file).expect("the defaults stand in");
    assert_eq!((defaults, problems.len()), (Configuration::default(), 1));

    let failure = files::config(Some(&file), &file).expect_err("it does not exist");
    assert_eq!(failure.exit(), Exit::Config);
    fs::write(&file, "x = 1").expect("it can be written");
    let failure = files::config(None, &file).expect_err("it is bad");
    assert_eq!(failure.exit(), Exit::Config);
}

#[test]
fn what_is_passed_over_is_said_with_the_program_that_left_it() {
    let home = tempfile::tempdir().expect("a directory");
    let list = "[[list]]\nname = \"x\"\nfeeds = [\"*\", \"b.old\"]\n";
    let feeds = [("a", "192.0.2.1\n"), ("a.1", "192.0.2.1\n"), ("b.old", "192.0.2.1\n")];
    let config = config(home.path(), &feeds, list);
    let view = directory(&config, &Protection::default()).expect("the directory can be read");
    assert_eq!(view.feeds.len(), 2);
    let [remark] = view.remarks.as_slice() else { panic!("{:?}", view.remarks) };
    assert!(remark.starts_with("a.1 in feeds-dir is no feed: its name is that of"), "{remark}");
}

#[test]
fn an_export_that_cannot_carry_ipv6_is_remarked_on() {
    let export = |format: &str| {
        let list = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
        let export = "[[export]]\nlist = \"drop\"\npath = \"/x/drop\"\n";
        check(&[("drop", "192.0.2.1\n")], &format!("{list}{export}format = \"{format}\"\n")).remarks
    };
    let remark = "export /x/drop has IPv4 only, nginx-geo cannot carry IPv6: whoever reads it lets \
                  in what list drop has of that";
    assert_eq!(export("nginx-geo"), [remark]);
    assert_eq!(export("haproxy-acl"), [""; 0]);
}
