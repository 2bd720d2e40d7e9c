//! What nginx can be told of a list: `deny`, `geo`, `map`, and to ask denyset's gateway.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::Command;

use blocklist::{Prefix, PrefixSet, pack};
use lab::program;
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
    };
    vec![
        WebWay { ..plain },
        WebWay {
            name: "nginx deny",
            write: |site, listed| replace(site, "list", &each(listed, "deny ", ";")),
            command: |site| start(site, "", &include(site)),
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
        WebWay {
            name: "nginx auth_request, denyset-gateway",
            write: packed,
            command: with_gateway,
            reload: None,
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

/// The list as the daemon hands it on to the gateway.
fn packed(site: &Site, listed: &[Ipv4Addr]) -> Result<(), Trouble> {
    let failed = |error: std::io::Error| Trouble::Broken(error.to_string());
    let mut sorted: Vec<u32> = listed.iter().map(|&address| address.into()).collect();
    sorted.sort_unstable();
    let set: PrefixSet<u32> = sorted.into_iter().map(Prefix::host).collect();
    let mut bytes = Vec::new();
    let Ok(_) = pack(&set, 1, 1, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    let lists = site.host().path("run/lists");
    std::fs::create_dir_all(&lists).map_err(failed)?;
    let draft = site.file("run/draft", bytes)?;
    std::fs::rename(draft, lists.join("drop.v4")).map_err(failed)
}

/// The gateway is a child of the server, so that what it works counts, and ends with it.
fn with_gateway(site: &Site) -> Result<Command, Trouble> {
    let gateway = program::binary().with_file_name("denyset-gateway");
    if !gateway.exists() {
        let build = "`cargo build --release --package denyset-gateway` was not run before";
        return Err(Trouble::Missing(build.into()));
    }
    let [lists, control, socket] = ["run/lists", "run/control.sock", "run/http.sock"]
        .map(|name| site.host().path(name).display().to_string());
    let settings = site.file(
        "gateway.toml",
        format!(
            "daemon.lists-dir = {lists:?}\ndaemon.control-socket = {control:?}\n\
             listen.socket = {socket:?}\nlisten.socket-mode = \"0666\"\ncheck.lists = [\"drop\"]\n"
        ),
    )?;
    let http = format!("upstream denyset {{ server unix:{socket}; keepalive 32; }}");
    let nginx = start(
        site,
        &http,
        "auth_request /_denyset;\n\
         location = /_denyset { internal; proxy_pass http://denyset/check; proxy_http_version 1.1;\n\
         proxy_pass_request_body off; proxy_pass_request_headers off;\n\
         proxy_set_header Content-Length \"\"; proxy_set_header Connection \"\";\n\
         proxy_set_header X-Real-IP $remote_addr; }",
    )?;
    let nginx: Vec<_> = nginx.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(
        "setpriv --pdeathsig KILL -- {} --config {} & exec nginx {}",
        gateway.display(),
        settings.display(),
        nginx.join(" ")
    ));
    Ok(command)
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
