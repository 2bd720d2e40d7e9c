//! The meters: programs in C that say how fast it could be on this machine, compiled
//! when they are needed. They are no part of the project; without them what they would
//! say is not run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use blocklist::Family;
use reconcile::Capacity;

use super::{LIMIT, Took, tool};
use crate::measure::tool::Trouble;
use crate::workspace;

/// What their figures are called in tables.
pub(in crate::bench) const FLOOR: &str = "floor";

/// Where they are unless it is said, from the root of the checkout.
const BESIDE: &str = "../shared/meters";

/// Members in a message: as many as ours has.
const MESSAGE: usize = reconcile::CHUNK_MAX;

/// Where they are, and where they are compiled to.
pub(in crate::bench) struct Meters {
    sources: Option<PathBuf>,
    built: PathBuf,
}

impl Meters {
    /// In this directory, or in the usual one if that is there.
    pub(super) fn new(asked: Option<&Path>, target: &Path) -> Self {
        let beside = workspace::root().join(BESIDE);
        let sources = asked.map(Path::to_path_buf).or(Some(beside)).filter(|path| path.is_dir());
        Self { sources, built: target.join("meters") }
    }

    /// The program of this name, compiled with the options that its source names.
    pub(in crate::bench) fn program(&self, name: &str) -> Result<PathBuf, Trouble> {
        let missing = |why: &str| Trouble::Missing(format!("{name}.c: {why}"));
        let Some(sources) = &self.sources else {
            return Err(missing("there is no directory of meters, see --meters"));
        };
        let source = sources.join(name).with_extension("c");
        let written = modified(&source).ok_or_else(|| missing("it is not among the meters"))?;
        let program = self.built.join(name);
        if modified(&program).is_some_and(|built| built > written) {
            return Ok(program);
        }
        fs::create_dir_all(&self.built).map_err(|error| missing(&error.to_string()))?;
        let mut compiler = Command::new("cc");
        match name {
            "floorload" => compiler.args(["-O3", "-march=native"]),
            _ => compiler.arg("-O2"),
        };
        compiler.args(["-w", "-pthread", "-o"]).arg(&program).arg(&source);
        tool::finish(&mut compiler, None, LIMIT)?;
        Ok(program)
    }

    /// The meter of single operations.
    pub(in crate::bench) fn nlm(&self) -> Result<Nlm, Trouble> {
        Ok(Nlm(self.program("nlm")?))
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Single operations, in the network namespace of the calling thread.
pub(in crate::bench) struct Nlm(PathBuf);

/// A set that is filled.
pub(in crate::bench) struct Filled<'a> {
    /// What it is called.
    pub(in crate::bench) set: &'a str,
    /// Its members, see [`super::Input::binary`].
    pub(in crate::bench) file: &'a Path,
    pub(in crate::bench) family: Family,
    pub(in crate::bench) members: usize,
    /// Whether it stays.
    pub(in crate::bench) keep: bool,
}

impl Nlm {
    /// Fills a set in the order of its buckets: what it takes to send the members, and what
    /// with ordering them and making messages of them, of which it tells the time by the
    /// clock alone. Of IPv6 it knows addresses in a `hash:ip` alone.
    pub(in crate::bench) fn load(&self, filled: &Filled<'_>) -> Result<[Took; 2], Trouble> {
        let Filled { set, file, family, members, keep } = *filled;
        let Capacity { hashsize, maxelem } = Capacity::for_members(members);
        let mut command = Command::new(&self.0);
        command.args(["load", "-o", "bucket", "-r", "1", "-N", set, "-f"]).arg(file);
        command.args(["-p", &MESSAGE.to_string()]);
        command.args(["-H", &hashsize.to_string(), "-M", &maxelem.to_string()]);
        match family {
            Family::Ipv4 => command.args(["-T", "hash:net"]),
            Family::Ipv6 => command.args(["-T", "hash:ip", "-6"]),
        };
        command.args(keep.then_some("-k"));
        let said = tool::finish(&mut command, None, LIMIT)?.said;
        let sent = timed(&said)?;
        let before = figure(&said, "build=")? + figure(&said, "order_ms=")?;
        Ok([sent, sent.and(Took { wall: before, cpu: before })])
    }

    /// Lists all members of a set.
    pub(in crate::bench) fn dump(&self, set: &str, family: Family) -> Result<Took, Trouble> {
        let mut command = Command::new(&self.0);
        command.args(["dump", "-r", "1", "-N", set]);
        command.args((family == Family::Ipv6).then_some("-6"));
        let said = tool::finish(&mut command, None, LIMIT)?.said;
        timed(&said)
    }

    /// Adds the members of a file to a set of IPv4 that has none of them, and deletes
    /// them again. It tells no time of the processor: both are by the clock.
    pub(in crate::bench) fn delta(&self, set: &str, file: &Path) -> Result<Took, Trouble> {
        let mut command = Command::new(&self.0);
        command.args(["delta", "-T", "hash:net", "-r", "1", "-N", set, "-f"]).arg(file);
        command.args(["-p", &MESSAGE.to_string()]);
        let said = tool::finish(&mut command, None, LIMIT)?.said;
        let [add, delete] = ["add_ms=", "del_ms="].map(|key| figure(&said, key));
        let both = add? + delete?;
        Ok(Took { wall: both, cpu: both })
    }
}

/// What it says that it took.
fn timed(said: &str) -> Result<Took, Trouble> {
    let [wall, user, system] = ["wall_ms=", "user=", "sys="].map(|key| figure(said, key));
    Ok(Took { wall: wall?, cpu: user? + system? })
}

/// Milliseconds behind a key.
fn figure(said: &str, key: &str) -> Result<Duration, Trouble> {
    let found = said.split(key).nth(1).and_then(|rest| rest.split(['[', ' ']).next());
    let number = found.and_then(|number| number.parse::<f64>().ok()).filter(|ms| *ms >= 0.0);
    let number = number.ok_or_else(|| Trouble::Broken(format!("no {key} in {said}")))?;
    Ok(Duration::from_secs_f64(number / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_meter_are_found_by_their_keys() {
        let said = "load x n=10: wall_ms=165.25[160.00..170.00] user=1.00[0..2] sys=158.50[1..2]";
        let check = |key, want: Option<u64>| {
            assert_eq!(figure(said, key).ok(), want.map(Duration::from_micros), "{key}");
        };
        check("wall_ms=", Some(165_250));
        check("sys=", Some(158_500));
        check("add_ms=", None);
    }

    #[test]
    fn without_a_directory_of_meters_nothing_is_run_and_it_is_said() {
        let meters = Meters { sources: None, built: PathBuf::new() };
        let told = meters.program("nlm").expect_err("there is none");
        assert!(matches!(&told, Trouble::Missing(why) if why.starts_with("nlm.c: ")), "{told:?}");
    }
}
