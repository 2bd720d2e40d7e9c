//! A list into the kernel where there was none: the fill alone, planned and carried out
//! in this process as the daemon does it, beside the floor and beside the programs of
//! others; and `denyset apply` as a whole, from its start to its end.

use std::path::{Path, PathBuf};

use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::program;
use reconcile::SetPrefix;

use super::suite::meters::Filled;
use super::suite::peers::Peer;
use super::suite::{
    BEFOREHAND, FLOOR, Goal, Input, Kind, LIMIT, OURS, Page, Plot, Session, Task, Took, pass, sent,
    watched,
};
use crate::Failure;
use crate::measure::statistics::median;
use crate::measure::tool::{self, Trouble};

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "Time to load a list of IPv4 addresses",
    metric: "load of IPv4, ms",
    unit: "ms",
    over: "members",
};

/// What else of ours there is beside the fill.
const PLANNED: &str = "denyset, planned, filled, verified and swapped";
const FLOOR_WHOLE: &str = "floor, members ordered and messages made as well";
const APPLY: &str = "denyset apply, the whole program";

/// The largest set that nftables is asked for.
const NFT_MOST: usize = 2_000_000;

/// What is loaded.
fn inputs(quick: bool) -> Vec<(Kind, Vec<usize>)> {
    let kinds = [Kind::HostsV4, Kind::MixedV4, Kind::HostsV6, Kind::MixedV6];
    let sizes = |kind: Kind| match (quick, kind.is_hosts()) {
        (true, _) => vec![2_000],
        (false, true) => vec![10_000, 100_000, 1_000_000, 10_000_000],
        (false, false) => vec![10_000, 100_000, 1_000_000],
    };
    kinds.into_iter().map(|kind| (kind, sizes(kind))).collect()
}

/// How loads of a kind are called.
fn load_of(kind: Kind) -> String {
    format!("load of {}", kind.name())
}

/// Measures all kinds in all sizes.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    for (kind, sizes) in inputs(task.quick) {
        for size in sizes {
            println!("  {size} members, {}", kind.name());
            Load::new(task, kind, size)?.measure(task, page)?;
        }
    }
    Ok(())
}

/// One list, and the files that it is loaded from.
struct Load {
    size: usize,
    input: Input,
    feed: String,
    binary: PathBuf,
    peers: Vec<(Peer, Result<PathBuf, Trouble>)>,
    /// They go with it.
    _directory: tempfile::TempDir,
}

impl Load {
    fn new(task: &Task, kind: Kind, size: usize) -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let input = Input::new(kind, size, 1);
        let binary = directory.path().join("binary");
        std::fs::write(&binary, input.binary())?;
        let file = |peer: Peer| {
            peer.takes(&input, NFT_MOST)?;
            peer.file(directory.path(), &input)
        };
        let peers = Peer::ALL.map(|peer| (peer, file(peer))).into();
        if let Err(trouble) = task.meters.nlm() {
            println!("  {}", trouble.why());
        }
        Ok(Self { size, feed: input.feed(), input, binary, peers, _directory: directory })
    }

    fn measure(&self, task: &Task, page: &mut Page) -> Result<(), Failure> {
        let what = load_of(self.input.kind());
        for round in 0..task.rounds_of(self.size) {
            let ways = 4 + self.peers.len();
            for at in 0..ways {
                // Each begins a round now and then, but for the first: ours leads the tables.
                let at = if round == 0 { at } else { (at + round) % ways };
                match at {
                    0 => {
                        let brought = isolated(|| ours(&self.input).map_err(|e| e.to_string()))?;
                        page.took(OURS, self.size, &what, brought[0]);
                        page.took(PLANNED, self.size, &what, brought[1]);
                    }
                    1 => {
                        let (sent, all) = match isolated(|| self.floor(task)) {
                            Ok([sent, all]) => (Ok(sent), Ok(all)),
                            Err(trouble) => (Err(trouble.clone()), Err(trouble)),
                        };
                        page.tried(FLOOR, self.size, &what, sent);
                        page.tried(FLOOR_WHOLE, self.size, &what, all);
                    }
                    2 => {
                        let sent = isolated(|| beforehand(&self.input).map_err(|e| e.to_string()));
                        page.took(BEFOREHAND, self.size, &what, sent?);
                    }
                    3 => page.tried(APPLY, self.size, &what, isolated(|| self.apply())),
                    _ => {
                        let (peer, file) = &self.peers[at - 4];
                        let took = file.clone().and_then(|file| isolated(|| alone(*peer, &file)));
                        page.tried(peer.name(), self.size, &what, took);
                    }
                }
            }
        }
        Ok(())
    }

    /// The least that it takes to fill a set.
    fn floor(&self, task: &Task) -> Result<[Took; 2], Trouble> {
        let kind = self.input.kind();
        if kind == Kind::MixedV6 {
            return Err(Trouble::Missing("the meter knows no prefixes of IPv6".into()));
        }
        let (file, members) = (&*self.binary, self.input.members().len());
        let filled = Filled { set: "floor", file, family: kind.family(), members, keep: false };
        task.meters.nlm()?.load(&filled)
    }

    /// The whole program.
    fn apply(&self) -> Result<Took, Trouble> {
        let host = Host::with(&Config::default());
        host.feed("list.txt", &self.feed);
        pass(watched::QUIET);
        let mut command = program::command();
        command.args(["apply", "--config"]).arg(host.config());
        let took = tool::finish(&mut command, None, LIMIT)?.effort.into();
        let cleared = Session::open().and_then(Session::clear);
        cleared.map_err(|failure| Trouble::Broken(failure.to_string()))?;
        Ok(took)
    }
}

