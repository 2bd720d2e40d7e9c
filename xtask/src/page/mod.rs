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

/// Texts whose contrast to what is behind them is less than WCAG 2.1 wants (1.4.3, and
/// for the formula the definitions of contrast ratio and relative luminance).
const FAINT: &str = "(() => {
    const parts = colour => colour.match(/[0-9.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = node => {
        const back = parts(getComputedStyle(node).backgroundColor);
        return back[3] === 0 ? node.parentElement ? behind(node.parentElement) : [255, 255, 255] : back;
    };
    const has_text = node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    const texts = [...document.body.querySelectorAll('*')].filter(has_text);
    if (texts.length < 50) throw 'these are not all texts';
    return texts.filter(node => {
        const pair = [parts(getComputedStyle(node).color), behind(node)].map(light).sort((a, b) => b - a);
        return (pair[0] + 0.05) / (pair[1] + 0.05) < 4.5;
    }).map(node => node.outerHTML.slice(0, 200));
})()";

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
        let axe = match axe(&out) {
            Ok(axe) => Some(axe),
            Err(why) => {
                println!("NOT TRIED: axe-core, only Chromium's own rules are: {why}");
                None
            }
        };
        let target = workspace::root().join("target");
        lab::program::choose(build_program("denyset", &target, false));
        let gateway = build_program("denyset-gateway", &target, false);
        let found = isolated(|| {
            look(&gateway, &out, axe.as_deref()).map_err(|failure| failure.to_string())
        })?;
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
fn look(gateway: &Path, out: &Path, axe: Option<&str>) -> Result<Vec<String>, Failure> {
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
fn pictures(out: &Path, state: &str, axe: Option<&str>) -> Result<Vec<String>, Failure> {
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
            let faint = browser.evaluate(FAINT)?;
            let faint = faint.as_array().ok_or("there is a list of what is faint")?;
            found.extend(faint.iter().map(|text| format!("{what}: it is faint: {text}")));
            found.extend(browser.nameless()?.into_iter().map(|rule| format!("{what}: {rule}")));
            if let Some(axe) = axe {
                // Its policy lets no script in but what is put into it from here.
                browser.evaluate(&format!("{axe}; 0"))?;
                let broken = browser.evaluate(AXE_RUNS)?;
                let broken = broken.as_array().into_iter().flatten();
                found.extend(broken.map(|rule| format!("{what}: {rule}")));
            }
            found.extend(browser.complaints.drain(..).map(|text| format!("{what}: {text}")));
            println!("{what}: looked at");
        }
    }
    Ok(found)
}
