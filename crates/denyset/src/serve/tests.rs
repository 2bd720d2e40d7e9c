//! The control socket as its clients see it: real sockets, real files, and a
//! daemon that does what the test wants.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feedfiles::Shelf;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use unixsocket::UnixSocketError;

use super::limits::{BUSY_PAUSE_MAX, KEPT_PLACES, REQUEST_BYTES_MAX};
use super::*;
use crate::exit::Exit;
use crate::hits::Hits;
use crate::snapshot::{Snapshot, SnapshotFacts};

const LONG: Duration = Duration::from_secs(10);

/// A daemon that does `apply` with its name, fails `resync`, drops `reload`
/// unanswered and keeps `accept` waiting for ever.
struct Scene {
    home: TempDir,
    task: tokio::task::JoinHandle<()>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// How many wait for ever.
    waiting: watch::Receiver<usize>,
}

impl Scene {
    fn new(patience: Duration) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let socket = Socket::bind(&home.path().join("run/control.sock")).expect("bound");
        let (calls, mut inbox) = mpsc::channel::<Call>(1);
        let (waits, waiting_now) = watch::channel(0);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while let Some(call) = inbox.recv().await {
                assert_eq!(call.peer.pid, Some(std::process::id().cast_signed()));
                let answer = match call.change {
                    Change::Resync => Err(Failure::new(Exit::Unavailable, "no such kernel")),
                    Change::Reload { .. } => continue,
                    Change::Accept(_) => {
                        waiting.push(call.reply);
                        waits.send_replace(waiting.len());
                        continue;
                    }
                    Change::Apply | Change::Confirm | Change::AcceptConfig | Change::Teardown => {
                        Ok(json!({"done": true}))
                    }
                };
                call.reply.send(answer).expect("the session waits");
            }
        });
        let snapshots =
            watch::Sender::new(Arc::new(Snapshot { revision: 1, facts: SnapshotFacts::nothing() }));
        let (copies, hits) = (Shelf::default(), Hits::default());
        let answers = Answers::new(snapshots.subscribe(), copies, hits, calls, Instant::now());
        let mut server = Server::new(socket, answers);
        server.patience = patience;
        Self { task: tokio::spawn(server.serve()), home, snapshots, waiting: waiting_now }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("run/control.sock")
    }

    async fn ask(&self, request: ClientRequest) -> Result<Value, AskError> {
        let path = self.path();
        spawn_blocking(move || ask(&path, &request, LONG)).await.expect("asked")
    }

    /// Sends these bytes and the end; what comes back until its end.
    async fn say(&self, bytes: &[u8]) -> String {
        let (path, bytes) = (self.path(), bytes.to_owned());
        let talk = move || {
            let mut stream = StdStream::connect(path).expect("connected");
            stream.set_read_timeout(Some(LONG)).expect("a socket option");
            stream.write_all(&bytes).expect("sent");
            stream.shutdown(std::net::Shutdown::Write).expect("ended");
            let mut answer = String::new();
            // The daemon may close before it has read all we said.
            let _ = stream.read_to_string(&mut answer);
            answer
        };
        spawn_blocking(talk).await.expect("talked")
    }
}

#[tokio::test]
async fn a_verb_gets_the_daemons_answer_or_its_reason() {
    let scene = Scene::new(LONG);
    let done = scene.ask(ClientRequest::Apply {}).await.expect("an answer");
    assert_eq!(done, json!({"done": true}));
    let error = scene.ask(ClientRequest::Resync {}).await.expect_err("a reason");
    assert_eq!((error.to_string().as_str(), error.exit()), ("no such kernel", Exit::Unavailable));
    let error = scene.ask(ClientRequest::Reload { confirm: None }).await.expect_err("unanswered");
    assert_eq!(error.to_string(), "the daemon is stopping");
}

