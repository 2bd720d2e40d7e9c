//! A target as a process: started within limits, and told from its last words.
//! What libFuzzer prints is described in
//! <https://llvm.org/docs/LibFuzzer.html#output>.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::build::Built;
use super::corpus;
use super::target::Target;
use crate::Failure;

/// Tells the program `feed` which format to read.
const FORMAT: &str = "FUZZ_FORMAT";

/// Lines of a log that are shown when a target fails.
const SHOWN_LINES: usize = 20;

/// Seconds until one input counts as hanging, and the memory of the process.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

/// How long inputs become.
const BYTES_MAX: &str = "-max_len=2048";

/// Of longer ones only the beginning is worth its place in the corpus.
const KEPT_BYTES_MAX: &str = "-max_len=256";

impl Target {
    /// Runs for a while, and returns what is to be said of it.
    pub(super) fn run(&self, built: &Built, seconds: u32) -> Result<String, Failure> {
        let scratch = built.scratch(self);
        corpus::empty(&scratch)?;
        let mut command = self.command(built);
        command.args([&scratch, &corpus::folder(self)]).args(LIMITS).arg(BYTES_MAX);
        command.arg(format!("-max_total_time={seconds}")).args(["-print_final_stats=1"]);
        let (status, said) = self.said_by(built, &mut command)?;
        if status.success() { summary(&said) } else { Err(self.failure(status, &said)) }
    }

    /// Runs one input alone, with everything that it says.
    pub(super) fn reproduce(&self, built: &Built, input: &Path) -> Result<(), Failure> {
        let mut command = self.command(built);
        match command.args(LIMITS).arg(input).env("RUST_BACKTRACE", "1").status()? {
            status if status.success() => Ok(()),
            status => Err(format!("{} fails with {}: {status}", self.name, input.display()).into()),
        }
    }

    /// Chooses few inputs of the committed corpus and of the last run that reach
    /// all code that these reach together.
    pub(super) fn merge(&self, built: &Built) -> Result<(), Failure> {
        let merged = built.merged(self);
        corpus::empty(&merged)?;
        let mut command = self.command(built);
        command.args(["-merge=1", "-set_cover_merge=1", "-use_counters=0"]);
        command.args(LIMITS).arg(KEPT_BYTES_MAX);
        command.args([&merged, &corpus::folder(self), &built.scratch(self)]);
        let (status, said) = self.said_by(built, &mut command)?;
        if status.success() { Ok(()) } else { Err(self.failure(status, &said)) }
    }

    fn command(&self, built: &Built) -> Command {
        let mut command = Command::new(built.program(self));
        let mut failures = OsString::from("-artifact_prefix=");
        failures.push(built.failures(self));
        failures.push("/");
        command.arg(failures);
        if let Some(format) = self.format {
            command.env(FORMAT, format.name());
        }
        command
    }

    fn said_by(
        &self,
        built: &Built,
        command: &mut Command,
    ) -> Result<(ExitStatus, String), Failure> {
        fs::create_dir_all(built.failures(self))?;
        let log = File::create(built.log(self))?;
        let status = command.stdout(log.try_clone()?).stderr(log).status()?;
        Ok((status, String::from_utf8_lossy(&fs::read(built.log(self))?).into_owned()))
    }

    /// What was said from the first complaint on, and how to see it again.
    fn failure(&self, status: ExitStatus, said: &str) -> Failure {
        let complains = |line: &&str| line.contains(" panicked at ") || line.contains("ERROR: ");
        let from = said.lines().position(|line| complains(&line)).unwrap_or_default();
        let lines: Vec<&str> = said.lines().skip(from).take(SHOWN_LINES).collect();
        let end = lines.join("\n    ");
        let written = said.lines().find_map(|line| line.split_once("Test unit written to "));
        let again = written.map_or_else(String::new, |(_, input)| {
            format!("\nagain with: cargo xtask fuzz {} --input {input}", self.name)
        });
        format!("{status}\n    {end}{again}").into()
    }
}

/// Runs, coverage and corpus, from the last lines that have them. A target that
/// sees no coverage was built wrong, and is a failure.
fn summary(said: &str) -> Result<String, Failure> {
    let runs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let runs = runs.ok_or("it did not say how many runs there were")?.trim();
    let last = said.lines().rfind(|line| line.contains(" cov: "));
    let value = |name| {
        let mut words = last.unwrap_or_default().split_whitespace();
        words.find(|&word| word == name).and_then(|_| words.next())
    };
    let (Some(coverage), Some(corpus)) = (value("cov:"), value("corp:")) else {
        return Err("it saw no coverage: was it built with instrumentation?".into());
    };
    Ok(format!("{runs} runs, coverage {coverage}, corpus {corpus}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, want: Option<&str>) {
        assert_eq!(summary(said).ok().as_deref(), want, "{said}");
    }

    #[test]
    fn the_last_words_of_a_target_are_understood() {
        let end = "stat::number_of_executed_units: 4096\nstat::peak_rss_mb: 40\n";
        let line = "#4096\tDONE   cov: 812 ft: 2010 corp: 90/11Kb lim: 64 exec/s: 1365 rss: 40Mb\n";
        let some = "4096 runs, coverage 812, corpus 90/11Kb";
        check(&format!("#2\tINITED cov: 5 ft: 6 corp: 1/1b\n{line}{end}"), Some(some));
        check("#4096\tDONE   corp: 1/1b exec/s: 9\nstat::number_of_executed_units: 4096\n", None);
        check(line, None);
    }
}
