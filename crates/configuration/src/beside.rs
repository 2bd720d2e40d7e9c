//! The files that `locations` and `asn-feed` name: they say which rows of a feed
//! count, and are no feeds by themselves, whatever a list's glob matches.

use blocklist::Glob;

use crate::FeedConfig;

/// Globs on their names. What `locations` names is beside the feed or in the
/// feeds directory, whichever is there.
pub(super) fn globs(tables: &[FeedConfig]) -> Vec<Glob> {
    let mut globs = Vec::new();
    for table in tables {
        let files = [&table.locations, &table.asn_feed].into_iter().flatten();
        let mut names: Vec<String> = files.map(|name| escaped(name)).collect();
        let folder = table.matches.as_str().rsplit_once('/');
        if let Some((name, (folder, _))) = table.locations.as_ref().zip(folder) {
            names.push(format!("{folder}/{}", escaped(name)));
        }
        // One that is too long for a glob is too long for a feed as well.
        globs.extend(names.iter().filter_map(|name| Glob::new(name).ok()));
    }
    globs
}

/// A glob that matches a name and nothing else.
fn escaped(name: &str) -> String {
    let quoted = |c: char| if "[]*?".contains(c) { format!("[{c}]") } else { c.to_string() };
    name.chars().map(quoted).collect()
}

#[cfg(test)]
mod tests {
    use blocklist::FeedName;

    use crate::Configuration;

    #[test]
    fn a_file_that_says_which_rows_count_is_no_feed() {
        let text = "[[list]]\nname = \"drop\"\nfeeds = [\"**\"]\n\
                    [[feed]]\nmatch = \"mm/*.csv\"\ncountries = [\"KP\"]\n\
                    locations = \"places[1].csv\"\n\
                    [[feed]]\nmatch = \"pfx2as\"\nasn-feed = \"x/drop.json\"\n";
        let config = Configuration::parse(text).expect("good");
        let rules = config.rules();
        let check = |name: &str, is_beside: bool| {
            let feed = FeedName::new(name).expect("a name");
            assert_eq!(config.is_beside(&feed), is_beside, "{name}");
            assert_eq!(rules.uses(&feed), !is_beside, "{name}");
        };
        for name in ["mm/places[1].csv", "places[1].csv", "x/drop.json"] {
            check(name, true);
        }
        for name in ["mm/blocks.csv", "mm/places1.csv", "pfx2as", "drop.json", "mm/drop.json"] {
            check(name, false);
        }
    }
}
