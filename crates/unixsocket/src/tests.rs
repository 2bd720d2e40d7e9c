//! What becomes of a path that a socket is to be at.

use std::os::unix::net::UnixStream;

use tempfile::TempDir;

use super::*;

const MODE: u32 = 0o660;

fn house() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("socket");
    (place, path)
}

#[test]
fn a_socket_is_replaced_only_if_nobody_listens_on_it() {
    let (place, path) = house();
    drop(UnixListener::bind(&path).expect("left by a dead one"));
    let (_first, file) = listen(&path, MODE, 8).expect("replaced");
    assert!(matches!(listen(&path, MODE, 8), Err(UnixSocketError::InUse)));
    let mode = fs::symlink_metadata(&path).expect("a file").permissions().mode();
    assert_eq!((mode & 0o777, file.path()), (MODE, &*path));
    drop(file);
    assert!(!path.exists(), "removed with its owner");
    fs::write(&path, "somebody's").expect("a file");
    assert!(matches!(listen(&path, MODE, 8), Err(UnixSocketError::Occupied)));
    assert_eq!(fs::read_to_string(&path).expect("untouched"), "somebody's");
    let long = place.path().join("x".repeat(PATH_BYTES_MAX));
    assert!(matches!(listen(&long, MODE, 8), Err(UnixSocketError::TooLong)));
    let nowhere = place.path().join("a/socket");
    assert!(matches!(listen(&nowhere, MODE, 8), Err(UnixSocketError::System(_))));
    let left: Vec<_> = fs::read_dir(place.path()).expect("a directory").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn the_socket_of_a_successor_is_left_alone() {
    let (_place, path) = house();
    // As long as it listens nothing else is given its number.
    let (_first, file) = listen(&path, MODE, 8).expect("made");
    fs::remove_file(&path).expect("somebody removed it");
    let _second = listen(&path, MODE, 8).expect("made");
    drop(file);
    assert!(path.exists());
}

#[test]
fn one_whose_queue_is_full_is_in_use_and_nobody_waits_for_it() {
    let (_place, path) = house();
    // A queue of one is full with these, and nobody is let in.
    let (listener, _file) = listen(&path, MODE, 0).expect("made");
    let full = std::iter::repeat_with(|| {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
        let socket = socket.expect("a socket");
        let address = SocketAddrUnix::new(&path).expect("a path");
        (rustix::net::connect(&socket, &address), UnixStream::from(socket))
    });
    let mut waiting = Vec::new();
    for (connected, stream) in full.take(8) {
        waiting.push(stream);
        if connected == Err(Errno::AGAIN) {
            assert!(matches!(listen(&path, MODE, 8), Err(UnixSocketError::InUse)));
            drop(listener);
            assert!(listen(&path, MODE, 8).is_ok(), "nobody listens any more");
            return;
        }
    }
    panic!("the queue is never full");
}
