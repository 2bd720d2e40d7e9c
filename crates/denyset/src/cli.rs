//! The command line: verbs, arguments and their help. It says what may be
//! asked for and nothing about how it is done.

mod compile;
mod reading;

use std::ffi::OsString;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use blocklist::FeedName;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::exit::Exit;

pub use compile::{Compile, Output};
pub use reading::ReadingArguments;

/// Where the configuration is looked for unless `-c` says otherwise.
pub const CONFIG_FILE: &str = "/etc/denyset/denyset.toml";

/// The exit codes, at the end of every `--help`.
const AFTER_HELP: &str = "\
Exit codes of all verbs besides their own:
  64  wrong usage
  69  this kernel lacks what is needed
  77  not permitted, CAP_NET_ADMIN is missing
  78  bad configuration, standard error names file, line and column";

/// Keep the kernel's ipsets equal to the lists of addresses in a directory.
#[derive(Parser, Clone, Debug, PartialEq, Eq)]
#[command(name = "denyset", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration [default: /etc/denyset/denyset.toml]
    #[arg(
        short, long, global = true, value_name = "FILE", help_heading = "Everywhere",
        num_args = 0..=1, default_missing_value = "", action = ArgAction::Append,
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
    pub config: Vec<PathBuf>,

    /// Where the daemon listens [default: what the configuration says]
    #[arg(long, global = true, value_name = "SOCKET", help_heading = "Everywhere")]
    pub socket: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// The configuration file to read.
    pub fn config_file(&self) -> PathBuf {
        self.named_config().unwrap_or(Path::new(CONFIG_FILE)).to_owned()
    }

    /// The configuration file that somebody has named, of several the last.
    pub fn named_config(&self) -> Option<&Path> {
        let mut files = self.config.iter().map(PathBuf::as_path);
        files.rfind(|file| !file.as_os_str().is_empty())
    }

    /// Whether `--config` names no file, which only `accept` understands.
    fn means_the_configuration(&self) -> bool {
        self.config.iter().any(|file| file.as_os_str().is_empty())
    }

    /// Reads the arguments of the process, the program's own name first.
    ///
    /// # Errors
    /// How to exit at once: [`Exit::Usage`] after an explanation on standard
    /// error, [`Exit::Success`] after `--help` or `--version`.
    pub fn read(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, Exit> {
        Self::parse_from_args(args).map_err(|error| {
            // A closed pipe is the reader's wish, not a failure.
            let _ = error.print();
            exit_of(&error)
        })
    }

    /// The same, with the error as clap has it.
    fn parse_from_args(
        args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        let mut cli = Self::try_parse_from(&args)?;
        if cli.means_the_configuration() {
            cli.config.extend(named_before_the_verb(&args));
        }
        let accepts = matches!(&cli.verb, Verb::Accept(Accept { feed: None, .. }));
        if accepts == cli.means_the_configuration() {
            return Ok(cli);
        }
        let what = if accepts { "a feed, or --config alone" } else { "--config needs a file" };
        let mut command = <Self as clap::CommandFactory>::command();
        Err(command.error(ErrorKind::MissingRequiredArgument, what))
    }
}

/// The configuration file that is named in front of the verb. Of an argument
/// that may stand on either side, and stands on both, clap keeps the latter.
fn named_before_the_verb(args: &[OsString]) -> Option<PathBuf> {
    let Beginning { config, .. } = Beginning::try_parse_from(args).ok()?;
    config.into_iter().rfind(|file| !file.as_os_str().is_empty())
}

/// A command line up to the verb, as [`Cli`] has it.
#[derive(Parser)]
struct Beginning {
    #[arg(short, long, num_args = 0..=1, default_missing_value = "",
        value_parser = OsStringValueParser::new().map(PathBuf::from))]
    config: Vec<PathBuf>,
    #[arg(long)]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    rest: Rest,
}

/// The verb and what follows it, whatever that is.
#[derive(Subcommand)]
enum Rest {
    #[command(external_subcommand)]
    #[expect(dead_code, reason = "it is read by all of the program, after the verb is known")]
    Any(Vec<OsString>),
}

/// How a command line ends that is not to be carried out.
fn exit_of(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        _ => Exit::Usage,
    }
}

