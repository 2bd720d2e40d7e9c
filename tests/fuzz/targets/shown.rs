//! Any datagram of NFLOG is read to its end or to its first error, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|datagram: &[u8]| {
    assert!(netfilter::shown(datagram).count() <= datagram.len());
});
