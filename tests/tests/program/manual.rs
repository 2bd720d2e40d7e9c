//! The manual pages: read without a complaint, found from the README, and about all
//! that can be set.

use std::fs;
use std::path::{Path, PathBuf};

use blocklist::ExportFormat;
use lab::witness::succeed;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(shipped(name)).expect("it is shipped")
}

fn names(page: &str, key: &str) {
    assert!(text(page).split_whitespace().any(|word| word == key), "{page} has no {key}");
}

/// The keys of a section of settings, set or as a comment.
fn keys<'a>(text: &'a str, section: &str) -> Vec<&'a str> {
    let (_, after) = text.split_once(&format!("{section}\n")).expect("there is such a section");
    let bare = |line: &'a str| line.trim_start_matches("# ");
    let lines = after.lines().take_while(|line| !bare(line).starts_with('['));
    let pairs = lines.filter_map(|line| bare(line).split_once('='));
    let keys: Vec<_> = pairs.map(|(key, _)| key.trim()).filter(|key| !key.contains(' ')).collect();
    assert!(!keys.is_empty(), "{section} has no keys");
    keys
}

#[test]
fn every_page_is_well_formed_and_the_readme_leads_to_it() {
    let pages = fs::read_dir(shipped("man")).expect("there are pages");
    let pages: Vec<_> = pages.map(|page| page.expect("a file").path()).collect();
    assert!(pages.len() >= 3, "{pages:?}");
    let readme = text("README.md");
    for page in pages {
        let told = succeed("mandoc", &["-T", "lint", "-W", "warning", &page.to_string_lossy()]);
        assert_eq!(told, "", "{}", page.display());
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(readme.contains(&format!("`man ./man/{name}`")), "the README does not name {name}");
    }
}

#[test]
fn the_page_on_web_servers_names_every_key_and_every_format() {
    const PAGE: &str = "man/denyset-web.7";
    let settings = text("config/denyset-gateway.toml");
    for section in ["daemon", "listen", "check"] {
        for key in keys(&settings, &format!("[{section}]")) {
            names(PAGE, &format!("{section}.{key}"));
        }
    }
    for key in keys(&text("config/denyset.toml"), "# [[export]]") {
        names(PAGE, key);
    }
    for (format, _) in ExportFormat::ALL {
        names(PAGE, format);
    }
}
