//! A small change of a large list. First what it takes the kernel: members added and
//! deleted in a set that is in force, in this process as the daemon does it, beside the
//! floor and the programs of others. Then the whole: a feed is dropped again with a few
//! lines changed, and a daemon makes that so, beside reading that file and nothing else.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use blocklist::{FormatChoice, Limits, parse};
use lab::daemon::Daemon;
use lab::host::Host;
use lab::namespace::{Namespace, isolated};

use super::rules::rests;
use super::suite::meters::{Filled, Nlm};
use super::suite::peers::{self, Peer, written};
use super::suite::{FLOOR, Goal, Input, Kind, OURS, Page, Plot, Session, Task, Took, watched};
use crate::Failure;
use crate::measure::statistics::Spread;
use crate::measure::tool::Trouble;

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "Changes in a set in force",
    metric: "changes in the kernel, ms",
    unit: "ms",
    over: "changes",
};

const KERNEL: &str = "changes in the kernel";
const PLANNED: &str = "denyset, planned as well";
const READING: &str = "reading the changed file";
const KEEPING: &str = "reading it, and keeping a synced copy";
const NFT: &str = "nft -f, set of declared size";
/// What a feed is read again for, and how many there are.
const ARRANGEMENTS: [(&str, usize); 2] =
    [("event to done, one feed", 1), ("event to done, one of ten feeds", 10)];
const READ: &str = "bytes read for each of the changed file";

/// How many members change: half of them leave, and as many come.
fn sizes(members: usize) -> Vec<usize> {
    [10, 100, 1_000, 10_000, 100_000].into_iter().filter(|size| size * 5 <= members).collect()
}

/// Measures both.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    Kernels::new(task)?.measure(task, page)?;
    for (what, feeds) in ARRANGEMENTS {
        println!("  {what}");
        isolated(|| event(task, what, feeds, page).map_err(|failure| failure.to_string()))?;
    }
    Ok(())
}

/// A list, and what it becomes by so many changes.
struct Change {
    size: usize,
    next: Input,
    come: Input,
    leave: Input,
}

impl Change {
    fn all(base: &Input) -> Vec<Self> {
        let sizes = sizes(base.members().len());
        let most = sizes.last().copied().unwrap_or_default();
        let fresh = Input::new(base.kind(), most, 3);
        // Of a million a few come twice.
        let fresh = Input::of(base.kind(), fresh.members().difference(base.members()));
        let change = |size: usize| {
            let ([leave, stay], [come, _]) = (base.split(size / 2), fresh.split(size / 2));
            Self { size, next: stay.with(&come), come, leave }
        };
        sizes.into_iter().map(change).collect()
    }
}

/// Every way with the same members in force, each in a place of its own.
struct Kernels {
    base: Input,
    directory: tempfile::TempDir,
    session: Session,
    nlm: Result<Nlm, Trouble>,
    places: [Namespace; 4],
    /// Whether ipset and nftables have them.
    loaded: [Result<(), Trouble>; 2],
}

impl Kernels {
    fn new(task: &Task) -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let base = Input::new(Kind::HostsV4, task.members, 1);
        let places = [(); 4].map(|()| Namespace::new());
        let mut session =
            places[0].run(|| Session::open().map_err(|failure| failure.to_string()))?;
        session.bring(base.members())?;
        session.release(base.members())?;
        let binary = directory.path().join("all");
        fs::write(&binary, base.binary())?;
        let filled = Filled {
            set: "floor",
            file: &binary,
            family: base.kind().family(),
            members: base.members().len(),
            keep: true,
        };
        let nlm = task.meters.nlm().and_then(|nlm| {
            places[1].run(|| nlm.load(&filled))?;
            Ok(nlm)
        });
        let load = |peer: Peer, place: &Namespace| {
            let file = peer.file(directory.path(), &base)?;
            place.run(|| peer.load(&file)).map(|_| ())
        };
        let loaded = [load(Peer::Ipset, &places[2]), load(Peer::NftSet, &places[3])];
        Ok(Self { base, directory, session, nlm, places, loaded })
    }

    fn measure(mut self, task: &Task, page: &mut Page) -> Result<(), Failure> {
        for change in Change::all(&self.base) {
            println!("  {} changes", change.size);
            let files = self.files(&change)?;
            for round in 0..task.rounds.next_multiple_of(2) {
                let forth = round.is_multiple_of(2);
                let to = if forth { &change.next } else { &self.base };
                let brought = self.session.bring(to.members())?;
                page.took(OURS, change.size, KERNEL, brought.written);
                page.took(PLANNED, change.size, KERNEL, brought.all);
                let floor = self.nlm.as_ref().map_err(Clone::clone);
                let floor =
                    floor.and_then(|nlm| self.places[1].run(|| nlm.delta("floor", &files.come)));
                page.tried(FLOOR, change.size, KERNEL, floor);
                let [ipset, nft] = &files.turns[round % 2];
                let took = self.loaded[0]
                    .clone()
                    .and_then(|()| self.places[2].run(|| peers::restore(ipset)));
                page.tried(Peer::Ipset.name(), change.size, KERNEL, took);
                let took = self.loaded[1]
                    .clone()
                    .and_then(|()| self.places[3].run(|| Peer::NftSet.load(nft)));
                page.tried(NFT, change.size, KERNEL, took);
            }
        }
        Ok(())
    }

    /// What the others read: who comes, and the changes there and back, for both.
    fn files(&self, change: &Change) -> Result<Files, Failure> {
        let directory = self.directory.path();
        let come = directory.join("come");
        fs::write(&come, change.come.binary())?;
        let turn = |name: &str, add: &Input, delete: &Input| {
            let broken = |trouble: Trouble| trouble.why().to_owned();
            let ipset = peers::changes(add, delete);
            let ipset = written(directory, &format!("{name}.ipset"), &ipset).map_err(broken)?;
            let nft = peers::nft_changes(add, delete);
            let nft = written(directory, &format!("{name}.nft"), &nft).map_err(broken)?;
            Ok::<_, Failure>([ipset, nft])
        };
        let turns = [
            turn("forth", &change.come, &change.leave)?,
            turn("back", &change.leave, &change.come)?,
        ];
        Ok(Files { come, turns })
    }
}

