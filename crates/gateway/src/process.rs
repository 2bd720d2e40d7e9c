//! The process: what it is made of, from its arguments to its exit code.

use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use clap::error::ErrorKind;
use sd_notify::NotifyState;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::asking::keep_asking;
use super::cli::GatewayArguments;
use super::counters::{CheckCounters, CheckOutcome};
use super::follow::{follow, tell_of};
use super::limits::{FAREWELL, QUESTIONS, TURNS};
use super::lines::answer_lines;
use super::lists::{Folder, Knowledge};
use super::serve::{Desk, Seats, bind, serve};
use super::settings::GatewaySettings;

/// Not done; what went wrong is on standard error.
const FAILURE: u8 = 2;
/// The command line makes no sense (`EX_USAGE` of `sysexits.h`).
const USAGE: u8 = 64;
/// The settings are bad (`EX_CONFIG`).
const BAD_SETTINGS: u8 = 78;

/// How a process fails.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let arguments = match GatewayArguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe is the reader's wish, not a failure.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => USAGE.into(),
            };
        }
    };
    let (file, is_named) = arguments.settings();
    let settings = match GatewaySettings::read(&file, is_named) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return BAD_SETTINGS.into();
        }
    };
    if arguments.check {
        return ExitCode::SUCCESS;
    }
    if arguments.lines {
        return match answer_lines(&settings) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot go on: {error}");
                FAILURE.into()
            }
        };
    }
    log();
    match live(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot go on: {error}");
            FAILURE.into()
        }
    }
}

/// Starts to log. The journal has times of its own.
fn log() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(std::env::var("DENYSET_LOG").unwrap_or_default());
    let log = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .with_env_filter(filter)
        .compact();
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        log.without_time().init();
    } else {
        log.init();
    }
}

/// Answers until it is told to end.
fn live(settings: GatewaySettings) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
        // Who is answered first is answered from what there is.
        let mut folder = Folder::new(settings.daemon.lists_dir.clone());
        let first = folder.look().unwrap_or_default();
        tell_of(&Knowledge::default(), &first);
        let (known, seen) = watch::channel(Arc::new(first));
        let follower = follow(folder, settings.daemon.lists_dir.clone(), known);
        let listeners = bind(&settings.listen).await?;
        let (say, said) = watch::channel(Arc::default());
        let seats = usize::try_from(settings.listen.connections_max)?;
        let idle = Duration::from_secs(settings.listen.idle_seconds);
        let desk = Arc::new(Desk {
            rules: settings.check,
            known: seen,
            said,
            counters: CheckCounters::default(),
            seats: Arc::new(Seats::new(seats)),
            turns: Semaphore::new(TURNS),
            questions: Semaphore::new(QUESTIONS),
            control_socket: settings.daemon.control_socket.clone(),
        });
        let (end, ended) = watch::channel(false);
        let serving = serve(listeners, desk.clone(), idle, ended);
        let mut serving = tokio::spawn(serving);
        tell(&[NotifyState::Ready]);
        let [terminate, interrupt] = &mut ends;
        tokio::select! {
            // Whoever restarts us gets a whole one.
            looked = follower => looked?,
            served = &mut serving => served?,
            () = live_signs() => {}
            () = keep_asking(settings.daemon.control_socket, say) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell(&[NotifyState::Stopping]);
        end.send_replace(true);
        // Who has not read his answer by then does not get it.
        let _ = timeout(FAREWELL, serving).await;
        let answered = CheckOutcome::ALL
            .map(|outcome| format!("{} {}", desk.counters.checks(outcome), outcome.word()));
        tracing::info!("ended as asked, after checks: {}", answered.join(", "));
        Ok(())
    })
}

/// Tells the service manager that requests are answered, as often as it wants to
/// hear it. Never ends.
async fn live_signs() {
    let Some(every) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(every / 2);
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told: {error}");
    }
}
