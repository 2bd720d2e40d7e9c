//! Files beside a feed that say which of its rows count.

use blocklist::{AsNumber, Options};

use super::super::{beside, complete_for_path, read, read_only};
use super::*;

const BLOCKS: &str = "network,geoname_id\n192.0.2.0/24,1\n198.51.100.0/24,2\n";
const LOCATIONS: &str = "geoname_id,country_iso_code\n1,KP\n2,DE\n";

fn countries() -> Options {
    Options {
        countries: vec!["KP".parse().expect("a country")],
        locations: Some("locations.csv".to_owned()),
        ..Options::default()
    }
}

fn networks() -> Options {
    Options { asn_feed: Some("spamhaus/asndrop.json".to_owned()), ..Options::default() }
}

/// Reads a feed with options.
fn with<T>(home: &Home, feed: &str, options: &Options, read: impl FnOnce(&FeedFile<'_>) -> T) -> T {
    let reading = Reading { format: FormatChoice::Auto, ..Reading::default() };
    reading.of(home, feed, |file| read(&FeedFile { options, ..*file }))
}

/// The prefixes that count, or why there are none.
fn check(home: &Home, feed: &str, options: &Options, want: &str) {
    match (with(home, feed, options, |file| read_only(file).1), want.strip_prefix("refused: ")) {
        (Taken::New { feed, .. }, None) => {
            let found: Vec<String> = feed.prefixes.iter().map(|p| p.to_string()).collect();
            assert_eq!((found.join(" "), &feed.doubt), (want.to_owned(), &None));
        }
        (Taken::Refused(refusal), Some(want)) => {
            assert!(refusal.to_string().contains(want), "{refusal}");
        }
        (taken, _) => panic!("{taken:?}"),
    }
}

#[test]
fn locations_stand_beside_the_blocks_or_in_the_feeds_directory() {
    let home = Home::new();
    home.write("geo/blocks.csv", BLOCKS);
    check(&home, "geo/blocks.csv", &countries(), "refused: `locations`: there is no file geo/loc");
    home.write("locations.csv", LOCATIONS);
    check(&home, "geo/blocks.csv", &countries(), "192.0.2.0/24");
    home.write("geo/locations.csv", "geoname_id,country_iso_code\n2,KP\n");
    check(&home, "geo/blocks.csv", &countries(), "198.51.100.0/24");
    home.write("geo/locations.csv", "<html>");
    check(&home, "geo/blocks.csv", &countries(), "refused: `locations`, geo/locations.csv: it is");
    home.write("geo/locations.csv", "");
    check(&home, "geo/blocks.csv", &countries(), "refused: `geoname_id`");
}

#[test]
fn a_list_of_networks_chooses_among_a_table_of_them() {
    let home = Home::new();
    home.write("pfx2as", "192.0.2.0\t24\t64500\n198.51.100.0\t24\t64501\n");
    check(&home, "pfx2as", &networks(), "refused: there is no file spamhaus/asndrop.json");
    home.write("spamhaus/asndrop.json", "{\"asn\":64501}\n{\"type\":\"metadata\",\"records\":1}\n");
    check(&home, "pfx2as", &networks(), "198.51.100.0/24");
    let both = Options { asns: vec![AsNumber(64_500)], ..networks() };
    check(&home, "pfx2as", &both, "192.0.2.0/24 198.51.100.0/24");
    home.write("spamhaus/asndrop.json", "{\"asn\":64501}\n{\"type\":\"metadata\",\"records\":2}\n");
    check(&home, "pfx2as", &both, "refused: promises 2");
}

#[test]
fn a_feed_is_another_version_when_a_file_beside_it_says_something_else() {
    let home = Home::new();
    home.write("blocks.csv", BLOCKS);
    home.write("locations.csv", LOCATIONS);
    let mut store = Store::open(&home.state()).expect("a state directory");
    let take = |store: &Store| {
        with(&home, "blocks.csv", &countries(), |file| read(file, store.drafts(), |_| true).1)
    };
    let Taken::New { draft, version, .. } = take(&store) else { panic!("it is new") };
    store.keep(draft.expect("a copy"), std::time::UNIX_EPOCH).expect("it is kept");
    assert!(matches!(take(&store), Taken::Same(same) if same == version));
    // The same places in other words are the same.
    home.write("locations.csv", &LOCATIONS.replace("2,DE", "2,DE\n3,FR"));
    assert!(matches!(take(&store), Taken::Same(same) if same == version));
    home.write("locations.csv", "geoname_id,country_iso_code\n1,DE\n2,KP\n");
    let Taken::New { version: other, feed, .. } = take(&store) else { panic!("it is another") };
    assert!(other != version);
    assert_eq!(
        feed.prefixes.iter().map(|p| p.to_string()).collect::<Vec<_>>(),
        ["198.51.100.0/24"]
    );
}

#[test]
fn a_copy_means_the_same_when_the_file_beside_the_feed_is_gone() {
    let home = Home::new();
    home.write("blocks.csv", BLOCKS);
    home.write("locations.csv", LOCATIONS);
    let mut store = Store::open(&home.state()).expect("a state directory");
    let taken =
        with(&home, "blocks.csv", &countries(), |file| read(file, store.drafts(), |_| true).1);
    let Taken::New { draft, version, feed } = taken else { panic!("it is new") };
    store.keep(draft.expect("a copy"), std::time::UNIX_EPOCH).expect("it is kept");
    fs::remove_file(home.feeds().join("locations.csv")).expect("it was there");
    let restored = store.restore(&Limits::default(), |_| true).expect("copies");
    let copy = restored.feeds.get(&name("blocks.csv")).expect("a copy");
    assert_eq!((&copy.feed.prefixes, copy.version), (&feed.prefixes, version));
    let open = store.copies().look_into(&name("blocks.csv")).expect("good").expect("there");
    let lines = |address: [u8; 4]| {
        open.sources(&Limits::default(), address.into()).expect("it can be read").len()
    };
    assert_eq!((lines([192, 0, 2, 7]), lines([198, 51, 100, 7])), (1, 0));
}

#[test]
fn a_look_tells_that_a_file_beside_a_feed_changed() {
    let home = Home::new();
    let look = || beside(&home.feeds(), &name("geo/blocks.csv"), &countries());
    let nothing = look();
    home.write("locations.csv", LOCATIONS);
    let there = look();
    home.write("geo/locations.csv", LOCATIONS);
    let nearer = look();
    assert!(nothing != there && there != nearer && nearer == look());
    assert!(beside(&home.feeds(), &name("geo/blocks.csv"), &Options::default()).is_empty());
}

#[test]
fn a_file_that_a_person_names_finds_what_is_beside_it() {
    let home = Home::new();
    home.write("x/blocks.csv", BLOCKS);
    let complete = |feeds_dir: &Path| {
        let path = home.feeds().join("x/blocks.csv");
        complete_for_path(&countries(), &path, feeds_dir, 1 << 20).map(|o| o.places.clone())
    };
    let refused = complete(&home.state()).expect_err("there is none");
    assert!(refused.to_string().contains("`locations`"), "{refused}");
    home.write("locations.csv", LOCATIONS);
    assert_eq!(complete(&home.feeds()).expect("in the feeds directory"), Some(vec![1]));
    home.write("x/locations.csv", "geoname_id,country_iso_code\n2,KP\n");
    assert_eq!(complete(&home.state()).expect("beside it"), Some(vec![2]));
}