struct Files {
    come: PathBuf,
    turns: [[PathBuf; 2]; 2],
}

/// From the event, settling taken off, to done: `feeds` as many as are asked for, of which
/// one changes.
fn event(task: &Task, what: &str, feeds: usize, page: &mut Page) -> Result<(), Failure> {
    let host = Host::with(&watched::config(""));
    let part = task.members / feeds;
    let base = Input::new(Kind::HostsV4, part, 1);
    host.feed("changing", base.feed());
    for number in 1..feeds {
        let other = Input::new(Kind::HostsV4, part, 100 + number as u64);
        host.feed(&format!("other-{number}"), other.feed());
    }
    let daemon = Daemon::start(&host);
    daemon.until("all of it in force", |status| {
        let members = status["sets"][0]["members"].as_u64().unwrap_or_default();
        status["in-sync"] == true && members > (part as u64 * feeds as u64) * 9 / 10
    });
    rests(&daemon);
    for change in Change::all(&base) {
        let texts = [change.next.feed(), base.feed()];
        for round in 0..task.rounds.next_multiple_of(2) {
            let text = &texts[round % 2];
            dropped(&host, &daemon, text, (what, change.size), page)?;
            let (_, took) = Took::of(|| read(&host.feeds().join("changing")));
            page.took(READING, change.size, what, took);
            let (done, took) = Took::of(|| keep(&host));
            done?;
            page.took(KEEPING, change.size, what, took);
        }
    }
    daemon.stop();
    Ok(())
}

/// One change of the feed, as the daemon takes it.
fn dropped(
    host: &Host,
    daemon: &Daemon<'_>,
    text: &str,
    (what, size): (&str, usize),
    page: &mut Page,
) -> Result<(), Failure> {
    let ready = host.path("ready");
    fs::write(&ready, text)?;
    let lines = daemon.log().len();
    let (read, worked) = (watched::bytes_read(daemon)?, super::worked(daemon.pid())?);
    let begun = Instant::now();
    fs::rename(&ready, host.feeds().join("changing"))?;
    daemon.wait_logged_since(lines, &["set denyset-drop-v4 was changed"]);
    let wall = begun.elapsed().saturating_sub(watched::SETTLE);
    let cpu = super::worked(daemon.pid())?.saturating_sub(worked);
    page.took(OURS, size, what, Took { wall, cpu });
    rests(daemon);
    let read = watched::bytes_read(daemon)? - read;
    #[expect(clippy::cast_precision_loss, reason = "megabytes")]
    page.figure(OURS, size, &format!("{what}, {READ}"), read as f64 / text.len() as f64);
    Ok(())
}

/// Reading a feed, and nothing else. What was read is there afterwards.
fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("it was written");
    let feed = parse(&bytes, FormatChoice::Auto, &Limits::default());
    assert!(!feed.prefixes.is_empty(), "it has entries");
    bytes
}

/// Reading the changed feed and keeping what was read as a last good copy is kept: it is
/// on the disk before it counts.
fn keep(host: &Host) -> Result<(), Failure> {
    let bytes = read(&host.feeds().join("changing"));
    let (draft, copy) = (host.path("copy.draft"), host.path("copy"));
    let mut file = fs::File::create(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, &copy)?;
    fs::File::open(host.path(""))?.sync_all()?;
    Ok(fs::remove_file(&copy)?)
}

/// What is promised of a thousand changes.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let size = if task.quick { 100 } else { 1_000 };
    let kernel = Spread::of(page.times(OURS, size, KERNEL)).map(|times| times.middle);
    page.goal(Goal::at_most(&format!("ms in the kernel for {size} changes"), kernel, 1.0));
    for (what, _) in ARRANGEMENTS {
        let [ours, reading] = [OURS, READING].map(|variant| page.times(variant, size, what));
        let more = Spread::of_differences(ours, reading).map(|more| more.middle);
        let told = format!("ms more than reading the changed file, {what}, {size} changes");
        page.goal(Goal::at_most(&told, more, 10.0));
    }
    let (what, feeds) = ARRANGEMENTS[1];
    let read = page.middle(OURS, size, &format!("{what}, {READ}"));
    // All of them would be as many times as much as there are feeds.
    page.goal(Goal::at_most(&format!("{READ}, of {feeds} feeds"), read, 3.0));
    page.note(format!(
        "The daemon waits for {} ms of quiet first, which its time by the clock is told without. \
         The floor is told by the clock alone: the meter adds half of the changes and deletes them \
         again. Of the programs of others the whole process is told. A set of intervals of nftables \
         is not run: one element more in a million takes it a minute.",
        watched::SETTLE.as_millis()
    ));
}
