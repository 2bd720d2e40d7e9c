//! Who is compared with: servers for the same look-up, and an nginx that asks
//! somebody for each request. All listen on Unix sockets.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::PATIENCE;
use lab::host::Host;
use lab::witness::succeed;

use super::super::worked;
use crate::{Failure, workspace};

/// A process that listens. Dropped, it is ended.
pub(super) struct Listening {
    child: Child,
    pub(super) socket: PathBuf,
}

/// The files that a server finds its addresses in.
pub(super) struct Addresses<'a> {
    host: &'a Host,
    /// In the order of this machine.
    file: PathBuf,
}

impl Listening {
    fn start(mut command: Command, socket: PathBuf) -> Result<Self, Failure> {
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let mut started = Self { child, socket };
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&started.socket).is_err() {
            if Instant::now() > deadline || started.child.try_wait()?.is_some() {
                return Err(format!("{command:?} does not listen").into());
            }
            thread::yield_now();
        }
        Ok(started)
    }

    /// What it has worked so far.
    pub(super) fn worked(&self) -> Result<Duration, Failure> {
        worked(self.child.id())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Both fail only if it is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'a> Addresses<'a> {
    pub(super) fn new(host: &'a Host, listed: &[u32]) -> Result<Self, Failure> {
        let file = host.path("addresses");
        let bytes: Vec<_> = listed.iter().flat_map(|address| address.to_ne_bytes()).collect();
        fs::write(&file, bytes)?;
        Ok(Self { host, file })
    }

    /// The least that can be done, in C.
    pub(super) fn in_c(&self) -> Result<Listening, Failure> {
        let source = self.put("lookup.c", include_str!("lookup.c"))?;
        self.compiled("c", &source, &self.file)
    }

    /// Another server in C, whose addresses are in the order of the network.
    pub(super) fn beside(&self, listed: &[u32], source: &Path) -> Result<Listening, Failure> {
        let file = self.host.path("addresses-of-network");
        let bytes: Vec<_> = listed.iter().flat_map(|address| address.to_be_bytes()).collect();
        fs::write(&file, bytes)?;
        self.compiled("beside", source, &file)
    }

    fn compiled(&self, name: &str, source: &Path, file: &Path) -> Result<Listening, Failure> {
        let program = self.host.path(&format!("lookup-in-{name}"));
        let words = ["-O2".as_ref(), "-o".as_ref(), program.as_os_str(), source.as_os_str()];
        succeed("cc", &words);
        let socket = self.socket(name);
        let mut command = Command::new(program);
        command.arg(&socket).arg(file);
        Listening::start(command, socket)
    }

    /// A script in Python, with its library's server or with none.
    pub(super) fn in_python(&self, name: &str, script: &str) -> Result<Listening, Failure> {
        let script = self.put(&format!("{name}.py"), script)?;
        let socket = self.socket(name);
        let mut command = Command::new("python3");
        command.arg(script).arg(&socket).arg(&self.file);
        Listening::start(command, socket)
    }

    /// Lua, in `HAProxy`.
    pub(super) fn in_lua(&self) -> Result<Listening, Failure> {
        let script = include_str!("lookup.lua").replace("FILE", &self.file.to_string_lossy());
        let script = self.put("lookup.lua", &script)?;
        let socket = self.socket("lua");
        let text = format!(
            "global\n    nbthread 1\n    lua-load {}\ndefaults\n    mode http\n    \
             timeout client 60s\nfrontend lookup\n    bind unix@{}\n    \
             http-request use-service lua.lookup\n",
            script.display(),
            socket.display()
        );
        let mut command = Command::new("haproxy");
        command.args(["-q", "-db", "-f"]).arg(self.put("haproxy.cfg", &text)?);
        Listening::start(command, socket)
    }

    /// An nginx that asks at this socket for every request, by the recipe that is
    /// shipped, and takes the client from X-Forwarded-For.
    pub(super) fn nginx(&self, name: &str, asked: &Path) -> Result<Listening, Failure> {
        let recipe = |file: &str| -> Result<String, Failure> {
            let text = fs::read_to_string(workspace::root().join("config/nginx").join(file))?;
            // It waits for slow ones, too: nobody is to be let in unasked.
            let text = text.replace("100ms", "10s").replace("200ms", "10s");
            Ok(text.replace("/run/denyset-gateway/http.sock", &asked.to_string_lossy()))
        };
        let place = self.host.path(&format!("nginx-{name}"));
        fs::create_dir_all(place.join("pages"))?;
        fs::write(place.join("pages/index.html"), "ok")?;
        let (socket, place) = (place.join("http.sock"), place.display());
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary =
            temporary.map(|kind| format!("{kind}_temp_path {place}/{kind};\n")).concat();
        let text = format!(
            "daemon off; master_process off; pid {place}/pid; error_log stderr crit; events {{}}\n\
             http {{ access_log off; keepalive_requests 1000000; {temporary}\n\
             {}{} set_real_ip_from unix:;\n\
             server {{ listen unix:{}; root {place}/pages;\n{} }} }}\n",
            recipe("denyset-upstream.conf")?,
            recipe("denyset-behind-proxy.conf")?,
            socket.display(),
            recipe("denyset-check.conf")?,
        );
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-c"]).arg(self.put(&format!("nginx-{name}.conf"), &text)?);
        Listening::start(command, socket)
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.host.path(&format!("{name}.sock"))
    }

    fn put(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.host.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}
