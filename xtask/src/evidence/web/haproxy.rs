//! What `haproxy` can be told of a list: an `acl` from a file.

use std::process::Command;

use rustix::process::Signal;

use super::super::site::Site;
use super::super::tool::Trouble;
use super::{PORT, WebWay, each, replace};

pub(super) fn ways() -> Vec<WebWay> {
    let plain = WebWay {
        name: "HAProxy, no list",
        base: "HAProxy, no list",
        write: |_, _| Ok(()),
        command: |site| start(site, ""),
        reload: Some(Signal::USR2),
    };
    vec![
        WebWay { ..plain },
        WebWay {
            name: "HAProxy acl, as denyset exports it",
            write: |site, listed| replace(site, "list", &each(listed, "", "")),
            command: |site| {
                let file = site.host().path("list");
                start(site, &format!("http-request deny if {{ src -f {} }}", file.display()))
            },
            ..plain
        },
    ]
}

fn start(site: &Site, rule: &str) -> Result<Command, Trouble> {
    let config = site.file(
        "haproxy.cfg",
        format!(
            "global\n nbthread 1\n maxconn 2000\ndefaults\n mode http\n timeout client 60s\n \
             timeout server 5s\n timeout connect 1s\nfrontend f\n bind :{PORT}\n {rule}\n \
             http-request return status 200 content-type text/plain string ok\n"
        ),
    )?;
    let mut command = Command::new("haproxy");
    command.args(["-W", "-db", "-q", "-f"]).arg(config);
    Ok(command)
}
