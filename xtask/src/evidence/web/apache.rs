//! What Apache can be told of a list: `Deny from`, `Require not ip`, and a `RewriteMap`
//! that is a text, a database or a program.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::super::site::Site;
use super::super::tool::{self, Trouble};
use super::{PORT, WebWay, each, replace};

/// Where Debian has its modules.
const MODULES: &str = "/usr/lib/apache2/modules";

const LIMIT: Duration = Duration::from_secs(120);

/// A look-up program: a word for each line, without end.
const PROGRAM: &str = "#!/usr/bin/env python3\n\
    import sys\n\
    listed = set(line.split(' ')[0] for line in open(sys.argv[1]))\n\
    for line in sys.stdin:\n    \
        sys.stdout.write('1\\n' if line.rstrip('\\n') in listed else 'NULL\\n')\n    \
        sys.stdout.flush()\n";

pub(super) fn ways() -> Vec<WebWay> {
    let plain = WebWay {
        name: "Apache, no list",
        base: "Apache, no list",
        write: |_, _| Ok(()),
        command: |site| start(site, "", "Require all granted"),
        reload: Some(Signal::USR1),
    };
    vec![
        WebWay { ..plain },
        WebWay {
            name: "Apache Deny from",
            write: |site, listed| replace(site, "list", &each(listed, "Deny from ", "")),
            command: |site| {
                let rules = format!("Order allow,deny\nAllow from all\n{}", include(site));
                start(site, "", &rules)
            },
            ..plain
        },
        WebWay {
            name: "Apache Require not ip, 64 a line",
            write: require_not,
            command: |site| {
                let rules = format!("Require all granted\n{}", include(site));
                start(site, "", &format!("<RequireAll>\n{rules}\n</RequireAll>"))
            },
            ..plain
        },
        WebWay {
            name: "Apache RewriteMap txt",
            write: |site, listed| replace(site, "list", &each(listed, "", " 1")),
            command: |site| with_map(site, "txt:", "list"),
            reload: None,
            ..plain
        },
        WebWay {
            name: "Apache RewriteMap, SDBM",
            write: |site, listed| database(site, listed, "SDBM"),
            command: |site| with_map(site, "dbm=sdbm:", "deny"),
            reload: None,
            ..plain
        },
        WebWay {
            name: "Apache RewriteMap, Berkeley DB",
            write: |site, listed| database(site, listed, "DB"),
            command: |site| with_map(site, "dbm=db:", "deny"),
            reload: None,
            ..plain
        },
        WebWay {
            name: "Apache RewriteMap prg, in Python",
            write: |site, listed| replace(site, "list", &each(listed, "", " 1")),
            command: |site| {
                site.file("lookup.py", PROGRAM)?;
                let file = site.host().path("list");
                with_map(site, "prg:/usr/bin/python3 ", &format!("lookup.py {}", file.display()))
            },
            ..plain
        },
    ]
}

/// Many on a line: the server takes minutes for a hundred thousand lines.
fn require_not(site: &Site, listed: &[Ipv4Addr]) -> Result<(), Trouble> {
    let lines = listed.chunks(64).map(|some| {
        let some: Vec<_> = some.iter().map(Ipv4Addr::to_string).collect();
        format!("Require not ip {}\n", some.join(" "))
    });
    replace(site, "list", &lines.collect::<Vec<_>>().concat())
}

fn include(site: &Site) -> String {
    format!("Include {}", site.host().path("list").display())
}

fn database(site: &Site, listed: &[Ipv4Addr], kind: &str) -> Result<(), Trouble> {
    replace(site, "list", &each(listed, "", " 1"))?;
    let [text, draft] = ["list", "draft"].map(|name| site.host().path(name));
    let line = format!("httxt2dbm -f {kind} -i {} -o {}", text.display(), draft.display());
    tool::run(&line, LIMIT)?;
    let ends: &[&str] = if kind == "SDBM" { &[".dir", ".pag"] } else { &[""] };
    for end in ends {
        let [from, to] = ["draft", "deny"].map(|name| site.host().path(&format!("{name}{end}")));
        std::fs::rename(from, to)
            .map_err(|error| Trouble::Broken(format!("httxt2dbm: {error}")))?;
    }
    Ok(())
}

fn with_map(site: &Site, kind: &str, file: &str) -> Result<Command, Trouble> {
    let map = format!(
        "RewriteEngine On\nRewriteMap deny \"{kind}{}\"\n\
         RewriteCond \"${{deny:%{{REMOTE_ADDR}}|0}}\" \"=1\"\nRewriteRule ^ - [F]",
        site.host().path(file).display()
    );
    start(site, &map, "Require all granted")
}

fn start(site: &Site, server: &str, directory: &str) -> Result<Command, Trouble> {
    let place = site.host().path("www");
    let place = place.display();
    let modules: String =
        ["mpm_event", "authz_core", "authz_host", "access_compat", "rewrite", "mime"]
            .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
            .concat();
    let config = site.file(
        "apache.conf",
        format!(
            "ServerRoot {place}\nServerName evidence\nDefaultRuntimeDir {place}\n\
             PidFile {place}/apache.pid\nListen {PORT}\nUser www-data\nGroup www-data\n{modules}\
             TypesConfig /etc/mime.types\nErrorLog {place}/error.log\nLogLevel error\n\
             StartServers 1\nServerLimit 1\nThreadsPerChild 32\nMaxRequestWorkers 32\n\
             DocumentRoot {place}\n{server}\n\
             <Directory {place}>\nAllowOverride None\n{directory}\n</Directory>\n"
        ),
    )?;
    let mut command = Command::new("apache2");
    command.arg("-f").arg(config).arg("-DFOREGROUND");
    Ok(command)
}
