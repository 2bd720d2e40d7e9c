//! What it costs to write a million entries for other programs, each form by the
//! daemon itself: processor time and memory beyond that of the list. Beside it what
//! `httxt2dbm` takes for the same database, and nginx to load its file again.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use lab::daemon::{Daemon, PATIENCE};
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::witness::{is_there, succeed};

use super::{said, time_program, worked};
use crate::measure::statistics::median;
use crate::{Failure, apart};

/// Processor time for the file of nginx.
const NGINX: Duration = Duration::from_millis(150);
/// Of what `httxt2dbm` takes.
const OF_HTXT2DBM: f64 = 1.0 / 3.0;
/// Memory beyond what the daemon has without it, in KiB.
const MEMORY_KIB: f64 = 64.0 * 1024.0;
/// What nginx took to load such a file again, the whole unit: it reads the text
/// once to test it, and then what it has made of it.
const NGINX_LOADS: Duration = Duration::from_millis(610);

/// The forms, what their files end with, and where the text is or the larger file.
const FORMS: [(&str, &str); 6] = [
    ("nginx-geo", "drop.geo"),
    ("haproxy-acl", "drop.acl"),
    ("apache-txt", "drop.txt"),
    ("apache-sdbm", "drop.sdbm/map.pag"),
    ("plain", "drop.plain"),
    ("json", "drop.json"),
];

