//! Files that a configuration of nginx includes, in its block `http`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use blocklist::Format;
use lab::namespace::isolated;

use crate::web::{self, PORT, Server};
use crate::{Dice, compare_with};

/// Files; who is turned away by `geo` is so by the variable `$bad`.
const BY_HAND: &[&str] = &[
    "deny 192.0.2.0/28;\n",
    "allow 192.0.2.4/30;\ndeny 192.0.2.0/28;\n",
    "deny 192.0.2.0/28;\nallow 192.0.2.4/30;\n",
    "deny 192.0.2.1; deny 192.0.2.3;\n# deny 192.0.2.9;\ndeny 192.0.2.9/30;\n",
    "deny 192.0.2.0/30;\nallow all;\ndeny 192.0.2.8/30;\n",
    "deny 192.0.2.0/30;\nallow 0.0.0.0/0;\ndeny 192.0.2.8/30;\ndeny 2001:db8::/32;\n",
    "deny 192.0.2.0/30;\ndeny 2001:db8::1;\nallow ::/0;\ndeny 192.0.2.8/30;\ndeny 2001:db8::/32;\n",
    "allow 2001:db8:1::/48;\ndeny 2001:db8::/32;\ndeny 192.0.2.1;\n",
    "deny \"192.0.2.1\";\ndeny\n  192.0.2.2\n;\ndeny unix:;\n",
    "geo $bad { default 0; 192.0.2.0/28 1; 192.0.2.4/30 0; }\n",
    "geo $bad { default 0; 192.0.2.4/30 0; 192.0.2.0/28 1; 192.0.2.5 1; }\n",
    "geo $bad { 192.0.2.0/28 1; 192.0.2.8/29 \"\"; 2001:db8::/32 1; }\n",
    "geo $bad { ranges; default 0; 192.0.2.1-192.0.2.9 1; 192.0.2.4-192.0.2.5 0; }\n",
    "geo $remote_addr $bad { default 0; 192.0.2.8/29 1; 192.0.2.8/29 0; }\n",
    "deny 192.0.2.1;\ngeo $bad { default 0; 192.0.2.4/30 1; 192.0.2.1 0; }\n",
];

/// Files with levels of their own, for the block `http`, where all paths of both
/// servers are asked for. The root of the first server is theirs, too.
const LEVELS: &[&str] = &[
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT }\n",
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT deny 192.0.2.2; }\n",
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT allow all; }\n",
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT location = /other { allow 192.0.2.1; deny all; } }\n",
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT allow all; location / { deny 192.0.2.0/29; } }\n",
    "deny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT allow all; location / { deny 192.0.2.0/29; } location /other { } }\n",
    "allow 192.0.2.1;\ndeny 192.0.2.0/30;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT location /other { deny 192.0.2.0/31; } }\n",
    "deny 2001:db8::/32;\ndeny 192.0.2.9;\nserver { listen 127.0.0.1:81; listen [::1]:81; ROOT location /other { allow 2001:db8:1::/48; deny all; } }\n",
];

/// Files that turn everybody away but some. These are not listed by us, and are
/// turned away all the same.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("allow 192.0.2.4/30;\ndeny all;\n", &["192.0.2.3", "192.0.2.8"]),
    ("deny 192.0.2.4;\nallow 192.0.2.4/30;\ndeny 0.0.0.0/0;\n", &["192.0.2.3", "192.0.2.8"]),
];

/// Files of the same parts in any order.
fn made_up(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.below(2) == 0 {
        for _ in 0..2 + dice.below(10) {
            let verb = dice.one(&["deny", "deny", "allow"]);
            let _ = writeln!(text, "{verb} {};", dice.prefix());
        }
        let end = dice.one(&["", "", "allow all;\n"]);
        return text + end;
    }
    let ranges = dice.below(3) == 0;
    text.push_str(if ranges { "geo $bad {\n    ranges;\n" } else { "geo $bad {\n" });
    text.push_str(dice.one(&["    default 0;\n", ""]));
    let mut before: Vec<(usize, usize)> = Vec::new();
    for _ in 0..2 + dice.below(10) {
        let value = dice.one(&["1", "1", "0"]);
        if !ranges {
            let _ = writeln!(text, "    {} {value};", dice.prefix());
            continue;
        }
        let first = dice.below(24);
        let last = first + dice.below(12);
        // A range may lie in one before it, and overlap none in another way.
        let fits = |&(begin, end): &(usize, usize)| {
            last < begin || end < first || begin <= first && last <= end
        };
        if before.iter().all(fits) {
            before.push((first, last));
            let _ = writeln!(text, "    192.0.2.{first}-192.0.2.{last} {value};");
        }
    }
    text + "}\n"
}

/// What includes the file. A page must be found: what is only returned is returned
/// before anybody is turned away.
fn configuration(room: &Path, text: &str) -> String {
    let room = room.display();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("    {what}_temp_path {room}/{what};\n"))
        .concat();
    let geo = if text.contains("geo ") { "if ($bad) { return 403; }" } else { "" };
    format!(
        "daemon off;\nmaster_process off;\npid {room}/pid;\nerror_log stderr notice;\n\
         events {{}}\nhttp {{\n{paths}    access_log off;\n    include {room}/list.conf;\n    \
         server {{\n        listen 127.0.0.1:{PORT};\n        listen [::1]:{PORT};\n        \
         root {room};\n        {geo}\n    }}\n}}\n"
    )
}

fn start(room: &Path, text: &str) -> Server {
    fs::write(room.join("list.conf"), text).expect("a file can be written");
    fs::write(room.join("nginx.conf"), configuration(room, text)).expect("a file can be written");
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-c"]).arg(room.join("nginx.conf"));
    Server::start(&mut command, "using the \"epoll\" event method")
}

#[test]
fn nginx_turns_away_whom_we_list() {
    isolated(|| {
        web::take_all_addresses();
        let room = tempfile::tempdir().expect("a temporary directory");
        let room = room.path();
        fs::write(room.join("page"), "").expect("a file can be written");
        let mut dice = Dice(0x4a);
        let made_up: Vec<String> = (0..60).map(|_| made_up(&mut dice)).collect();
        let all = BY_HAND.iter().copied().chain(made_up.iter().map(String::as_str));
        for (text, left_out) in all.map(|text| (text, &[][..])).chain(LEFT_OUT.iter().copied()) {
            let _server = start(room, text);
            let blocked = |client| web::turns_away(client, PORT, "/page");
            compare_with(Format::Nginx, text, left_out, blocked);
        }
        fs::write(room.join("other"), "").expect("a file can be written");
        for text in LEVELS {
            let text = &text.replace("ROOT", &format!("root {};", room.display()));
            let _server = start(room, text);
            let places = [(PORT, "/page"), (PORT + 1, "/page"), (PORT + 1, "/other")];
            let blocked =
                |client| places.iter().all(|&(port, path)| web::turns_away(client, port, path));
            compare_with(Format::Nginx, text, &[], blocked);
        }
    });
}
