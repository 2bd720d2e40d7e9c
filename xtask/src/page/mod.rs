//! The page of the gateway as a browser shows it: pictures for somebody to look at,
//! in light and in dark and in two widths, of a host where all is well and of one
//! where it is not. It fails if the page complains, does not fit, or breaks a rule of
//! accessibility that axe-core knows.

mod browser;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use lab::daemon::Daemon;
use lab::gateway::Gateway;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::program::build_program;
use lab::witness::is_there;

use crate::{Failure, workspace};
use browser::Browser;

/// Where the page is.
const PLACE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8089);
/// A telephone and a large screen.
const WIDTHS: [u32; 2] = [400, 1_600];
/// The package of axe-core. It is loaded into the browser for the check alone.
const AXE: &str = "axe-core@4.14.1";
/// Rules of WCAG 2.1, and what is good to do besides.
const AXE_RUNS: &str = "axe.run(document, {resultTypes: ['violations']}).then(found => \
    found.violations.map(rule => rule.id + ': ' + rule.help + ': ' + \
    rule.nodes.map(node => node.html).join(' ')))";

#[derive(Args)]
pub(crate) struct Page {
    /// Where the pictures are put; target/page unless given
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Page {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if !is_there("chromium") {
            return Err("there is no `chromium` here; Debian's package has the same name".into());
        }
        let out = self.out.clone().unwrap_or_else(|| workspace::root().join("target/page"));
        fs::create_dir_all(&out)?;
        let axe = axe(&out)?;
        let target = workspace::root().join("target");
        lab::program::choose(build_program("denyset", &target, false));
        let gateway = build_program("denyset-gateway", &target, false);
        let found = isolated(|| look(&gateway, &out, &axe).map_err(|failure| failure.to_string()))?;
        println!("pictures are in {}", out.display());
        if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
    }
}

/// The text of axe-core.
fn axe(out: &Path) -> Result<String, Failure> {
    let file = out.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-save", "--ignore-scripts", "--prefix"]).arg(out).arg(AXE);
        let status = npm.status().map_err(|error| format!("cannot start `npm`: {error}"))?;
        if !status.success() {
            return Err(format!("{npm:?} ended with {status}").into());
        }
    }
    Ok(fs::read_to_string(file)?)
}

/// Looks at both hosts, and says what is wrong.
fn look(gateway: &Path, out: &Path, axe: &str) -> Result<Vec<String>, Failure> {
    let host = Host::new();
    let configure = |export: &str| {
        let list = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n";
        host.configure(&Config { tables: format!("{list}{export}"), ..Config::default() });
    };
    configure("");
    let random = &mut RandomNumbers::seeded(3);
    for (name, entries) in [("spamhaus-drop.txt", 1_500), ("firehol_level1.netset", 4_000)] {
        let lines = random.addresses(entries, entries / 10).into_iter();
        host.feed(name, lines.map(|address| format!("{address}\n")).collect::<Vec<_>>().concat());
    }
    host.feed("blocklist-de.txt", "192.0.2.7\n198.51.100.0/24\n2001:db8::/32\n");
    let daemon = Daemon::start(&host);
    let settings = format!("listen.tcp = [\"{PLACE}\"]");
    let gateway = Gateway::start_program(gateway, &host, &settings);
    let says = |text: &str| gateway.get("/", &[]).body.contains(text);
    gateway.until("the daemon was asked", || says("In sync: the kernel"));
    let mut found = pictures(out, "good", axe)?;
    host.feed("blocklist-de.txt", "<html><body>Service unavailable</body></html>\n");
    daemon.until_feed("blocklist-de.txt", "refused");
    // One that somebody may let through.
    host.feed("firehol_level1.netset", "203.0.113.7\n");
    daemon.until_feed("firehol_level1.netset", "refused");
    let path = host.path("none/drop.geo");
    let export = format!(
        "[[export]]\nlist = \"drop\"\nformat = \"nginx-geo\"\npath = \"{}\"\n",
        path.display()
    );
    configure(&export);
    host.denyset("reload");
    gateway.until("the page says so", || says("an export stays as it was") && says("refused"));
    found.extend(pictures(out, "bad", axe)?);
    Ok(found)
}

/// Pictures of the page as it is now, and what is wrong with it.
fn pictures(out: &Path, state: &str, axe: &str) -> Result<Vec<String>, Failure> {
    let place = tempfile::tempdir()?;
    let mut browser = Browser::start(place.path())?;
    let mut found = Vec::new();
    for colours in ["light", "dark"] {
        for width in WIDTHS {
            let what = format!("{state}-{colours}-{width}");
            browser.open(&format!("http://{PLACE}/?ip=192.0.2.7"), width, colours)?;
            browser.picture(&out.join(format!("{what}.png")))?;
            let wide = browser.evaluate("document.documentElement.scrollWidth")?;
            if wide.as_u64().is_none_or(|wide| wide > u64::from(width)) {
                found.push(format!("{what}: the page is {wide} wide"));
            }
            // Its policy lets no script in but what is put into it from here.
            browser.evaluate(&format!("{axe}; 0"))?;
            let broken = browser.evaluate(AXE_RUNS)?;
            let broken = broken.as_array().into_iter().flatten();
            found.extend(broken.map(|rule| format!("{what}: {rule}")));
            found.extend(browser.complaints.drain(..).map(|text| format!("{what}: {text}")));
            println!("{what}: looked at");
        }
    }
    Ok(found)
}
