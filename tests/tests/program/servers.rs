//! Real web servers, in the foreground and from one file of their own each: what
//! they need to run at all, around the lines of a recipe.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use lab::daemon::PATIENCE;
use lab::host::Host;
use lab::http::HttpConnection;
use lab::witness::succeed;
use rustix::process::{Pid, Signal, kill_process};

/// A web server. Dropped, it is ended.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &str, port: u16, arguments: &[&str]) -> Self {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", program])
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .expect("it can be started");
        let server = Self { child, port };
        let deadline = Instant::now() + PATIENCE;
        while HttpConnection::tcp(server.address()).is_err() {
            assert!(Instant::now() < deadline, "{program} does not listen");
            std::thread::yield_now();
        }
        server
    }

    /// Where it listens, of both families.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.port)
    }

    /// Tells it to load its files again, in its own way.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has a number"), signal).expect("the server lives");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its workers end with it, or with the namespace of this test.
        self.signal(Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The text of a recipe as it is shipped.
pub(crate) fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
    fs::read_to_string(path).expect("the recipe is shipped")
}

pub(crate) fn put(host: &Host, name: &str, text: &str) -> PathBuf {
    let path = host.path(name);
    fs::write(&path, text).expect("written");
    path
}

/// A directory with one page in it.
fn pages(host: &Host) -> String {
    fs::create_dir_all(host.path("htdocs")).expect("a directory");
    put(host, "htdocs/index.html", "ok");
    host.path(".").display().to_string()
}

/// nginx with these lines in its `http` and in its `server` block.
pub(crate) fn nginx(host: &Host, port: u16, http: &[String], server: &str) -> Server {
    let place = pages(host);
    let temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temps = temps.map(|kind| format!("{kind}_temp_path {place}/{kind};\n")).concat();
    let text = format!(
        "daemon off; worker_processes 1; user root; pid {place}/nginx.pid;\n\
         error_log {place}/nginx.log; events {{}}\n\
         http {{ access_log off; keepalive_requests 1000000; {temps} {http}\n\
         server {{ listen [::]:{port} ipv6only=off; root {place}/htdocs;\n{server} }} }}\n",
        http = http.concat()
    );
    let file = put(host, "nginx.conf", &text);
    Server::start("nginx", port, &["-e", "stderr", "-c", &file.to_string_lossy()])
}

/// `HAProxy` with these lines in its `global` section and in its frontend. With
/// SIGUSR2 it loads its files again.
pub(crate) fn haproxy(host: &Host, port: u16, global: &str, frontend: &str) -> Server {
    let text = format!(
        "global\n{global}\ndefaults\n    mode http\n    timeout client 10s\n    \
         timeout connect 10s\n    timeout server 10s\nfrontend web\n    bind :::{port} v4v6\n\
         {frontend}    http-request return status 200 content-type text/plain string ok\n"
    );
    let file = put(host, "haproxy.cfg", &text);
    Server::start("haproxy", port, &["-W", "-f", &file.to_string_lossy()])
}

/// Apache with these lines.
pub(crate) fn apache(host: &Host, port: u16, lines: &[String]) -> Server {
    let place = pages(host);
    let modules = ["mpm_event", "authz_core", "dir", "rewrite", "remoteip"];
    let modules = modules
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    let text = format!(
        "ServerRoot {place}\nDefaultRuntimeDir {place}\nPidFile {place}/apache.pid\n\
         ServerName localhost\nErrorLog {place}/apache.log\n{modules}\
         Listen [::]:{port}\nUser www-data\nGroup www-data\nDocumentRoot {place}/htdocs\n\
         DirectoryIndex index.html\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\n{lines}",
        lines = lines.concat()
    );
    let file = put(host, "apache.conf", &text);
    // `User` has to reach what it serves.
    succeed("chmod", &["a+x".as_ref(), host.path(".").as_os_str()]);
    Server::start("apache2", port, &["-D", "FOREGROUND", "-f", &file.to_string_lossy()])
}

/// Caddy with these lines in its only site.
pub(crate) fn caddy(host: &Host, port: u16, site: &str) -> Server {
    let text = format!(
        "{{\n    admin off\n    auto_https off\n}}\nhttp://:{port} {{\n{site}\n    respond ok\n}}\n"
    );
    let file = put(host, "Caddyfile", &text);
    let home = format!("HOME={}", host.path(".").display());
    let file = file.to_string_lossy();
    // What it keeps goes into its home.
    let caddy = [&*home, "caddy", "run", "--adapter", "caddyfile", "--config", &*file];
    Server::start("env", port, &caddy)
}
