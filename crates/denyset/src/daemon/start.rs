//! From a configuration to a daemon that may run: the lock first, so that
//! nothing else is touched by a second daemon, then the kernel, then the rest.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use keeper::Keeper;
use reconcile::{KernelError, KernelErrorKind, ObjectOutcome};
use tokio::sync::mpsc;

use super::MainLoop;
use super::alarm::Alarm;
use super::clock::Clock;
use super::confirming::Unconfirmed;
use super::exporting;
use super::facts;
use super::handing;
use super::lookout::Lookout;
use super::next_boot::NextBoot;
use super::others;
use super::publish::Published;
use super::report::Log;
use super::samples;
use super::signals::Signals;
use super::storage::Storage;
use super::worker::Worker;
use crate::boot::Record;
use crate::confirm::{Chosen, Note, NoteError, applied, choose, state_dir_of};
use crate::effects::{FeedEffects, Halt, KernelEffects};
use crate::exit::Exit;
use crate::hits::Hits;
use crate::lock::{Lock, LockError};
use crate::remedy;
use crate::salt::salt;
use crate::serve::{Answers, Call, Server, Socket};
use crate::settings::{is_as_before, protection, settings};
use crate::snapshot::{SnapshotFacts, Surroundings};
use crate::systemd::Manager;
use configuration::{ConfigError, Configuration};
use feedfiles::{Copies, StoreError};

/// Finished work that waits for the loop. More than can be handed out at once.
const FINISHED_MAX: usize = 64;
/// Calls that wait for the loop; more than there are clients.
const CALLS_MAX: usize = 64;

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is bad.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another writer is there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The kernel cannot, or we may not.
    #[error("{error}{remedy}", error = .0, remedy = remedy::of_kernel(.0))]
    Kernel(#[from] KernelError),
    /// The last good copies cannot be reached.
    #[error("{error}{remedy}", error = .0, remedy = remedy::of_store(.0))]
    Store(#[from] StoreError),
    /// What waits to be confirmed cannot be known or kept.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The system lacks something for us.
    #[error("the system does not give what every process needs: {0}")]
    System(#[from] io::Error),
}

impl StartError {
    /// How the process ends for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::Config,
            Self::Kernel(error) => kernel_exit(error),
            _ => Exit::Failure,
        }
    }
}

/// How a process ends that cannot do without the kernel.
pub fn kernel_exit(error: &KernelError) -> Exit {
    match error.kind {
        KernelErrorKind::Unsupported => Exit::Unavailable,
        KernelErrorKind::Denied => Exit::Denied,
        _ => Exit::Failure,
    }
}

/// What this kernel cannot do at all, and no waiting mends.
pub fn lacking(outcomes: &[ObjectOutcome]) -> Option<&KernelError> {
    let mut errors = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err());
    errors.find(|error| error.kind == KernelErrorKind::Unsupported)
}

/// Gets everything ready that [`MainLoop::run`] needs. Has to be called inside a tokio runtime.
///
/// # Errors
/// [`StartError`].
pub fn start(config_file: PathBuf) -> Result<MainLoop, StartError> {
    // A reload that is asked for from here on is done once we have started.
    let signals = Signals::take()?;
    let (note, chosen) = chosen(&config_file)?;
    let Chosen { config, text: config_text, returned } = chosen;
    let config = Arc::new(config);
    let lock = Lock::take(&config.kernel.set_prefix)?;
    let halt = Halt::default();
    let kernel = KernelEffects::open(config.kernel.set_prefix.clone(), halt.clone())?;
    let feeds = FeedEffects::open(config.clone())?;
    let (finish, finished) = mpsc::channel(FINISHED_MAX);
    others::listen(config.kernel.set_prefix.clone(), kernel.told(), finish.clone())?;
    let worker = Worker::start(kernel, finish.clone())?;
    let host = facts::follow(finish.clone())?;
    let manager = Manager::find()?;
    let lookout = Lookout::new(&config, feeds.unfinished().clone());
    let clock = Clock::start();
    let mut keeper = Keeper::new(settings(&config), protection(&host.facts), salt(), clock.now());
    if returned {
        keeper.was_in_force();
    }
    if was_in_force(&config) {
        keeper.is_as_before();
    }
    let published = Published::new(SnapshotFacts::of(&keeper, Surroundings::default()));
    let hits = Hits::new(feeds.copies().map(Copies::quiet).unwrap_or_default());
    samples::follow(hits.clone(), published.subscribe(), finish.clone());
    handing::follow(&config, published.subscribe(), finish.clone());
    let exporting = exporting::follow(&config, published.subscribe(), finish.clone());
    let daemon = MainLoop {
        keeper,
        host,
        clock,
        calls: listen(&config, &published, &feeds, hits.clone()),
        hits,
        feeds,
        worker,
        storage: Storage::start(finish.clone())?,
        halt,
        finished,
        finish,
        published,
        log: Log::default(),
        signals,
        lookout,
        cleared: Instant::now(),
        unreadable: Vec::new(),
        bypasses: Vec::new(),
        not_given: None,
        exporting,
        wake: None,
        alarm: Alarm::new()?,
        waiting: Vec::new(),
        candidate: None,
        reload_refused: None,
        refused: None,
        manager,
        unconfirmed: Unconfirmed::found(note),
        unready: true,
        status: (0, String::new()),
        _lock: lock,
        config_file,
        config,
        config_text: config_text.into(),
        next_boot: NextBoot::default(),
    };
    tell_started(&daemon);
    Ok(daemon)
}

/// Whether these lists and rules are those that were last in force.
pub fn was_in_force(config: &Configuration) -> bool {
    let state_dir = &config.daemon.state_dir;
    let kept = Record::load(state_dir).ok().flatten().map(|record| record.text);
    let applied = applied(state_dir).ok().flatten();
    let texts = [kept.as_deref(), applied.as_deref()];
    texts.into_iter().flatten().any(|text| is_as_before(config, text))
}

fn tell_started(daemon: &MainLoop) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        lists = daemon.config.lists.len(),
        file = %daemon.config_file.display(),
        "started denyset {} with {} lists of {}",
        env!("CARGO_PKG_VERSION"),
        daemon.config.lists.len(),
        daemon.config_file.display()
    );
}

/// What the daemon goes by, and the note that it was chosen by.
fn chosen(config_file: &Path) -> Result<(Option<Note>, Chosen), ConfigError> {
    let file = Configuration::read(config_file);
    let state_dir = state_dir_of(config_file, &file);
    let note = state_dir.map_or(Ok(None), |state_dir| Note::load(&state_dir));
    let note = note.unwrap_or_else(|error| {
        tracing::error!(%error, "whether the configuration was confirmed is not known: {error}");
        None
    });
    let chosen = choose(file, note.as_ref())?;
    if chosen.returned {
        tracing::error!(
            "the configuration was not confirmed in time: the one before is in force until \
             somebody asks for a reload"
        );
    }
    Ok((note, chosen))
}

/// Opens the control socket. A daemon that nobody can ask still blocks.
fn listen(
    config: &Configuration,
    published: &Published,
    feeds: &FeedEffects,
    hits: Hits,
) -> mpsc::Receiver<Call> {
    let (sender, calls) = mpsc::channel(CALLS_MAX);
    let copies = feeds.shelf().clone();
    let answers = Answers::new(published.subscribe(), copies, hits, sender, Instant::now());
    match Socket::bind(&config.daemon.control_socket) {
        Ok(socket) => {
            tokio::spawn(Server::new(socket, answers).serve());
        }
        Err(error) => tracing::error!(%error, "nobody can ask this daemon anything: {error}"),
    }
    calls
}