/// What denyset can be asked to do.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Stay in the foreground and keep the kernel in step with the feeds.
    ///
    /// Logs to standard error, or to the journal under systemd. SIGHUP
    /// re-reads configuration and feeds, SIGTERM and SIGINT end it with 0.
    /// `DENYSET_LOG` sets what is logged: error, warn, info (default), debug.
    Run,
    /// Bring the kernel in step with the feeds once, and exit.
    ///
    /// For cron, configuration management and boot. While a daemon runs, it
    /// is asked to do this.
    ///
    /// Exits with 0 in sync, 1 something was refused, 2 error.
    Apply(Apply),
    /// Show what `apply` would do. Writes nothing.
    ///
    /// Exits with 0 nothing to do, 3 changes are pending, 2 error.
    Plan(Print),
    /// Read configuration and feeds and say what is wrong. Touches no kernel.
    ///
    /// Judges as the daemon would, with the eyes of its user if root asks. A
    /// glob that matches no feed counts as wrong unless it is optional.
    ///
    /// Exits with 0 good, 1 something is refused or rejected beyond its
    /// limit, 2 error.
    Check(Check),
    /// Unite, intersect, subtract, aggregate, count or compare feeds.
    ///
    /// Prints the fewest prefixes with the addresses of the feeds. Needs
    /// neither configuration nor privileges. Exits with 0 or 2.
    Compile(Compile),
    /// Show what the daemon holds, set by set and feed by feed.
    ///
    /// Exits with 0 in sync, 1 not in sync or degraded, 2 no daemon.
    Status(Print),
    /// Say whether an address is blocked, and by which line of which feed.
    ///
    /// Exits with 0 blocked, 1 not blocked, 2 error.
    Why(WhyArguments),
    /// Say what blocks anything at all: which rule, feed and line.
    ///
    /// Rules count every packet. Which feed and line it is owed to is known of
    /// the packets that are looked at: `sample` in a `[[rule]]` says how many.
    ///
    /// `--overlap` needs no packets: what only one feed of a list has, and
    /// what each two have in common. Without a daemon it is worked out from
    /// the last good copies.
    ///
    /// Exits with 0 or 2.
    Hits(HitsArguments),
    /// Print the figures of the daemon for a monitoring system.
    ///
    /// For the textfile directory of `node_exporter`, written elsewhere and renamed
    /// there; `denyset-gateway` has the same at /metrics. Without a daemon there
    /// are none.
    ///
    /// Exits with 0 or 2.
    Metrics(MetricsArguments),
    /// Have the daemon re-read configuration and feeds.
    Reload(Apply),
    /// Keep what `apply --confirm` or `reload --confirm` has put into force.
    ///
    /// Without it the configuration of before returns by itself.
    Confirm(Print),
    /// Have the daemon observe the kernel again, now.
    Resync(Print),
    /// Let through, once, the change of a feed that a guard refused.
    ///
    /// `--config` without a file: what a refused configuration takes out of
    /// lists, and whom a list that is held would shut out. `-c FILE` may stand
    /// beside it and says whose daemon is asked. With no daemon the word is
    /// given at the end of one `apply`.
    Accept(Accept),
    /// Remove denyset's own sets from the kernel, and nothing else.
    ///
    /// A set that a rule still names stays, and is reported.
    Teardown(Print),
    /// Make the sets that the last good configuration names and the kernel
    /// lacks.
    ///
    /// For the unit that runs before whatever restores rules at boot: rules
    /// that name a missing set are not restored, nor are those beside them.
    /// Fills what it has made from the last good copies, as far as a second
    /// reaches. Changes no set that is there, and never waits for a daemon.
    ///
    /// Exits with 0 all of these sets exist, 2 error.
    #[command(hide = true)]
    Prepare(Print),
    /// Print a completion script for a shell.
    Completions(Completions),
}

/// How to print.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Text is for people and may change, JSON is stable.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// The form of what a verb prints.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with stable keys.
    Json,
}

/// The arguments of `apply` and `reload`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Apply {
    /// Put the configuration of before back after so many seconds, unless
    /// `denyset confirm` comes in time. 1 to 86400. `apply` asks a daemon to
    /// reload then.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub confirm: Option<u32>,
    /// How to print.
    #[command(flatten)]
    pub print: Print,
}

