//! Where a configuration says something else than another one of what a list
//! takes in: the place that somebody has to look at.

use super::{Configuration, FeedConfig, ListConfig, Place};

impl Configuration {
    /// What this configuration says of a list and `before` does not: a string
    /// of its table, a `[[feed]]` table, a glob that ignores feeds, in this
    /// order. The list's table where something is missing. `None` if there is
    /// no such list.
    pub fn origin(&self, before: &Self, list: &str) -> Option<Place> {
        let new = self.list(list)?;
        let old = before.list(list);
        let said =
            |list: &ListConfig, text: &str| list.written.iter().any(|(said, _)| said == text);
        let fresh = new.written.iter().find(|(text, _)| old.is_none_or(|old| !said(old, text)));
        if let Some((_, place)) = fresh {
            return Some(*place);
        }
        if old.is_none_or(|old| old.written.iter().any(|(text, _)| !said(new, text))) {
            return Some(new.at);
        }
        let same = |one: &FeedConfig, other: &FeedConfig| {
            *one == FeedConfig { at: one.at, ..other.clone() }
        };
        let known = |table: &&FeedConfig| before.feeds.iter().any(|other| same(table, other));
        let table = self.feeds.iter().find(|table| !known(table)).map(|table| table.at);
        let ignored = self.daemon.ignore.iter().zip(&self.daemon.ignored_at);
        let mut ignored = ignored.filter(|(glob, _)| !before.daemon.ignore.contains(glob));
        table.or_else(|| ignored.next().map(|(_, place)| *place)).or(Some(new.at))
    }

    /// Where a list says `text` in its `feeds` or `allow`.
    pub fn place_of(&self, list: &str, text: &str) -> Option<Place> {
        let said = self.list(list)?.written.iter().rev().find(|(said, _)| said == text)?;
        Some(said.1)
    }

    fn list(&self, name: &str) -> Option<&ListConfig> {
        self.lists.iter().find(|list| list.list.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "[daemon]\nignore = [\"x\"]\n[[list]]\nname = \"drop\"\n\
                          feeds = [\"a\", \"b\"]\nallow = [\"c\"]\n\
                          [[feed]]\nmatch = \"a\"\nmax-age = \"2d\"\n";

    /// With `old` of the text replaced by `new`, the list is another from here on.
    fn check(old: &str, new: &str, want: &str) {
        let parse = |text: &str| Configuration::parse(text).expect("a good configuration");
        assert!(BEFORE.contains(old), "{old}");
        let after = parse(&BEFORE.replacen(old, new, 1));
        let place = after.origin(&parse(BEFORE), "drop").expect("there is such a list");
        assert_eq!(place.to_string(), want, "{old} is {new} now");
    }

    #[test]
    fn a_change_is_found_where_it_stands() {
        check("\"a\", \"b\"", "\"a\", \"bb\"", "5:15");
        check("\"a\", \"b\"", "\"b\"", "3:1");
        check("\"c\"", "\"c\", \"d\"", "6:15");
        check("\"x\"", "\"x\", \"**\"", "2:16");
        check("2d", "1d", "7:1");
        check("[[list]]", "# a comment\n[[list]]", "4:1");
        check("name", "\nname", "3:1");
    }

    #[test]
    fn of_a_string_that_stands_twice_the_exception_is_meant() {
        let config = Configuration::parse(&BEFORE.replace("\"c\"", "\"a\"")).expect("a good one");
        assert_eq!(config.place_of("drop", "a").map(|at| at.to_string()), Some("6:10".into()));
        assert_eq!(config.place_of("drop", "z"), None);
        assert_eq!(config.place_of("other", "a"), None);
    }
}
