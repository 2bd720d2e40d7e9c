//! Any datagram is read to its end or to its first error, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|datagram: &[u8]| {
    assert!(netfilter::answers(datagram).count() <= datagram.len());
});
