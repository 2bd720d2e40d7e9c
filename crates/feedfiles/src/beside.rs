//! The files beside a feed that say which of its rows count, as the
//! configuration names them: read like feeds, and taken into the options, so
//! that a copy needs them never again. What they say is decided in `blocklist`.

use std::borrow::Cow;
use std::path::Path;

use blocklist::{BesideError, FeedName, Guard, Options, Refusal};

use super::signature::Signature;
use super::walk::Root;

/// What is done with the bytes of such a file.
type Take = fn(&mut Options, &[u8]) -> Result<(), BesideError>;

/// A key, the names to be tried, and what becomes of the bytes.
type Named = (&'static str, Vec<FeedName>, Take);

/// The files that the options name: the key, the names to be tried one after
/// the other, and what becomes of the bytes.
fn named(options: &Options, feed: Option<&FeedName>) -> Vec<Named> {
    let folder = feed.and_then(|feed| feed.as_str().rsplit_once('/')).map(|(folder, _)| folder);
    let good = |names: Vec<String>| names.iter().filter_map(|n| FeedName::new(n).ok()).collect();
    let mut named: Vec<Named> = Vec::new();
    if let Some(name) = &options.locations {
        let near = folder.map(|folder| format!("{folder}/{name}"));
        let both = near.into_iter().chain([name.clone()]).collect();
        named.push(("locations", good(both), Options::take_locations));
    }
    if let Some(name) = &options.asn_feed {
        named.push(("asn-feed", good(vec![name.clone()]), Options::take_asn_feed));
    }
    named
}

/// The options of a feed with all that the files beside it say. `fetch` has the
/// bytes of the file of a name, or nothing if there is none.
///
/// # Errors
/// A refusal that names the key: one of them is not there, cannot be read, or
/// is none of its kind.
pub(super) fn complete<'a>(
    options: &'a Options,
    feed: Option<&FeedName>,
    fetch: impl Fn(&FeedName) -> Result<Option<Vec<u8>>, Refusal>,
) -> Result<Cow<'a, Options>, Refusal> {
    let mut complete = Cow::Borrowed(options);
    for (key, names, take_in) in named(options, feed) {
        let mut fetched = None;
        for name in &names {
            let told = |refusal: Refusal| {
                let found = format!("`{key}`, {name}: {}", refusal.found);
                Refusal { found, ..refusal }
            };
            fetched = fetch(name).map_err(told)?.map(|bytes| (name, bytes));
            if fetched.is_some() {
                break;
            }
        }
        let Some((name, bytes)) = fetched else {
            let tried: Vec<&str> = names.iter().map(FeedName::as_str).collect();
            return Err(refuse(format!("`{key}`: there is no file {}", tried.join(" or "))));
        };
        let unusable = |error: BesideError| refuse(format!("`{key}`, {name}: {error}"));
        take_in(complete.to_mut(), &bytes).map_err(unusable)?;
    }
    Ok(complete)
}

/// What tells one version of the files beside a feed from another, in the order
/// of their keys; of one that is not there, nothing. It takes a look at each and
/// reads none.
pub fn beside(feeds_dir: &Path, feed: &FeedName, options: &Options) -> Vec<Signature> {
    let named = named(options, Some(feed));
    let Some(root) = Root::open(feeds_dir).ok().filter(|_| !named.is_empty()) else {
        return Vec::new();
    };
    let look = |names: Vec<FeedName>| {
        let found = names.iter().find_map(|name| root.look(Path::new(name.as_str())).ok());
        found.map(|found| Signature::of_open(&found)).unwrap_or_default()
    };
    named.into_iter().map(|(_, names, _)| look(names)).collect()
}

fn refuse(found: String) -> Refusal {
    let expected = "a file beside it that says which rows count".to_owned();
    Refusal { guard: Guard::Readable, expected, found }
}
