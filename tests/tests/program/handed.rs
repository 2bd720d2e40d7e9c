//! The folder that the gateway answers from, when somebody plays with it, and the time
//! of day when somebody plays with that.

use std::convert::Infallible;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Instant;

use blocklist::{Prefix, PrefixSet, pack};
use lab::daemon::{Daemon, PATIENCE};
use lab::gateway::Gateway;
use lab::host::Host;
use lab::namespace::isolated;
use lab::wall::Wall;
use lab::witness::succeed;

const LISTED: &str = "45.9.8.1";
const OTHER: &str = "45.9.8.2";

/// What somebody does to the folder.
type Prank<'a> = (&'a str, &'a dyn Fn());

/// A gateway that knows a list, and a folder that nobody else writes to any more.
fn with_folder(body: impl FnOnce(&Host, &Gateway, PathBuf) + Send) {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", format!("{LISTED}\n"));
        let daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "check.lists = [\"drop\"]");
        gateway.until_check(LISTED, 403);
        daemon.kill();
        body(&host, &gateway, host.path("run/lists"));
        gateway.stop();
    });
}

/// A good list of one other address.
fn other() -> Vec<u8> {
    let address: std::net::Ipv4Addr = OTHER.parse().expect("an address");
    let set: PrefixSet<u32> = [Prefix::host(address.into())].into_iter().collect();
    let mut bytes = Vec::new();
    let Ok(_) = pack(&set, 9, 1, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    bytes
}

#[test]
fn what_is_put_in_place_of_a_list_and_is_none_changes_no_answer() {
    with_folder(|host, gateway, lists| {
        let file = lists.join("drop.v4");
        let elsewhere = host.path("elsewhere.v4");
        fs::write(&elsewhere, other()).expect("written");
        let pranks: [Prank<'_>; 3] = [
            ("symbolic link", &|| symlink(&elsewhere, &file).expect("made")),
            ("no regular file", &|| drop(succeed("mkfifo", &[&file]))),
            ("more than", &|| {
                let huge = File::create(&file).expect("made");
                huge.set_len(1 << 40).expect("a file may have a hole");
            }),
        ];
        for (want, play) in pranks {
            let lines = gateway.log().len();
            fs::remove_file(&file).expect("it was there");
            play();
            let deadline = Instant::now() + PATIENCE;
            let said = gateway.log().wait(lines, &["stays in force", "drop.v4", want], deadline);
            assert!(said.is_some(), "{want}: {}", gateway.log().text());
            assert_eq!((gateway.check(LISTED), gateway.check(OTHER)), (403, 204), "{want}");
        }
        // A name that is no list's is none of its business.
        fs::write(lists.join(".v4"), other()).expect("written");
        fs::write(lists.join("a\n.v4"), other()).expect("written");
        fs::remove_file(&file).expect("it was there");
        fs::rename(&elsewhere, &file).expect("a good one");
        gateway.until_check(OTHER, 403);
        assert_eq!(gateway.check(LISTED), 204);
    });
}

#[test]
fn another_folder_in_its_place_is_answered_from() {
    with_folder(|host, gateway, lists| {
        let [old, new] = ["old", "new"].map(|name| host.path("run").join(name));
        fs::create_dir(&new).expect("made");
        fs::write(new.join("drop.v4"), other()).expect("written");
        fs::rename(&lists, &old).expect("renamed");
        // Nothing is there for a moment.
        assert_eq!((gateway.check(LISTED), gateway.check(OTHER)), (403, 204));
        fs::rename(&new, &lists).expect("renamed");
        gateway.until_check(OTHER, 403);
        assert_eq!(gateway.check(LISTED), 204);
        // And one that a link leads to, as somebody may have it.
        fs::rename(&lists, &new).expect("renamed");
        symlink(&old, &lists).expect("made");
        gateway.until_check(LISTED, 403);
        assert_eq!(gateway.check(OTHER), 204);
        // It is followed there as well.
        fs::remove_file(old.join("drop.v4")).expect("it was there");
        fs::rename(new.join("drop.v4"), old.join("drop.v4")).expect("renamed");
        gateway.until_check(OTHER, 403);
    });
}

#[test]
fn a_clock_that_jumps_makes_nothing_old_for_longer_than_it_is_wrong() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", format!("{LISTED}\n"));
        let daemon = Daemon::start(&host);
        let wall = Wall::right(&host.path("."));
        let gateway = Gateway::start_by(&host, &wall, "check.max-age-seconds = 3600");
        gateway.until_check(LISTED, 403);
        daemon.kill();
        for minutes in [120, 1_000_000] {
            wall.set_ahead(minutes);
            assert_eq!((gateway.check(LISTED), gateway.check(OTHER)), (503, 503));
            assert_eq!(gateway.get("/", &[]).status, 200);
            assert_eq!(gateway.get("/metrics", &[]).status, 200);
            wall.set_ahead(0);
            assert_eq!((gateway.check(LISTED), gateway.check(OTHER)), (403, 204));
        }
        // Without a limit no clock counts.
        gateway.stop();
        wall.set_ahead(1_000_000);
        let gateway = Gateway::start_by(&host, &wall, "");
        assert_eq!((gateway.check(LISTED), gateway.check(OTHER)), (403, 204));
        gateway.stop();
    });
}
