//! Files for Apache: as `.htaccess` of a directory each, and as a part of the
//! configuration of all that is served, where sections stand that no `.htaccess`
//! may have. All are served by one process, below a path of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use blocklist::Format;
use lab::namespace::isolated;

use crate::web::{self, PORT, Server};
use crate::{Dice, compare_with};

const ALL: &str = "<RequireAll>\nRequire all granted\n";

/// Files, and whom they turn away that we leave out.
const BY_HAND: &[(&str, &[&str])] = &[
    ("Deny from 192.0.2.0/28\n", &[]),
    ("Deny from 192.0.2.1 192.0.2.4/30 2001:db8::/32\n", &[]),
    ("Order Allow,Deny\nAllow from all\nDeny from 192.0.2.0/28\nAllow from 192.0.2.4/30\n", &[]),
    ("Order Deny,Allow\nDeny from 192.0.2.0/28\nAllow from 192.0.2.4/30\n", &[]),
    ("Allow from 192.0.2.4/30\nOrder Deny,Allow\nDeny from 192.0.2.0/28\n", &[]),
    ("Allow from 192.0.2.4/30\nDeny from 192.0.2.0/28\nAllow from all\nOrder Allow,Deny\n", &[]),
    ("Order Deny,Allow\nDeny from 192.0.2.0/28\nAllow from all\n", &[]),
    ("Deny from 192.0.2.0/255.255.255.240\nAllow from 192.0.2\n", &[]),
    ("Deny from 192.0.2\n# 192.0.2.0/24\nDeny from 198.51.\n# 198.51.0.0/16\n", &[]),
    ("deny from \\\n192.0.2.1 \\\n192.0.2.9\n", &[]),
    (
        "Require all granted\n<Limit DELETE>\nDeny from 192.0.2.1\n</Limit>\nDeny from 192.0.2.9\n",
        &[],
    ),
    ("<Files \"other\">\nDeny from 192.0.2.1\n</Files>\nDeny from 192.0.2.9\n", &[]),
    ("<If \"%{QUERY_STRING} == 'x'\">\nDeny from 192.0.2.1\n</If>\nDeny from 192.0.2.9\n", &[]),
    ("{ALL}Require not ip 192.0.2.0/28 2001:db8::/32\n</RequireAll>\n", &[]),
    (
        "{ALL}Require not ip 192.0.2.0/28\nRequire not ip 198.51.100\n# 198.51.100.0/24\n</RequireAll>\n",
        &[],
    ),
    (
        "{ALL}<RequireNone>\nRequire ip 192.0.2.0/28\nRequire ip 192.0.2.32\n</RequireNone>\n</RequireAll>\n",
        &[],
    ),
    (
        "<RequireAny>\nRequire ip 192.0.2.4/30\n{ALL}Require not ip 192.0.2.0/28\n</RequireAll>\n</RequireAny>\n",
        &[],
    ),
    ("Require all granted\n{ALL}Require not ip 192.0.2.0/28\n</RequireAll>\n", &[]),
    (
        "<RequireAny>\n{ALL}Require not ip 192.0.2.0/28\n</RequireAll>\nRequire all granted\n</RequireAny>\n",
        &[],
    ),
    // Whoever lets in only some turns away all others.
    ("Require ip 192.0.2.4/30\n", &["192.0.2.3", "192.0.2.8"]),
    ("Order Deny,Allow\nDeny from all\nAllow from 192.0.2.4/30\n", &["192.0.2.3", "192.0.2.8"]),
    (
        "<RequireAll>\nRequire ip 192.0.2.0/28\nRequire not ip 192.0.2.4/30\n</RequireAll>\n",
        &["192.0.1.255", "192.0.2.16"],
    ),
];

/// The same, of files that stand in the configuration.
const AROUND: &[&str] = &[
    "<Location \"/\">\nDeny from 192.0.2.1\n</Location>\n<Location \"/other\">\nDeny from 192.0.2.9\n</Location>\n",
    "<Directory />\nDeny from 192.0.2.1\n</Directory>\n<Directory \"/nowhere\">\nDeny from 192.0.2.9\n</Directory>\n",
    "<Location />\n{ALL}Require not ip 192.0.2.1\n</RequireAll>\n</Location>\n\
     <LocationMatch \"^/other\">\nRequire ip 192.0.2.9\n</LocationMatch>\n",
];

