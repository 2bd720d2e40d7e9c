//! How fast feeds are read, and in how much memory: beside `iprange` on the same
//! files, and beside the libraries that read JSON and CSV for us.

#![expect(clippy::cast_precision_loss, reason = "figures for people have three digits")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use blocklist::{Format, FormatChoice, Limits, Prefixes, parse, parse_entry, sources};
use clap::{Args, ValueEnum};
use lab::generate::RandomNumbers;

use super::suite::{Page, Task};
use super::{Times, rounds, text, time, time_program};
use crate::{Failure, Seed, real, workspace};

/// How many feeds the daemon reads at a time: `READS_MAX` of the reconciler.
const READERS: usize = 2;

#[derive(Args)]
pub(crate) struct Feeds {
    #[command(flatten)]
    seed: Seed,
    /// Lines of the files that are made
    #[arg(long, default_value_t = 1_000_000)]
    lines: usize,
    /// How often each thing is measured; the median counts
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Only one part of it
    #[arg(long)]
    only: Option<Part>,
    /// Only reads this file, and prints the bytes of memory that took
    #[arg(long, hide = true)]
    memory_of: Option<PathBuf>,
}

/// Who is told a line of what was found.
type Tell<'a> = &'a mut dyn FnMut(String);

/// As a part of the suite.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    let lines = if task.quick { 20_000 } else { 1_000_000 };
    let (seed, only, memory_of) = (Seed { seed: 1 }, None, None);
    let feeds = Feeds { seed, lines, rounds: task.rounds, only, memory_of };
    feeds.measure(&mut |line| page.note(line))
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Memory while reading
    Memory,
    /// Plain text of both families
    Text,
    /// JSON and CSV, beside the libraries that read them
    Documents,
    /// Random addresses, beside `iprange`
    Iprange,
    /// The union of real feeds, beside `iprange`
    Union,
}

/// The files.
struct Files {
    ipv4: PathBuf,
    ipv6: PathBuf,
    json: PathBuf,
    csv: PathBuf,
}

impl Files {
    fn make(directory: &Path, random: &mut RandomNumbers, lines: usize) -> Result<Self, Failure> {
        let write = |name: &str, text: &str| -> Result<PathBuf, Failure> {
            let path = directory.join(name);
            fs::write(&path, text)?;
            Ok(path)
        };
        let ipv4 = text::ipv4(random, lines);
        Ok(Self {
            json: write("ipv4.json", &text::json(&ipv4))?,
            csv: write("ipv4.csv", &text::csv(&ipv4))?,
            ipv4: write("ipv4.txt", &ipv4)?,
            ipv6: write("ipv6.txt", &text::ipv6(random, lines))?,
        })
    }
}

impl Feeds {
    pub(super) fn run(&self) -> Result<(), Failure> {
        if let Some(file) = &self.memory_of {
            return memory_of(file);
        }
        self.measure(&mut |line| println!("{line}"))
    }

    /// Measures, and has each line of what was found told.
    fn measure(&self, tell: Tell<'_>) -> Result<(), Failure> {
        let directory = tempfile::tempdir()?;
        let mut random = RandomNumbers::seeded(self.seed.seed);
        let files = Files::make(directory.path(), &mut random, self.lines)?;
        tell(format!("{} lines a file, {} rounds, medians", self.lines, self.rounds));
        for part in Part::value_variants() {
            match part {
                _ if self.only.is_some_and(|only| only != *part) => Ok(()),
                Part::Memory => self.memory(&files, tell),
                Part::Text => self.text(&files, tell),
                Part::Documents => self.documents(&files, tell),
                Part::Iprange => self.beside_iprange(&files, tell),
                Part::Union => self.union(directory.path(), tell),
            }?;
        }
        Ok(())
    }

    /// In processes of their own, where no memory of earlier work is left.
    fn memory(&self, files: &Files, tell: Tell<'_>) -> Result<(), Failure> {
        for (family, file, most) in [("IPv4", &files.ipv4, 16), ("IPv6", &files.ipv6, 40)] {
            let mut again = Command::new(env::current_exe()?);
            let output = again.args(["bench", "feeds", "--memory-of"]).arg(file).output()?;
            let bytes: usize = String::from_utf8(output.stdout)?.trim().parse()?;
            let each = bytes as f64 / self.lines as f64;
            tell(format!(
                "memory while reading, beside the file: {each:.1} bytes an {family} entry ({most} at most)"
            ));
        }
        Ok(())
    }

