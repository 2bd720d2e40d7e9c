//! The control socket as its clients see it: real sockets, real files, and a
//! daemon that answers what the test wants.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::super::limits::REQUEST_BYTES_MAX;
use super::super::{AskError, Failure, Request, ask};
use super::*;
use crate::exit::Exit;

const LONG: Duration = Duration::from_secs(10);

/// A daemon that answers `status` with its verb, fails `resync`, drops
/// `reload` unanswered and keeps `apply` waiting for ever.
struct Scene {
    home: TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Scene {
    fn new(patience: Duration) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mut control = Control::bind(&home.path().join("run/control.sock")).expect("bound");
        control.patience = patience;
        let (calls, mut inbox) = mpsc::channel::<Call>(1);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while let Some(call) = inbox.recv().await {
                assert_eq!(call.peer.pid, Some(std::process::id().cast_signed()));
                let answer = match call.request {
                    Request::Resync {} => Err(Failure::new(Exit::Unavailable, "no such kernel")),
                    Request::Reload {} => continue,
                    Request::Apply {} => {
                        waiting.push(call.reply);
                        continue;
                    }
                    request => Ok(json!({ "verb": request.verb() })),
                };
                call.reply.send(answer).expect("the session waits");
            }
        });
        Self { task: tokio::spawn(control.serve(calls)), home }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("run/control.sock")
    }

    async fn ask(&self, request: Request) -> Result<Value, AskError> {
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
    let status = scene.ask(Request::Status {}).await.expect("an answer");
    assert_eq!(status, json!({"verb": "status"}));
    let error = scene.ask(Request::Resync {}).await.expect_err("a reason");
    assert_eq!((error.to_string().as_str(), error.exit()), ("no such kernel", Exit::Unavailable));
    let error = scene.ask(Request::Reload {}).await.expect_err("unanswered");
    assert_eq!(error.to_string(), "the daemon is stopping");
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_does_no_harm() {
    let scene = Scene::new(LONG);
    let long = vec![b'x'; REQUEST_BYTES_MAX * 3];
    let cases: [(&[u8], &str); 6] = [
        (b"{\"verb\":\"status\"}\n", "{\"ok\":{\"verb\":\"status\"}}\n"),
        (b"{\"verb\":\"status\"}", "{\"ok\":{\"verb\":\"status\"}}\n"),
        (b"{\"verb\":\"shutdown\"}\n", "unknown variant `shutdown`"),
        (b"GET / HTTP/1.1\r\n\r\n", "does not know this request"),
        (b"", ""),
        (&long, "the request is longer than"),
    ];
    for (bytes, want) in cases {
        let answer = scene.say(bytes).await;
        assert!(answer.contains(want), "{answer}");
        assert_eq!(answer.is_empty(), want.is_empty());
    }
    // Bytes that are no text end the conversation; the daemon goes on.
    assert_eq!(scene.say(b"\xff\xfe\n").await, "");
    scene.ask(Request::Status {}).await.expect("still there");
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

#[tokio::test]
async fn more_clients_than_there_may_be_are_told_to_come_back() {
    let scene = Scene::new(LONG);
    let path = scene.path();
    let crowd: Vec<_> =
        (0..CLIENTS_MAX).map(|_| StdStream::connect(&path).expect("connected")).collect();
    let error = scene.ask(Request::Status {}).await.expect_err("turned away");
    assert!(error.to_string().contains("too many clients"), "{error}");
    drop(crowd);
    // The sessions of those that hung up end in their own time.
    let answered = async {
        while scene.ask(Request::Status {}).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, answered).await.expect("let in again");
}

#[tokio::test]
async fn the_verbs_that_wait_do_not_hold_up_the_others() {
    let scene = Scene::new(LONG);
    let mut waits = StdStream::connect(scene.path()).expect("connected");
    waits.write_all(b"{\"verb\":\"apply\"}\n").expect("sent");
    scene.ask(Request::Status {}).await.expect("an answer");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_not_waited_for() {
    let scene = Scene::new(LONG);
    let path = scene.path();
    let late = move || ask(&path, &Request::Apply {}, Duration::from_millis(20));
    let error = spawn_blocking(late).await.expect("asked").expect_err("too late");
    assert!(matches!(error, AskError::Late { .. }), "{error}");
}

#[test]
fn where_nobody_listens_there_is_no_daemon() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("control.sock");
    let nobody = || ask(&path, &Request::Status {}, LONG).expect_err("nobody");
    assert!(matches!(nobody(), AskError::NoDaemon { .. }));
    drop(StdListener::bind(&path).expect("bound"));
    assert!(matches!(nobody(), AskError::NoDaemon { .. }), "left by a dead one");
}

#[tokio::test]
async fn a_socket_is_replaced_only_when_nobody_answers() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("control.sock");
    drop(StdListener::bind(&path).expect("left by a dead one"));
    let first = Control::bind(&path).expect("replaced");
    assert!(matches!(Control::bind(&path), Err(BindError::InUse { .. })));
    let mode = fs::symlink_metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, SOCKET_MODE);
    drop(first);
    assert!(!path.exists(), "removed with its owner");
    fs::write(&path, "somebody's").expect("a file");
    assert!(matches!(Control::bind(&path), Err(BindError::Occupied { .. })));
    assert_eq!(fs::read_to_string(&path).expect("untouched"), "somebody's");
    let long = home.path().join("x".repeat(PATH_BYTES_MAX));
    assert!(matches!(Control::bind(&long), Err(BindError::TooLong { .. })));
    let nowhere = home.path().join("a/b/control.sock");
    assert!(matches!(Control::bind(&nowhere), Err(BindError::System { .. })));
}

#[tokio::test]
async fn the_socket_of_a_successor_is_left_alone() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("control.sock");
    let first = Control::bind(&path).expect("bound");
    fs::remove_file(&path).expect("somebody removed it");
    let _second = Control::bind(&path).expect("bound");
    drop(first);
    assert!(path.exists());
}

#[tokio::test]
async fn ending_the_service_ends_the_sessions_and_removes_the_file() {
    let scene = Scene::new(LONG);
    let mut waits = StdStream::connect(scene.path()).expect("connected");
    waits.set_read_timeout(Some(LONG)).expect("a socket option");
    waits.write_all(b"{\"verb\":\"apply\"}\n").expect("sent");
    scene.ask(Request::Status {}).await.expect("an answer");
    let path = scene.path();
    scene.task.abort();
    assert!(scene.task.await.expect_err("ended").is_cancelled());
    assert!(!path.exists());
    assert_eq!(waits.read(&mut [0; 8]).expect("closed"), 0);
}