/// The arguments of `check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Read just these files, wherever they are, instead of feeds-dir.
    #[arg(value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// Say of the first lines of each file, and of each kind of line once, what
    /// they were taken for, and why the format was chosen.
    #[arg(long, requires = "feeds")]
    pub explain: bool,
    /// How to read these files.
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// How to print.
    #[command(flatten)]
    pub print: Print,
}

/// The arguments of `why`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct WhyArguments {
    /// The address, IPv4 or IPv6. Names are not resolved.
    #[arg(value_parser = address, value_name = "ADDRESS")]
    pub address: IpAddr,
    /// Only of packets to this port.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Only of packets of this protocol; with --port alone, TCP.
    #[arg(long, value_enum)]
    pub proto: Option<ProtoArgument>,
    /// Only of packets that come by this interface.
    #[arg(long, value_name = "IF")]
    pub in_interface: Option<String>,
    /// How to print.
    #[command(flatten)]
    pub print: Print,
}

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProtoArgument {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// The arguments of `hits`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct HitsArguments {
    /// What the feeds of each list have in common, and what only one has.
    #[arg(long, conflicts_with_all = ["feed", "rule", "top", "watch"])]
    pub overlap: bool,
    /// Of this feed only.
    #[arg(long, value_parser = feed_name, value_name = "FEED")]
    pub feed: Option<FeedName>,
    /// Of this rule only.
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// How many addresses and prefixes to name.
    #[arg(long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..=512))]
    pub top: u16,
    /// Show it again every two seconds.
    #[arg(long)]
    pub watch: bool,
    /// How to print.
    #[command(flatten)]
    pub print: Print,
}

/// The arguments of `metrics`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsArguments {
    /// `OpenMetrics` 1.0, or the text format of Prometheus, which textfile
    /// directories want.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: MetricsFormat,
}

/// The form of what `metrics` prints.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricsFormat {
    /// `OpenMetrics` 1.0.
    #[default]
    #[value(name = "openmetrics")]
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
}

/// The arguments of `accept`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The feed: its path below feeds-dir, as `status` shows it.
    #[arg(value_parser = feed_name, value_name = "FEED")]
    pub feed: Option<FeedName>,
    /// How to print.
    #[command(flatten)]
    pub print: Print,
}

/// The arguments of `completions`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

impl Completions {
    /// The script.
    pub fn script(self) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "denyset", &mut script);
        script
    }

    /// Prints the script to standard output.
    pub fn print(self) -> Exit {
        match std::io::stdout().lock().write_all(&self.script()) {
            Ok(()) => Exit::Success,
            Err(_) => Exit::Failure,
        }
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    blocklist::parse_address(text.as_bytes()).map_err(|reason| reason.to_string())
}