    /// The reading alone: looking for an address keeps nothing.
    fn text(&self, files: &Files, tell: Tell<'_>) -> Result<(), Failure> {
        let [ipv4, ipv6] = [fs::read(&files.ipv4)?, fs::read(&files.ipv6)?];
        let look = |bytes: &[u8]| {
            let address = [203, 0, 113, 7].into();
            time(|| sources(bytes, Format::Plain, &Limits::default(), address))
        };
        let [four, six] = rounds(self.rounds, [&|| look(&ipv4), &|| look(&ipv6)]);
        let lines = self.lines as f64;
        tell(format!(
            "plain IPv4 text: {:.1} ns a line, {:.1} million lines a second (goal 40), {:.0} MB/s",
            four.ms() * 1e6 / lines,
            lines / four.ms() / 1e3,
            ipv4.len() as f64 / four.ms() / 1e3
        ));
        tell(format!(
            "plain IPv6 text: {:.1} ns a line, {:.2} times as long a byte as IPv4 (3 at most)",
            six.ms() * 1e6 / lines,
            four.ratio(&six) * ipv4.len() as f64 / ipv6.len() as f64
        ));
        Ok(())
    }

    /// Beside what the libraries take to split the same text.
    fn documents(&self, files: &Files, tell: Tell<'_>) -> Result<(), Failure> {
        let [json, csv] = [fs::read(&files.json)?, fs::read(&files.csv)?];
        let look = |bytes: &[u8], format| {
            let address = [203, 0, 113, 7].into();
            time(|| sources(bytes, format, &Limits::default(), address))
        };
        let split = || serde_json::from_slice::<Vec<&str>>(&json).expect("it is an array");
        let strings = || time(split);
        let addresses =
            || time(|| split().iter().filter(|text| parse_entry(text.as_bytes()).is_ok()).count());
        let [ours, strings, addresses] =
            rounds(self.rounds, [&|| look(&json, Format::Json), &strings, &addresses]);
        tell(format!(
            "JSON: {:.1} ms, {:.2} times what serde_json takes for the strings, {:.2} times that \
             and reading them as addresses",
            ours.ms(),
            strings.ratio(&ours),
            addresses.ratio(&ours)
        ));
        let [ours, theirs] =
            rounds(self.rounds, [&|| look(&csv, Format::Table), &|| time(|| fields(&csv))]);
        tell(format!(
            "CSV: {:.1} ms, {:.2} times what csv-core takes for the fields",
            ours.ms(),
            theirs.ratio(&ours)
        ));
        Ok(())
    }

    /// The same file through `iprange`, which prints unless it only counts.
    fn beside_iprange(&self, files: &Files, tell: Tell<'_>) -> Result<(), Failure> {
        let binary = workspace::release_binary()?;
        let run = |program: &Path, arguments: &[&str]| {
            time_program(Command::new(program).args(arguments).arg(&files.ipv4))
        };
        let read = || {
            time(|| {
                let bytes = fs::read(&files.ipv4).expect("it was written");
                parse(&bytes, FormatChoice::Auto, &Limits::default()).prefixes.aggregate()
            })
        };
        let iprange = Path::new("iprange");
        let [ours, compile, count, theirs, theirs_count] = rounds(
            self.rounds,
            [
                &read,
                &|| run(&binary, &["compile"]),
                &|| run(&binary, &["compile", "--count"]),
                &|| run(iprange, &[]),
                &|| run(iprange, &["-C"]),
            ],
        );
        let mut row = |what: &str, ours: &Times, other: &str, theirs: &Times, goal: &str| {
            let times = ours.ratio(theirs);
            tell(format!(
                "{what}: {:.1} ms, `{other}` {:.1} ms: {times:.1} times as fast{goal}",
                ours.ms(),
                theirs.ms()
            ));
        };
        row("read, sort, deduplicate, aggregate", &ours, "iprange", &theirs, " (goal 12)");
        row("the same", &ours, "iprange -C", &theirs_count, "");
        row("`denyset compile`, printed", &compile, "iprange", &theirs, "");
        row("`denyset compile --count`", &count, "iprange -C", &theirs_count, "");
        Ok(())
    }

