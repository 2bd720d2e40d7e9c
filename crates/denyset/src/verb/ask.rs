//! The verbs that a running daemon answers: `status`, `why`, `reload` and
//! `resync`, and how the others hand themselves to it.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::tell;
use crate::cli::{self, Cli, Format};
use crate::exit::Exit;
use crate::serve::{AskError, ClientRequest, Proto, Question, ask};
use crate::view::{AddressVerdict, OutcomeView, StatusView, WhyView, print};
use configuration::{ConfigError, Configuration, DaemonTable};

/// An answer from memory.
pub(super) const SOON: Duration = Duration::from_secs(30);
/// An answer after work: ten million entries are loaded in a minute or so.
const LONG: Duration = Duration::from_secs(900);

/// Where the daemon is that is asked.
pub(super) struct Recipient {
    /// The configuration, of which only the path of the socket matters.
    config_file: PathBuf,
    /// The control socket.
    socket: PathBuf,
    /// Whether that is what somebody said, and not what the configuration says.
    is_given: bool,
}

impl Recipient {
    /// Finds it out. A configuration with mistakes is good enough: the daemon
    /// runs with another one, and this is when somebody asks it how it is.
    pub(super) fn of(cli: &Cli) -> Self {
        let config_file = cli.config_file();
        let is_given = cli.socket.is_some();
        let socket = cli.socket.clone();
        let socket = socket.unwrap_or_else(|| DaemonTable::salvage(&config_file).control_socket);
        Self { config_file, socket, is_given }
    }

    /// What may be wrong if nobody is there.
    fn doubt(&self) -> Option<ConfigError> {
        if self.is_given { None } else { Configuration::load(&self.config_file).err() }
    }
}

/// `status`.
pub(super) fn status(whom: &Recipient, format: Format) -> Exit {
    match question::<StatusView>(whom, &ClientRequest::Status {}, SOON) {
        Ok(status) => {
            let good = status.in_sync && status.degraded.is_empty();
            shown(print(&status, format), if good { Exit::Success } else { Exit::Attention })
        }
        Err(exit) => exit,
    }
}

/// `why ADDRESS`.
pub(super) fn why(whom: &Recipient, asked: &cli::WhyArguments) -> Exit {
    let proto = asked.proto.map(|proto| match proto {
        cli::ProtoArgument::Tcp => Proto::Tcp,
        cli::ProtoArgument::Udp => Proto::Udp,
    });
    let cli::WhyArguments { address, port, in_interface, print: how, .. } = asked.clone();
    let asked = Question { address, port, proto, in_interface };
    match question::<WhyView>(whom, &ClientRequest::Why(asked), SOON) {
        Ok(why) => {
            let blocked = why.verdict == AddressVerdict::Blocked;
            shown(print(&why, how.format), if blocked { Exit::Success } else { Exit::Attention })
        }
        Err(exit) => exit,
    }
}

/// `reload`, `resync`: the outcome of the work that this set off.
pub(super) fn work(whom: &Recipient, request: &ClientRequest, format: Format) -> Exit {
    match question::<OutcomeView>(whom, request, LONG) {
        Ok(outcome) => shown(print(&outcome, format), Exit::Success),
        Err(exit) => exit,
    }
}

/// Hands a verb that could do its work alone to a daemon, if there is one.
///
/// # Errors
/// How to exit, after an explanation.
pub(super) fn hand_over<T: DeserializeOwned>(
    whom: &Recipient,
    request: &ClientRequest,
) -> Result<Option<T>, Exit> {
    match ask(&whom.socket, request, LONG) {
        Ok(answer) => read(answer).map(Some),
        Err(AskError::NoDaemon { .. }) => Ok(None),
        Err(error) => Err(complain(request, &error)),
    }
}

/// Asks the daemon of a configuration.
pub(super) fn question<T: DeserializeOwned>(
    whom: &Recipient,
    request: &ClientRequest,
    patience: Duration,
) -> Result<T, Exit> {
    let error = match ask(&whom.socket, request, patience) {
        Ok(answer) => return read(answer),
        Err(error) => error,
    };
    let exit = complain(request, &error);
    match whom.doubt().filter(|_| matches!(error, AskError::NoDaemon { .. })) {
        Some(doubt) => {
            tell(&doubt.to_string());
            Err(Exit::Config)
        }
        None => Err(exit),
    }
}

fn read<T: DeserializeOwned>(answer: serde_json::Value) -> Result<T, Exit> {
    serde_json::from_value(answer).map_err(|error| {
        tell(&format!(
            "the daemon gave an answer that is not understood, is it another version? {error}"
        ));
        Exit::Failure
    })
}

fn complain(request: &ClientRequest, error: &AskError) -> Exit {
    tell(&format!("cannot {}: {error}", request.verb()));
    if matches!(error, AskError::NoDaemon { .. }) {
        tell("start it with `systemctl start denyset`, or `denyset apply` to do the work once");
    }
    error.exit()
}

/// What was to be printed may not have been.
pub(super) fn shown(printed: std::io::Result<()>, exit: Exit) -> Exit {
    match printed {
        Ok(()) => exit,
        Err(error) => {
            tell(&format!("cannot print: {error}"));
            Exit::Failure
        }
    }
}
