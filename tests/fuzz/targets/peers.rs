//! Whatever the kernel says of a socket is read to its end, without a panic, and
//! what is said of its peer is in the one form of an address.
#![no_main]

use host::TcpSocket;

libfuzzer_sys::fuzz_target!(|message: &[u8]| {
    if let Some(socket) = TcpSocket::decode(message) {
        assert_eq!(socket.remote, socket.remote.to_canonical());
    }
});
