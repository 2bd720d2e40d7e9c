//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Where the settings are looked for unless `-c` says otherwise.
const SETTINGS_FILE: &str = "/etc/denyset/denyset-gateway.toml";

/// Answer web servers whether an address is on a list of denyset.
///
/// Logs to standard error. SIGTERM and SIGINT end it with 0, after requests that
/// are being answered. `DENYSET_LOG` sets what is logged: error, warn, info
/// (default), debug.
#[derive(Parser, Clone, Debug)]
#[command(name = "denyset-gateway", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 ended as asked, 2 error, 64 wrong usage, 78 bad settings")]
pub(crate) struct GatewayArguments {
    /// The settings [default: /etc/denyset/denyset-gateway.toml, if it is there]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read the settings, say what is wrong with them, and exit
    #[arg(long)]
    pub(crate) check: bool,

    /// Read addresses from standard input, a line each, and say of each on a line
    /// `listed LIST`, `unlisted` or `unknown: WHY`; no socket is made
    #[arg(long, conflicts_with = "check")]
    pub(crate) lines: bool,
}

impl GatewayArguments {
    /// The file of settings, and whether somebody has named it.
    pub(crate) fn settings(&self) -> (PathBuf, bool) {
        let named = self.config.clone();
        (named.unwrap_or_else(|| SETTINGS_FILE.into()), self.config.is_some())
    }
}
