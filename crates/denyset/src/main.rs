//! The binary. What it does is in the library beside it.

use std::process::ExitCode;

use denyset::cli::Cli;
use denyset::verb;

fn main() -> ExitCode {
    Cli::read(std::env::args_os()).map_or_else(|exit| exit, |cli| verb::run(&cli)).into()
}
