//! The verbs: from the command line to an exit code. Here they are only told
//! apart; what each does is in its own module.

mod accept;
mod apply;
mod ask;
mod check;
mod compile;
mod confirm;
mod hits;
mod metrics;
mod prepare;
mod run;

use std::io::Write as _;
use std::path::Path;

use ask::Recipient;
use configuration::Configuration;

use crate::cli::{Cli, Verb};
use crate::exit::Exit;
use crate::memory::return_large_buffers;
use crate::serve::{ClientRequest, Failure};
use host::{Facts, Sources, look};

/// Does what the command line says, and says on standard error what could not
/// be done.
pub fn run(cli: &Cli) -> Exit {
    return_large_buffers();
    let file = cli.config_file();
    let whom = || Recipient::of(cli);
    match &cli.verb {
        Verb::Run => run::run(file),
        Verb::Apply(arguments) => apply::apply(&file, &whom(), *arguments),
        Verb::Plan(print) => apply::plan(&file, print.format),
        Verb::Teardown(print) => apply::tear_down(&file, &whom(), print.format),
        Verb::Check(check) => ended(check::run(check, cli.named_config(), &file)),
        Verb::Compile(compile) => ended(compile::run(compile)),
        Verb::Status(print) => ask::status(&whom(), print.format),
        Verb::Why(why) => ask::why(&whom(), why),
        Verb::Hits(hits) if hits.overlap => hits::overlap(&file, &whom(), hits.print.format),
        Verb::Hits(hits) => hits::hits(&whom(), hits),
        Verb::Metrics(arguments) => metrics::metrics(&whom(), arguments.format),
        Verb::Reload(change) => {
            let request = ClientRequest::Reload { confirm: change.confirm };
            ask::work(&whom(), &request, change.print.format)
        }
        Verb::Confirm(print) => confirm::confirm(&file, &whom(), print.format),
        Verb::Resync(print) => ask::work(&whom(), &ClientRequest::Resync {}, print.format),
        Verb::Accept(accept) => accept::accept(&file, &whom(), accept),
        Verb::Prepare(print) => prepare::prepare(&file, print.format),
        Verb::Completions(completions) => completions.print(),
    }
}

/// How a verb ends that tells by a value what went wrong.
fn ended(result: Result<Exit, Failure>) -> Exit {
    result.unwrap_or_else(|failure| {
        tell(&failure.message);
        failure.exit()
    })
}

/// Reads the configuration.
///
/// # Errors
/// How to exit, after every mistake was told.
fn configuration(file: &Path) -> Result<Configuration, Exit> {
    Configuration::load(file).map_err(|error| {
        tell(&error.to_string());
        Exit::Config
    })
}

/// What one look at this host finds. What cannot be found out is told and left
/// out: a list is better than none.
fn facts() -> Facts {
    let mut facts = Facts::default();
    for error in facts.update(look(&Sources::default())) {
        tell(&format!("{error}; no list is kept from blocking them"));
    }
    facts
}

/// Tells a person what went wrong. Standard error may be closed, which is no
/// reason to fail once more.
fn tell(message: &str) {
    let mut error = std::io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(error, "denyset: {line}");
    }
}
