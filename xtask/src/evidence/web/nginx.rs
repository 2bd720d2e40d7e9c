//! What nginx can be told of a list: `deny`, `geo`, `map`.

use std::net::Ipv4Addr;
use std::process::Command;

use rustix::process::Signal;

use super::super::site::Site;
use super::super::tool::Trouble;
use super::{PORT, WebWay, each, replace};

pub(super) fn ways() -> Vec<WebWay> {
    let plain = WebWay {
        name: "nginx, no list",
        base: "nginx, no list",
        write: |_, _| Ok(()),
        command: |site| start(site, "", ""),
        reload: Some(Signal::HUP),
        most: None,
    };
    vec![
        WebWay { ..plain },
        WebWay {
            name: "nginx deny",
            write: |site, listed| replace(site, "list", &each(listed, "deny ", ";")),
            command: |site| start(site, "", &include(site)),
            most: Some((100_000, "a request takes milliseconds at 100,000")),
            ..plain
        },
        WebWay {
            name: "nginx geo, addresses",
            write: |site, listed| replace(site, "list", &each(listed, "", " 1;")),
            command: |site| {
                start(site, &format!("geo $bad {{ default 0; {} }}", include(site)), REFUSE)
            },
            ..plain
        },
        WebWay {
            name: "nginx geo, ranges, as denyset exports it",
            write: ranges,
            command: |site| {
                start(site, &format!("geo $bad {{ ranges; default 0; {} }}", include(site)), REFUSE)
            },
            ..plain
        },
        WebWay {
            name: "nginx map",
            write: |site, listed| replace(site, "list", &each(listed, "", " 1;")),
            command: |site| {
                let map = format!(
                    "map_hash_max_size 4194304; map_hash_bucket_size 128;\n\
                     map $remote_addr $bad {{ default 0; {} }}",
                    include(site)
                );
                start(site, &map, REFUSE)
            },
            ..plain
        },
    ]
}

const REFUSE: &str = "if ($bad) { return 403; }";

fn include(site: &Site) -> String {
    format!("include {};", site.host().path("list").display())
}

/// Sorted, as that mode is quick only then. nginx keeps a compiled copy beside the file
/// and believes it if it is not older in seconds: it has to go first.
fn ranges(site: &Site, listed: &[Ipv4Addr]) -> Result<(), Trouble> {
    let mut sorted = listed.to_vec();
    sorted.sort_unstable();
    let mut text = String::with_capacity(sorted.len() * 36);
    for address in sorted {
        use std::fmt::Write as _;
        // A string takes any text.
        let _ = writeln!(text, "{address}-{address} 1;");
    }
    replace(site, "list", &text)?;
    // It is not there the first time.
    let _ = std::fs::remove_file(site.host().path("list.bin"));
    Ok(())
}

fn start(site: &Site, http: &str, server: &str) -> Result<Command, Trouble> {
    let place = site.host().path("www");
    let place = place.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {place}/{name};\n"))
        .concat();
    let config = site.file(
        "nginx.conf",
        format!(
            "daemon off; worker_processes 1; user root; pid {place}/nginx.pid;\n\
             error_log stderr error; events {{ worker_connections 1024; }}\n\
             http {{ access_log off;\n{temporary}{http}\n\
             server {{ listen {PORT}; root {place}; {server} }} }}\n"
        ),
    )?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(config);
    Ok(command)
}
