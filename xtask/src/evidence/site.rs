//! Where a variant is measured: a host in a namespace of its own, and another beyond a
//! wire from which packets come. Whatever is not dropped is counted at the end of input
//! and dropped there, so that every packet goes the same way but for what is measured.

use std::net::IpAddr;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use lab::host::{Config, Host};
use lab::namespace::Namespace;
use lab::volley::Volley;
use lab::wire::{INTERFACE, Wire};

use super::tool::{self, Trouble};

/// Where packets end that nothing has dropped before: to the port of [`Volley`].
const GROUND: &str = "table inet ground {\n\
    chain end { type filter hook input priority 1000; policy accept; udp dport 9 counter drop; }\n}\n";

/// No question to the kernel takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host with a wire to it.
pub(super) struct Site {
    namespace: Namespace,
    wire: Wire,
    host: Host,
}

impl Site {
    /// Makes one.
    pub(super) fn new() -> Result<Self, Trouble> {
        let namespace = Namespace::new();
        let wire = namespace.run(Wire::new);
        let site = Self { namespace, wire, host: Host::with(&Config::default()) };
        let ground = site.file("ground.nft", GROUND)?;
        site.run(|| {
            for name in ["all", INTERFACE] {
                let line = format!("sysctl -qw net.ipv4.conf.{name}.rp_filter=0");
                tool::run(&line, PATIENCE)?;
            }
            tool::run(&format!("nft -f {}", ground.display()), PATIENCE)
        })?;
        Ok(site)
    }

    /// Runs `body` on the host. What it starts is of that host.
    pub(super) fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(body)
    }

    /// Runs `body` on the host without waiting for its end.
    pub(super) fn start(&self, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        self.namespace.start(body)
    }

    /// Runs `body` in the namespace beyond the wire.
    pub(super) fn beyond<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        self.wire.beyond(body)
    }

    /// Its files, for denyset and everybody else.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Writes a file of this host.
    pub(super) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf, Trouble> {
        let path = self.host.path(name);
        std::fs::write(&path, text).map_err(|error| Trouble::Broken(format!("{name}: {error}")))?;
        Ok(path)
    }

    /// Packets from these addresses.
    pub(super) fn volley<A: Copy + Into<IpAddr>>(&self, sources: &[A]) -> Volley {
        Volley::over(&self.wire, sources)
    }

    /// How many packets nothing has dropped so far.
    pub(super) fn arrived(&self) -> Result<u64, Trouble> {
        let shown = self.run(|| tool::run("nft list chain inet ground end", PATIENCE))?.said;
        let count = shown.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next());
        let count = count.and_then(|count| count.parse().ok());
        count.ok_or_else(|| Trouble::Broken(format!("the end of input is gone: {shown}")))
    }
}