/// The fill alone, and all of it.
fn ours(input: &Input) -> Result<[Took; 2], Failure> {
    let mut session = Session::open()?;
    let brought = session.bring(input.members())?;
    session.clear()?;
    Ok([brought.written, brought.all])
}

/// The same members in messages that are there already.
fn beforehand(input: &Input) -> Result<Took, Failure> {
    let set = SetPrefix::new("denyset-")?.live("beforehand", input.members().family())?;
    sent(&set, input)
}

fn alone(peer: Peer, file: &Path) -> Result<Took, Trouble> {
    let took = peer.load(file)?;
    peer.clear()?;
    Ok(took)
}

/// What is promised at a million, and of ten of it.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let size = if task.quick { 2_000 } else { 1_000_000 };
    let goals = |kind: Kind, page: &Page| {
        let what = load_of(kind);
        let floor = page.ratio(&what, size, OURS, FLOOR);
        let sent = page.ratio(&what, size, OURS, BEFOREHAND);
        let name = kind.name();
        let mut goals = vec![
            Goal::at_most(&format!("times the floor, fill of {name}"), floor, 1.1),
            Goal::at_most(&format!("times {BEFOREHAND}, fill of {name}"), sent, 1.1),
        ];
        for (peer, least) in Peer::ALL.into_iter().zip([8.0, 10.0, 40.0]) {
            let times = page.ratio(&what, size, peer.name(), OURS);
            let what = format!("times as fast as `{}`, fill of {name}", peer.name());
            goals.push(Goal::at_least(&what, times, least));
        }
        goals
    };
    for goal in [Kind::HostsV4, Kind::HostsV6].map(|kind| goals(kind, page)).concat() {
        page.goal(goal);
    }
    let [one, ten] =
        [1_000_000, 10_000_000].map(|size| median(page.times(OURS, size, &load_of(Kind::HostsV4))));
    let more = Some(ten / one / 10.0);
    page.goal(Goal::at_most("times as long a member at ten million as at one", more, 1.2));
    page.note(
        "The floor is what the meter needs to send members that it has ordered beforehand, into a \
         hash:net for IPv4 and a hash:ip for IPv6, for it knows no other; ours counts ordering, \
         composing and sending, as the second row of the floor does. What the kernel takes for \
         a hash:net of either family, our own messages say that were ordered and made before."
            .into(),
    );
    page.note(
        "`denyset apply` reads, judges and keeps the feed as well; its peers are told under `drop`."
            .into(),
    );
}
