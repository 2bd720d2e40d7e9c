//! How a pool of clients is let through to four ports, and nobody else: each way puts
//! its rules on the host it is called on. A new one is an entry here.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lab::generate::feed;
use lab::host::Config;
use lab::program;

use super::super::site::Site;
use super::super::tool::{self, Trouble};

/// The four ports.
pub(super) const PORTS: [u16; 4] = [8_001, 8_002, 8_003, 8_004];

const LIMIT: Duration = Duration::from_secs(60);

/// One way.
pub(super) struct Variant {
    pub(super) name: &'static str,
    /// Whether strangers are kept out.
    pub(super) blocks: bool,
    pub(super) put: fn(&Site, &[Ipv4Addr]) -> Result<(), Trouble>,
}

/// All of them, what the others are compared with first.
pub(super) const VARIANTS: &[Variant] = &[
    Variant { name: "none", blocks: false, put: |_, _| Ok(()) },
    Variant { name: "none, again", blocks: false, put: |_, _| Ok(()) },
    Variant {
        name: "1,604 rules, iptables-legacy",
        blocks: true,
        put: |site, clients| linear(site, clients, "legacy"),
    },
    Variant {
        name: "1,604 rules, iptables-nft",
        blocks: true,
        put: |site, clients| linear(site, clients, "nft"),
    },
    Variant { name: "one set, 8 rules by hand", blocks: true, put: one_set },
    Variant { name: "denyset, allow-only", blocks: true, put: denyset },
];

fn linear(site: &Site, clients: &[Ipv4Addr], backend: &str) -> Result<(), Trouble> {
    let accepts = PORTS.iter().flat_map(|port| clients.iter().map(move |client| (port, client)));
    let mut text = "*filter\n:INPUT ACCEPT\n".to_owned();
    for (port, client) in accepts {
        // A string takes any text.
        let _ = writeln!(text, "-A INPUT -p tcp --dport {port} -s {client} -j ACCEPT");
    }
    text.push_str(&rejects());
    restore(site, &format!("iptables-{backend}-restore -w"), &text)
}

fn rejects() -> String {
    let rejects = PORTS.map(|port| format!("-A INPUT -p tcp --dport {port} -j REJECT\n"));
    format!("{}COMMIT\n", rejects.concat())
}

fn one_set(site: &Site, clients: &[Ipv4Addr]) -> Result<(), Trouble> {
    let mut members = "create pool hash:ip\n".to_owned();
    for client in clients {
        let _ = writeln!(members, "add pool {client}");
    }
    restore(site, "ipset restore", &members)?;
    let accepts = PORTS.map(|port| {
        format!("-A INPUT -p tcp --dport {port} -m set --match-set pool src -j ACCEPT\n")
    });
    let text = format!("*filter\n:INPUT ACCEPT\n{}{}", accepts.concat(), rejects());
    restore(site, "iptables-legacy-restore -w", &text)
}

fn denyset(site: &Site, clients: &[Ipv4Addr]) -> Result<(), Trouble> {
    let tables = format!(
        "[[list]]\nname = \"pool\"\nfeeds = [\"*\"]\nprotect = []\n[[rule]]\nlist = \"pool\"\n\
         verdict = \"allow-only\"\nhook = \"input\"\ntcp-ports = {PORTS:?}\n"
    );
    let pool: Vec<IpAddr> = clients.iter().map(|&client| client.into()).collect();
    site.host().configure(&Config { tables, ..Config::default() });
    site.host().feed("pool.txt", feed(&pool));
    let mut command = program::command();
    command.args(["apply", "--config"]).arg(site.host().config());
    tool::finish(&mut command, None, LIMIT).map(drop)
}

fn restore(site: &Site, line: &str, text: &str) -> Result<(), Trouble> {
    let file = site.file("rules", text)?;
    tool::run_with(line, &file, LIMIT).map(drop)
}
