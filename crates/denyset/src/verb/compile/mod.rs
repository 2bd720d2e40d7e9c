//! `denyset compile`: feeds in, the fewest prefixes with the same addresses
//! out, or numbers about them. It needs no configuration, no daemon and no
//! privileges, and prints either the whole result or nothing.

mod compare;
mod output;
mod read;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use blocklist::{Family, Prefixes, Role};

use super::check::counted;
use crate::cli::{self, Compile, Output, ReadingArguments};
use crate::exit::Exit;
use crate::progress::ProgressLine;
use crate::serve::Failure;
use crate::view::{CountView, print};

use compare::NamedFeed;
use output::{Form, WrittenSets};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Does what the arguments say.
///
/// # Errors
/// A feed that cannot be read or is none, nothing to compare with, standard
/// output.
pub(super) fn run(arguments: &Compile) -> Result<Exit, Failure> {
    let compare = arguments.compare.as_deref();
    if compare.is_some_and(<[_]>::is_empty) && arguments.feeds.len() < 2 {
        let message = "one feed cannot be compared: name another, or give --compare a FEED";
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut reader = Reader::new(arguments);
    let feeds = reader.read_as(&arguments.feeds, Role::Deny, &arguments.reading)?;
    let restriction = Restriction {
        intersect: reader.prefixes(&arguments.intersect, Role::Deny)?,
        allow: Prefixes::union_of(reader.prefixes(&arguments.allow, Role::Allow)?),
    };
    let written = if let Some(others) = compare {
        let others = reader.read(others, Role::Deny)?;
        drop(reader);
        let [feeds, others] = [feeds, others].map(|feeds| restriction.apply_to_each(feeds));
        let view = match &others[..] {
            [] => compare::with_one_another(&feeds, arguments.family),
            others => compare::with_others(&feeds, others, arguments.family),
        };
        print(&view, arguments.format)
    } else {
        drop(reader);
        let feeds = feeds.into_iter().map(|(_, feed)| feed);
        let prefixes = restriction.apply(Prefixes::union_of(feeds));
        let fewest = prefixes.aggregate();
        let few_lengths = arguments.reduce.map(|percent| fewest.in_few_lengths(percent));
        finish(&few_lengths.unwrap_or(fewest), arguments)
    };
    written.map_err(|error| failure(format!("cannot write to standard output: {error}")))?;
    Ok(Exit::Success)
}

/// Prints the result, or how much it is.
fn finish(prefixes: &Prefixes, arguments: &Compile) -> io::Result<()> {
    let wanted = |which| arguments.family.is_none_or(|only| only == which);
    if arguments.count {
        let view = CountView {
            ipv4: wanted(Family::Ipv4).then(|| counted(&prefixes.ipv4)),
            ipv6: wanted(Family::Ipv6).then(|| counted(&prefixes.ipv6)),
        };
        return print(&view, arguments.format);
    }
    let sets = WrittenSets { name: &arguments.name, family: arguments.family, prefixes };
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    match sets.write(form(arguments), &mut out).and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn form(arguments: &Compile) -> Form {
    match (arguments.format, arguments.output) {
        (cli::Format::Json, _) => Form::Json,
        (cli::Format::Text, Output::Plain) => Form::Plain,
        (cli::Format::Text, Output::Ipset) => Form::Ipset,
        (cli::Format::Text, Output::Nft) => Form::Nft,
    }
}

/// What of every feed counts.
struct Restriction {
    /// Only addresses that are in each of these.
    intersect: Vec<Prefixes>,
    /// And in none of these.
    allow: Prefixes,
}

impl Restriction {
    fn apply(&self, prefixes: Prefixes) -> Prefixes {
        let common = self.intersect.iter().fold(prefixes, |common, next| common.intersect(next));
        if self.allow.is_empty() { common } else { common.subtract(&self.allow) }
    }

    fn apply_to_each(&self, feeds: Vec<NamedFeed>) -> Vec<NamedFeed> {
        feeds.into_iter().map(|(name, feed)| (name, self.apply(feed))).collect()
    }
}

/// Reads files, and shows how many of them are done.
struct Reader {
    progress: ProgressLine,
    done: u64,
    total: u64,
    allow_empty: bool,
}

impl Reader {
    fn new(arguments: &Compile) -> Self {
        let Compile { feeds, intersect, allow, compare, .. } = arguments;
        let others = compare.as_ref().map_or(0, Vec::len);
        let total = (feeds.len() + intersect.len() + allow.len() + others) as u64;
        let allow_empty = arguments.allow_empty;
        Self { progress: ProgressLine::begin("reading"), done: 0, total, allow_empty }
    }

    /// Reads all of them as their contents say, or fails.
    fn read(&mut self, files: &[PathBuf], role: Role) -> Result<Vec<NamedFeed>, Failure> {
        self.read_as(files, role, &ReadingArguments::default())
    }

    fn read_as(
        &mut self,
        files: &[PathBuf],
        role: Role,
        reading: &ReadingArguments,
    ) -> Result<Vec<NamedFeed>, Failure> {
        let mut feeds = Vec::with_capacity(files.len());
        for file in files {
            self.progress.at(self.done, self.total);
            feeds.push((
                file.to_string_lossy().into_owned(),
                read::read(file, role, reading, self.allow_empty)?,
            ));
            self.done += 1;
        }
        Ok(feeds)
    }

    fn prefixes(&mut self, files: &[PathBuf], role: Role) -> Result<Vec<Prefixes>, Failure> {
        Ok(self.read(files, role)?.into_iter().map(|(_, prefixes)| prefixes).collect())
    }
}

fn failure(message: String) -> Failure {
    Failure::new(Exit::Failure, message)
}

#[cfg(test)]
mod tests {
    use blocklist::{AnyPrefix, Prefixes};

    use super::Restriction;

    fn prefixes(text: &str) -> Prefixes {
        text.split_whitespace().map(|one| one.parse::<AnyPrefix>().expect("a prefix")).collect()
    }

    fn check(intersect: &[&str], allow: &str, want: &str) {
        let intersect = intersect.iter().map(|text| prefixes(text)).collect();
        let restriction = Restriction { intersect, allow: prefixes(allow) };
        let feed = prefixes("192.0.2.0/24 198.51.100.7 2001:db8::/32");
        assert_eq!(restriction.apply(feed).aggregate(), prefixes(want), "{want}");
    }

    #[test]
    fn nothing_asked_for_leaves_the_feed() {
        check(&[], "", "192.0.2.0/24 198.51.100.7 2001:db8::/32");
    }

    #[test]
    fn an_address_must_be_in_each_of_the_intersected() {
        check(&["192.0.0.0/16 2001:db8::1"], "", "192.0.2.0/24 2001:db8::1");
        check(&["192.0.2.0/25 198.51.100.0/24", "192.0.2.64/26"], "", "192.0.2.64/26");
        check(&[""], "", "");
    }

    #[test]
    fn allow_wins_over_what_is_common() {
        check(&["192.0.2.0/24"], "192.0.2.0/25 2001:db8::/33", "192.0.2.128/25");
        check(&[], "192.0.2.0/24 198.51.100.0/24 2001:db8::/33", "2001:db8:8000::/33");
    }
}
