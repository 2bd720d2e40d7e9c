//! `run`: the daemon in the foreground.

use std::path::PathBuf;

use tokio::runtime::Builder;

use crate::daemon::{start, survive_hangups};
use crate::exit::Exit;
use crate::log;

/// Runs the daemon until it is told to end.
pub(super) fn run(config_file: PathBuf) -> Exit {
    if let Err(error) = survive_hangups() {
        eprintln!("denyset: cannot take signals: {error}");
        return Exit::Failure;
    }
    // Nobody can have begun to log before.
    if let Err(error) = log::start() {
        eprintln!("denyset: cannot log: {error}");
        return Exit::Failure;
    }
    // One thread: all that takes long is on threads of its own.
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start: {error}");
            return Exit::Failure;
        }
    };
    let exit = runtime.block_on(async {
        match start(config_file) {
            Ok(daemon) => daemon.run().await,
            Err(error) => {
                tracing::error!(%error, "cannot start: {error}");
                error.exit()
            }
        }
    });
    // A feed that is still being read on another thread is not waited for.
    runtime.shutdown_background();
    exit
}