    /// Real feeds of all formats, from files to what a list is to hold.
    /// `iprange` gets the IPv4 part: of a plain list its lines, of the others,
    /// which it cannot read, the prefixes that were read.
    fn union(&self, directory: &Path, tell: Tell<'_>) -> Result<(), Failure> {
        let Some(feeds) = real::directory() else {
            let told =
                "there is no directory of real feeds beside the checkout: no union was measured";
            tell(told.to_owned());
            return Ok(());
        };
        let feeds = real::files(&feeds)?;
        let mut ipv4 = Vec::new();
        let mut lines = 0;
        for (number, feed) in feeds.iter().enumerate() {
            let bytes = fs::read(feed)?;
            let read = parse(&bytes, FormatChoice::Auto, &Limits::default());
            lines += read.shape.lines;
            let only = match str::from_utf8(&bytes).ok().filter(|_| read.format == Format::Plain) {
                Some(text) => text::joined(text.lines().filter(|line| !line.contains(':'))),
                None => text::joined(read.prefixes.ipv4.iter()),
            };
            let path = directory.join(format!("real-{number}.txt"));
            fs::write(&path, only)?;
            ipv4.push(path);
        }
        let iprange = || time_program(Command::new("iprange").args(&ipv4));
        let [alone, ours, theirs] =
            rounds(self.rounds, [&|| desired(&feeds, 1), &|| desired(&feeds, READERS), &iprange]);
        tell(format!(
            "union of {} real feeds, {lines} lines: {:.1} ms, `iprange` for IPv4 {:.1} ms: {:.1} times as fast (goal 5)",
            feeds.len(),
            ours.ms(),
            theirs.ms(),
            ours.ratio(&theirs)
        ));
        tell(format!(
            "the same on one thread: {:.1} ms, {:.1} times as fast",
            alone.ms(),
            alone.ratio(&theirs)
        ));
        Ok(())
    }
}

/// From files to what a list of all of them is to hold, with so many that are
/// read at a time: the time of the longest reader and of what comes after it.
fn desired(files: &[PathBuf], readers: usize) -> Duration {
    let next = AtomicUsize::new(0);
    let (read, took) = (Mutex::new(Vec::new()), Mutex::new(Duration::ZERO));
    let reader = || {
        let time = time(|| {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let bytes = fs::read(file).expect("it was read before");
                let feed = parse(&bytes, FormatChoice::Auto, &Limits::default());
                read.lock().expect("no reader panics").push(feed.prefixes);
            }
        });
        let mut took = took.lock().expect("no reader panics");
        *took = time.max(*took);
    };
    thread::scope(|scope| (0..readers).for_each(|_| drop(scope.spawn(reader))));
    let feeds: Vec<Prefixes> = read.into_inner().expect("no reader panics");
    let took = took.into_inner().expect("no reader panics");
    took + time(|| Prefixes::union_of(feeds).without_covered())
}

/// Splits a table, and counts its fields.
fn fields(mut rest: &[u8]) -> usize {
    let mut reader = csv_core::Reader::new();
    let (mut out, mut fields) = ([0; 1024], 0);
    while !rest.is_empty() {
        let (result, taken, _) = reader.read_field(rest, &mut out);
        fields += usize::from(matches!(result, csv_core::ReadFieldResult::Field { .. }));
        rest = &rest[taken..];
    }
    fields
}

/// Prints how much memory reading takes at most, the file itself apart.
fn memory_of(file: &Path) -> Result<(), Failure> {
    let bytes = fs::read(file)?;
    // From here on the peak is counted anew, see proc(5).
    fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    let feed = parse(&bytes, FormatChoice::Auto, &Limits::default());
    let peak = status("VmHWM:")?;
    assert!(!feed.prefixes.is_empty(), "it has entries");
    println!("{}", (peak - before) * 1024);
    Ok(())
}

/// A number in KiB of `/proc/self/status`.
fn status(key: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
