//! `check` on directories and files of a test's own.

use std::fs;
use std::path::Path;

use super::*;

/// The configuration `text` with feeds-dir in `home`, where `files` are.
fn config(home: &Path, files: &[(&str, &str)], text: &str) -> Config {
    let feeds_dir = home.join("feeds");
    fs::create_dir(&feeds_dir).expect("a new directory");
    for (name, content) in files {
        let file = feeds_dir.join(name);
        fs::create_dir_all(file.parent().expect("it is in feeds")).expect("a directory");
        fs::write(file, content).expect("it can be written");
    }
    let daemon = format!("[daemon]\nfeeds-dir = {feeds_dir:?}\n");
    Config::parse(&(daemon + text)).expect("a good configuration")
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
    assert_eq!(view.problems, [""; 0]);
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
fn what_is_hardly_meant_is_a_problem() {
    let problems = |files: &[(&str, &str)], text: &str, want: &[&str]| {
        assert_eq!(check(files, text).problems, want, "{text}");
    };
    let one = [("a", "192.0.2.1\n")];
    problems(&one, "", &["no list is configured, so that nothing is blocked"]);
    problems(
        &one,
        "[[list]]\nname = \"x\"\nfeeds = [\"b*\"]\nallow = [\"c\"]\n",
        &[
            "list x: feeds: \"b*\" matches no feed",
            "list x: allow: \"c\" matches no feed",
            "feed a is in no list",
        ],
    );
    problems(
        &one,
        "[[list]]\nname = \"x\"\nallow = [\"a\"]\n",
        &["list x names no feeds, so that it blocks nothing"],
    );
    problems(
        &one,
        "[[list]]\nname = \"x\"\nfeeds = [\"*\"]\nallow = [\"a\"]\n",
        &["list x: feed a is in feeds and in allow; allow wins"],
    );
    problems(
        &one,
        "[[list]]\nname = \"x\"\nfeeds = [\"*\"]\n[[feed]]\nmatch = \"b\"\ncolumn = 2\nmax-age = \"2d\"\n",
        &["[[feed]] \"b\" matches no feed"],
    );
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
    let want = "link in feeds-dir is no feed: a symbolic link, which is not followed";
    assert_eq!(view.problems, [want]);
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

    let view = files::check(
        &config,
        &Protection::default(),
        &[inside, outside, missing, hidden],
        Vec::new(),
    );
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
    assert_eq!((defaults, problems.len()), (Config::default(), 1));

    let failure = files::config(Some(&file), &file).expect_err("it does not exist");
    assert_eq!(failure.exit(), Exit::Config);
    fs::write(&file, "x = 1").expect("it can be written");
    let failure = files::config(None, &file).expect_err("it is bad");
    assert_eq!(failure.exit(), Exit::Config);
}