#[tokio::test]
async fn the_status_is_that_of_the_last_snapshot() {
    let scene = Scene::new(LONG);
    let status = scene.ask(ClientRequest::Status {}).await.expect("an answer");
    assert_eq!((&status["generation"], &status["in-sync"]), (&json!(7), &json!(true)));
    assert_eq!(status["uptime-seconds"], 0);
    assert_eq!(status["degraded"], json!([]));
    let facts =
        SnapshotFacts { troubles: vec!["no \"kernel\"".into()], ..SnapshotFacts::nothing() };
    scene.snapshots.send_replace(Arc::new(Snapshot { revision: 2, facts }));
    let status = scene.ask(ClientRequest::Status {}).await.expect("an answer");
    assert_eq!(status["degraded"], json!(["no \"kernel\""]));
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_does_no_harm() {
    let scene = Scene::new(LONG);
    let long = vec![b'x'; REQUEST_BYTES_MAX * 3];
    let longest = [&br#"{"verb":"status"}"#[..], &[b' '; REQUEST_BYTES_MAX - 18], b"\n"].concat();
    let cases: [(&[u8], &str); 11] = [
        (b"{\"verb\":\"apply\"}\n", "{\"ok\":{\"done\":true}}\n"),
        (b"{\"verb\":\"apply\"}", "{\"ok\":{\"done\":true}}\n"),
        (b"{\"verb\":\"apply\"}\r\n", "{\"ok\":{\"done\":true}}\n"),
        (&longest, "{\"ok\":{"),
        (b"{\"verb\":\"shutdown\"}\n", "unknown variant `shutdown`"),
        (b"GET / HTTP/1.1\r\n\r\n", "is no JSON"),
        (b"\xff\xfe\n", "is not UTF-8"),
        (b"{\"verb\":\0}\n", "NUL"),
        (b"\n", "is empty"),
        (b"", ""),
        (&long, "the request is longer than"),
    ];
    for (bytes, want) in cases {
        let answer = scene.say(bytes).await;
        assert!(answer.contains(want), "{answer}");
        assert_eq!(answer.is_empty(), want.is_empty());
    }
    scene.ask(ClientRequest::Status {}).await.expect("still there");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_told_so_and_let_go() {
    let scene = Scene::new(Duration::from_millis(10));
    let path = scene.path();
    let silent = move || {
        let mut stream = StdStream::connect(path).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("a socket option");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let answer = spawn_blocking(silent).await.expect("waited");
    assert!(answer.contains("no request within 10ms"), "{answer}");
}

/// Clients who have asked for what takes for ever.
async fn crowd(scene: &Scene, count: usize) -> Vec<StdStream> {
    let path = scene.path();
    let come = move || {
        let clients = (0..count).map(|_| {
            let mut client = StdStream::connect(&path).expect("connected");
            client.write_all(b"{\"verb\":\"accept\",\"feed\":\"a\"}\n").expect("sent");
            client
        });
        clients.collect()
    };
    spawn_blocking(come).await.expect("they came")
}

#[tokio::test]
async fn more_clients_than_there_may_be_are_told_to_come_back() {
    let scene = Scene::new(LONG);
    let crowd = crowd(&scene, KEPT_PLACES).await;
    // Whoever has not been heard yet makes room for others.
    let all_wait = |&count: &usize| count == KEPT_PLACES;
    scene.waiting.clone().wait_for(all_wait).await.expect("a daemon");
    let path = scene.path();
    let hasty = move || ask(&path, &ClientRequest::Status {}, BUSY_PAUSE_MAX);
    let error = spawn_blocking(hasty).await.expect("asked").expect_err("turned away");
    assert!(error.to_string().contains("too many clients"), "{error}");
    // Whoever has more time comes back by itself, and is let in when there is
    // room: those who wait for an answer and hang up are not waited for.
    drop(crowd);
    scene.ask(ClientRequest::Status {}).await.expect("let in");
}

#[tokio::test]
async fn who_says_nothing_makes_room_for_who_comes() {
    let scene = Scene::new(LONG);
    let path = scene.path();
    let silent = spawn_blocking(move || {
        let come = |_| StdStream::connect(&path).expect("connected");
        (0..KEPT_PLACES * 2).map(come).collect::<Vec<_>>()
    });
    let mut silent = silent.await.expect("they came");
    scene.ask(ClientRequest::Status {}).await.expect("let in at once");
    let mut answer = String::new();
    let first = silent.first_mut().expect("there are some");
    first.set_read_timeout(Some(LONG)).expect("a socket option");
    first.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"busy\":true"), "{answer}");
}

#[tokio::test]
async fn who_does_not_listen_is_let_go() {
    let scene = Scene::new(LONG);
    // More than fits a socket.
    let facts = SnapshotFacts { troubles: vec!["x".repeat(1 << 20)], ..SnapshotFacts::nothing() };
    scene.snapshots.send_replace(Arc::new(Snapshot { revision: 2, facts }));
    let path = scene.path();
    let deaf = spawn_blocking(move || {
        let mut client = StdStream::connect(&path).expect("connected");
        client.write_all(b"{\"verb\":\"status\"}\n").expect("sent");
        // The end of the connection is all that is waited for.
        let events = rustix::event::PollFlags::RDHUP;
        let mut polled = [rustix::event::PollFd::new(&client, events)];
        let timeout = rustix::time::Timespec { tv_sec: 10, tv_nsec: 0 };
        rustix::event::poll(&mut polled, Some(&timeout)).expect("polled")
    });
    assert_eq!(deaf.await.expect("waited"), 1, "the daemon hangs up");
}

#[tokio::test]
async fn the_verbs_that_wait_do_not_hold_up_the_others() {
    let scene = Scene::new(LONG);
    let mut waits = StdStream::connect(scene.path()).expect("connected");
    waits.write_all(b"{\"verb\":\"accept\",\"feed\":\"a\"}\n").expect("sent");
    scene.ask(ClientRequest::Status {}).await.expect("an answer");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let scene = Scene::new(LONG);
    let path = scene.path();
    let late =
        move || ask(&path, &ClientRequest::Accept { feed: "a".into() }, Duration::from_millis(20));
    let error = spawn_blocking(late).await.expect("asked").expect_err("too late");
    assert!(matches!(error, AskError::Late { .. }), "{error}");
}

#[test]
fn where_nobody_listens_there_is_no_daemon() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("control.sock");
    let nobody = || ask(&path, &ClientRequest::Status {}, LONG).expect_err("nobody");
    assert!(matches!(nobody(), AskError::NoDaemon { .. }));
    drop(StdListener::bind(&path).expect("bound"));
    assert!(matches!(nobody(), AskError::NoDaemon { .. }), "left by a dead one");
}

#[tokio::test]
async fn the_control_socket_is_for_owner_and_group_and_for_one_daemon() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("run/control.sock");
    let first = Socket::bind(&path).expect("its directory is made");
    let error = Socket::bind(&path).expect_err("in use");
    assert!(matches!(error.source, UnixSocketError::InUse), "{error}");
    let mode = fs::symlink_metadata(&path).expect("a file").permissions().mode();
    assert_eq!((mode & 0o777, first.path()), (0o660, &*path));
    drop(first);
    assert!(!path.exists(), "removed with its owner");
    let nowhere = home.path().join("a/b/control.sock");
    let error = Socket::bind(&nowhere).expect_err("one directory is made and not two");
    assert!(matches!(error.source, UnixSocketError::System(_)), "{error}");
}

#[tokio::test]
async fn ending_the_service_ends_the_sessions_and_removes_the_file() {
    let scene = Scene::new(LONG);
    let mut waits = StdStream::connect(scene.path()).expect("connected");
    waits.set_read_timeout(Some(LONG)).expect("a socket option");
    waits.write_all(b"{\"verb\":\"accept\",\"feed\":\"a\"}\n").expect("sent");
    scene.ask(ClientRequest::Status {}).await.expect("an answer");
    let path = scene.path();
    scene.task.abort();
    assert!(scene.task.await.expect_err("ended").is_cancelled());
    assert!(!path.exists());
    assert_eq!(waits.read(&mut [0; 8]).expect("closed"), 0);
}