/// Files of the same parts in any order.
fn made_up(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.below(2) == 0 {
        text.push_str(dice.one(&["", "Order Deny,Allow\n", "Order Allow,Deny\nAllow from all\n"]));
        for _ in 0..=dice.below(8) {
            let verb = dice.one(&["Deny", "Deny", "Allow"]);
            let _ = writeln!(text, "{verb} from {} {}", dice.prefix(), dice.prefix());
        }
        return text;
    }
    let any = dice.below(3) == 0;
    if any {
        text.push_str("<RequireAny>\n");
        for _ in 0..=dice.below(2) {
            let _ = writeln!(text, "Require ip {}", dice.prefix());
        }
    }
    text.push_str(ALL);
    for _ in 0..=dice.below(6) {
        let _ = match dice.below(3) {
            0 => {
                let (one, other) = (dice.prefix(), dice.prefix());
                writeln!(text, "<RequireNone>\nRequire ip {one} {other}\n</RequireNone>")
            }
            _ => writeln!(text, "Require not ip {}", dice.prefix()),
        };
    }
    text.push_str("</RequireAll>\n");
    if any {
        text.push_str("</RequireAny>\n");
    }
    text
}

/// What serves each of the directories `0`, `1`, …, and includes a file for the
/// whole of a port if there is one.
fn configuration(room: &Path, included: &[String]) -> String {
    let modules: String = ["mpm_event", "authz_core", "authz_host", "access_compat"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    let room = room.display();
    let mut text = format!(
        "ServerRoot {room}\nServerName one.test\nPidFile {room}/pid\nMutex file:{room} default\n\
         DefaultRuntimeDir {room}\nErrorLog /dev/stderr\nLogLevel notice\n{modules}\
         StartServers 1\nServerLimit 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n\
         MinSpareThreads 1\nMaxSpareThreads 25\n\
         DocumentRoot {room}/served\n<Directory {room}/served>\nAllowOverride All\n\
         Require all granted\n</Directory>\nListen 127.0.0.1:{PORT}\nListen [::1]:{PORT}\n"
    );
    for (at, included) in included.iter().enumerate() {
        let port = PORT + 1 + u16::try_from(at).expect("few");
        let _ = write!(
            text,
            "Listen 127.0.0.1:{port}\nListen [::1]:{port}\n<VirtualHost *:{port}>\n{included}\
             </VirtualHost>\n"
        );
    }
    text
}

fn page(directory: &Path, access: Option<&str>) {
    fs::create_dir_all(directory).expect("a directory can be made");
    fs::write(directory.join("page"), "").expect("a file can be written");
    if let Some(access) = access {
        fs::write(directory.join(".htaccess"), access).expect("a file can be written");
    }
}

#[test]
fn apache_turns_away_whom_we_list() {
    isolated(|| {
        web::take_all_addresses();
        let room = tempfile::tempdir().expect("a temporary directory");
        // The children that serve are of a user that is not ours.
        lab::witness::succeed("chmod", &["755".as_ref(), room.path().as_os_str()]);
        let mut dice = Dice(0x5b);
        let placed = |text: &str| text.replace("{ALL}", ALL);
        let mut files: Vec<(String, &[&str])> =
            BY_HAND.iter().map(|&(text, left_out)| (placed(text), left_out)).collect();
        files.extend((0..80).map(|_| (made_up(&mut dice), &[][..])));
        let around: Vec<String> = AROUND.iter().map(|text| placed(text)).collect();
        for (at, (text, _)) in files.iter().enumerate() {
            page(&room.path().join(format!("served/{at}")), Some(text));
        }
        page(&room.path().join("served"), None);
        let file = room.path().join("apache2.conf");
        fs::write(&file, configuration(room.path(), &around)).expect("a file can be written");
        let mut command = Command::new("apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(&file);
        let _server = Server::start(&mut command, "resuming normal operations");
        for (at, (text, left_out)) in files.iter().enumerate() {
            let path = format!("/{at}/page");
            let blocked = |client| web::turns_away(client, PORT, &path);
            compare_with(Format::Apache, text, left_out, blocked);
        }
        for (at, text) in around.iter().enumerate() {
            let port = PORT + 1 + u16::try_from(at).expect("few");
            let blocked = |client| web::turns_away(client, port, "/page");
            compare_with(Format::Apache, text, &[], blocked);
        }
    });
}