fn feed_name(text: &str) -> Result<FeedName, String> {
    FeedName::new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use blocklist::Family;

    use super::*;

    fn read(line: &str) -> Result<Cli, Exit> {
        Cli::parse_from_args(line.split(' ')).map_err(|error| exit_of(&error))
    }

    fn check(line: &str, want: Verb) {
        assert_eq!(read(line).map(|cli| cli.verb), Ok(want), "{line}");
    }

    #[test]
    fn every_verb_is_read_with_its_arguments() {
        let text = Print { format: Format::Text };
        let json = Print { format: Format::Json };
        check("denyset run", Verb::Run);
        check("denyset apply", Verb::Apply(Apply { confirm: None, print: text }));
        check("denyset plan --format json", Verb::Plan(json));
        check("denyset status --format=text", Verb::Status(text));
        check("denyset reload", Verb::Reload(Apply { confirm: None, print: text }));
        let confirm = Some(60);
        check("denyset reload --confirm 60", Verb::Reload(Apply { confirm, print: text }));
        check("denyset confirm", Verb::Confirm(text));
        check("denyset resync", Verb::Resync(text));
        check("denyset teardown", Verb::Teardown(text));
        check("denyset prepare", Verb::Prepare(text));
        check(
            "denyset check",
            Verb::Check(Check {
                feeds: Vec::new(),
                explain: false,
                reading: ReadingArguments::default(),
                print: text,
            }),
        );
        let address = IpAddr::from([192, 0, 2, 1]);
        let why =
            WhyArguments { address, port: None, proto: None, in_interface: None, print: text };
        check("denyset why 192.0.2.1", Verb::Why(why.clone()));
        check("denyset why ::ffff:192.0.2.1", Verb::Why(why.clone()));
        let (port, proto, in_interface) =
            (Some(53), Some(ProtoArgument::Udp), Some("eth0".to_owned()));
        check(
            "denyset why 192.0.2.1 --port 53 --proto udp --in-interface eth0",
            Verb::Why(WhyArguments { port, proto, in_interface, ..why }),
        );
        let feed = FeedName::new("a/b").expect("a good name");
        check("denyset accept --config", Verb::Accept(Accept { feed: None, print: text }));
        check("denyset accept a/b", Verb::Accept(Accept { feed: Some(feed), print: text }));
    }

    #[test]
    fn compile_takes_many_files_of_both_kinds() {
        let read = read("denyset compile a b --allow c --allow d --family ipv6 --output nft");
        let Ok(Cli { verb: Verb::Compile(compile), .. }) = read else { panic!("{read:?}") };
        assert_eq!(compile.feeds, [PathBuf::from("a"), "b".into()]);
        assert_eq!(compile.allow, [PathBuf::from("c"), "d".into()]);
        assert_eq!((compile.family, compile.output), (Some(Family::Ipv6), Output::Nft));
        assert_eq!(compile.name, "compiled");
    }

    #[test]
    fn compile_compares_with_others_or_the_feeds_with_one_another() {
        let compare = |line: &str| match read(line) {
            Ok(Cli { verb: Verb::Compile(compile), .. }) => compile.compare,
            other => panic!("{other:?}"),
        };
        assert_eq!(compare("denyset compile a b"), None);
        assert_eq!(compare("denyset compile a b --compare"), Some(Vec::new()));
        let others = compare("denyset compile a --compare b c --format json");
        assert_eq!(others, Some(vec!["b".into(), "c".into()]));
    }

    #[test]
    fn the_configuration_may_stand_on_either_side_of_the_verb() {
        for line in ["denyset -c x status", "denyset status --config x"] {
            assert_eq!(read(line).map(|cli| cli.config_file()), Ok("x".into()), "{line}");
        }
        let socket = read("denyset status --socket x").map(|cli| cli.socket);
        assert_eq!(socket, Ok(Some("x".into())));
        assert_eq!(read("denyset run").map(|cli| cli.config_file()), Ok(CONFIG_FILE.into()));
    }

    #[test]
    fn to_accept_the_configuration_does_not_hide_which_one_it_is() {
        for line in [
            "denyset -c x accept --config",
            "denyset accept -c x --config",
            "denyset accept --config -c x",
            "denyset accept --config --config=x",
        ] {
            let want = Verb::Accept(Accept { feed: None, print: Print { format: Format::Text } });
            check(line, want);
            assert_eq!(read(line).map(|cli| cli.config_file()), Ok("x".into()), "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_told_from_a_call_for_help() {
        for line in [
            "denyset",
            "denyset sync",
            "denyset status --format yaml",
            "denyset run --format json",
            "denyset why example.org",
            "denyset why 010.0.0.1",
            "denyset accept .hidden",
            "denyset accept",
            "denyset accept a --config",
            "denyset status --config",
            "denyset compile",
            "denyset compile a --output nft --format json",
            "denyset compile a --output nft --name 1",
            "denyset compile a --family inet",
            "denyset compile a --count --compare b",
            "denyset compile a --count --output ipset",
            "denyset compile a --compare b --name x",
            "denyset compile a --intersect",
            "denyset compile --compare a b",
        ] {
            assert_eq!(read(line), Err(Exit::Usage), "{line}");
        }
        for line in ["denyset --help", "denyset why --help", "denyset --version"] {
            assert_eq!(read(line), Err(Exit::Success), "{line}");
        }
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_shell_gets_a_script() {
        for &shell in Shell::value_variants() {
            let script = String::from_utf8(Completions { shell }.script()).expect("text");
            assert!(script.contains("denyset"), "{shell}");
        }
    }
}