#[derive(Args)]
pub(crate) struct Exports {
    /// Entries in the list
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What one export took.
struct Cost {
    ms: f64,
    memory_kib: f64,
}

impl Exports {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            let host = Host::new();
            configure(&host, None);
            fs::create_dir(host.path("export"))?;
            let feed = super::text::ipv4(&mut RandomNumbers::seeded(5), self.entries);
            host.feed("list.txt", feed);
            let daemon = Daemon::start(&host);
            daemon.until("all of it is in the kernel", |status| status["in-sync"] == true);
            println!("{} entries, {} rounds", self.entries, self.rounds);
            for (form, file) in FORMS {
                let mut costs = Vec::new();
                for _ in 0..self.rounds {
                    costs.push(export(&host, &daemon, form, file)?);
                }
                let ms = median(&costs.iter().map(|cost| cost.ms).collect::<Vec<_>>());
                let memory = median(&costs.iter().map(|cost| cost.memory_kib).collect::<Vec<_>>());
                let bytes = fs::metadata(host.path("export").join(file))?.len();
                println!(
                    "{form}: {ms:.1} ms of the processor, {memory:.0} KiB of memory, {bytes} bytes"
                );
                said("KiB of memory", memory, MEMORY_KIB);
                self.beside(&host, form, ms)?;
            }
            daemon.stop();
            Ok(())
        })
    }

    /// The same by others, and what others make of it.
    fn beside(&self, host: &Host, form: &str, ms: f64) -> Result<(), Failure> {
        match form {
            "nginx-geo" if is_there("nginx") => {
                said("ms of the processor", ms, NGINX.as_secs_f64() * 1e3);
                nginx(host, self.rounds)
            }
            "haproxy-acl" if is_there("haproxy") => haproxy(host),
            "apache-sdbm" if is_there("httxt2dbm") => {
                // The text of the round before is still there.
                let [from, to] =
                    ["drop.txt", "of-httxt2dbm"].map(|name| host.path("export").join(name));
                let mut times = Vec::new();
                for _ in 0..self.rounds {
                    let mut command = Command::new("httxt2dbm");
                    command.args(["-f", "SDBM", "-i"]).arg(&from).arg("-o").arg(&to);
                    times.push(time_program(&mut command).as_secs_f64() * 1e3);
                    for ending in ["dir", "pag"] {
                        fs::remove_file(to.with_extension(ending))?;
                    }
                }
                let theirs = median(&times);
                println!("  httxt2dbm takes {theirs:.1} ms");
                said("of what httxt2dbm takes", ms / theirs, OF_HTXT2DBM);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Has the daemon write one export that was not there, and nothing else.
fn export(host: &Host, daemon: &Daemon<'_>, form: &str, file: &str) -> Result<Cost, Failure> {
    let path = host.path("export").join(file);
    configure(host, None);
    // Reading its settings again is no part of it.
    let without = cost_of(daemon, || host.denyset("reload").code == 0)?;
    let _ = fs::remove_file(&path);
    configure(host, Some((form, file)));
    let before = daemon.log().len();
    let with = cost_of(daemon, || {
        let is_reloaded = host.denyset("reload").code == 0;
        daemon.wait_logged_since(before, &["wrote"]);
        is_reloaded
    })?;
    Ok(Cost { ms: with.ms - without.ms, memory_kib: with.memory_kib })
}

/// What the daemon needs while something is done.
fn cost_of(daemon: &Daemon<'_>, done: impl FnOnce() -> bool) -> Result<Cost, Failure> {
    let (before, memory) = (worked(daemon.pid())?, daemon.memory_kib());
    daemon.forget_memory_peak();
    if !done() {
        return Err("the daemon does not take its settings".into());
    }
    let ms = worked(daemon.pid())?.saturating_sub(before).as_secs_f64() * 1e3;
    let grown = u32::try_from(daemon.memory_peak_kib().saturating_sub(memory))?;
    Ok(Cost { ms, memory_kib: f64::from(grown) })
}

fn configure(host: &Host, export: Option<(&str, &str)>) {
    let list = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n".to_owned();
    let export = export.map(|(form, file)| {
        let name = file.split('/').next().unwrap_or(file);
        let path = host.path("export").join(name);
        format!("[[export]]\nlist = \"drop\"\nformat = \"{form}\"\npath = \"{}\"\n", path.display())
    });
    let tables = list + &export.unwrap_or_default();
    host.configure(&Config { tables, ..Config::default() });
}

/// Has nginx test and load the file, as the unit does.
fn nginx(host: &Host, rounds: usize) -> Result<(), Failure> {
    let place = host.path(".").display().to_string();
    let temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temps = temps.map(|kind| format!("{kind}_temp_path {place}/{kind}; ")).concat();
    let text = format!(
        "daemon off; worker_processes 1; user root; pid {place}/nginx.pid; error_log {place}/log; \
         events {{}} http {{ access_log off; {temps} geo $listed {{ ranges; \
         include {place}/export/drop.geo; }} server {{ listen 127.0.0.1:8082; \
         if ($listed) {{ return 403; }} }} }}"
    );
    let file = host.path("nginx.conf");
    fs::write(&file, text)?;
    let file = file.to_string_lossy();
    let mut server = Command::new("nginx");
    let server = Running(server.args(["-e", "stderr", "-c", &file]).stdin(Stdio::null()).spawn()?);
    let mut before = server.worker(None)?;
    let (mut tests, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        // As after every change.
        let _ = fs::remove_file(host.path("export/drop.geo.bin"));
        let mut checked = Command::new("nginx");
        checked.args(["-t", "-q", "-e", "stderr", "-c", &file]);
        tests.push(time_program(&mut checked).as_secs_f64() * 1e3);
        let worked_before = worked(server.0.id())?;
        succeed("kill", &["-HUP", &server.0.id().to_string()]);
        before = server.worker(Some(before))?;
        loads.push(worked(server.0.id())?.saturating_sub(worked_before).as_secs_f64() * 1e3);
    }
    let (tested, loaded) = (median(&tests), median(&loads));
    println!(
        "  nginx tests it in {tested:.0} ms of the processor, and loads it then in {loaded:.0} ms"
    );
    said("ms for both", tested + loaded, NGINX_LOADS.as_secs_f64() * 1e3);
    Ok(())
}

/// A server. Dropped, it is ended.
struct Running(Child);

impl Running {
    /// The newest child of its process, if it is not this one.
    fn worker(&self, before: Option<u32>) -> Result<u32, Failure> {
        let (pid, deadline) = (self.0.id(), Instant::now() + PATIENCE);
        while Instant::now() < deadline {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
            let newest = children.split_whitespace().filter_map(|pid| pid.parse().ok()).max();
            if newest.is_some_and(|newest| before.is_none_or(|before| newest > before)) {
                return newest.ok_or_else(|| "a child has a number".into());
            }
            thread::yield_now();
        }
        Err("nginx does not load it".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        succeed("kill", &["-TERM", &self.0.id().to_string()]);
        let _ = self.0.wait();
    }
}

/// Has `HAProxy` read the file.
fn haproxy(host: &Host) -> Result<(), Failure> {
    let file = host.path("haproxy.cfg");
    let list = host.path("export/drop.acl");
    let text = format!(
        "defaults\n    mode http\n    timeout client 10s\n    timeout connect 10s\n    timeout server \
         10s\nfrontend web\n    bind 127.0.0.1:8083\n    http-request deny if {{ src -f {} }}\n",
        list.display()
    );
    fs::write(&file, text)?;
    let took = time_program(Command::new("haproxy").args(["-c", "-q", "-f"]).arg(&file));
    println!("  HAProxy reads it in {:.0} ms of the processor", took.as_secs_f64() * 1e3);
    Ok(())
}
