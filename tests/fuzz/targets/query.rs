//! Whatever follows the `?` of a request to the gateway: nothing makes it panic, no
//! value is there that was not asked for, and one that is written anew, with every
//! byte encoded, is the same.
#![no_main]

use std::fmt::Write as _;

/// The very file, without the server around it, which nothing here needs.
#[path = "../../../crates/gateway/src/query.rs"]
mod query;

const KEYS: [&str; 2] = ["ip", "list"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(found) = query::values(text, KEYS) else { return };
    let mut again = String::new();
    for (key, value) in KEYS.iter().zip(&found) {
        let Some(value) = value else { continue };
        assert!(value.len() <= text.len());
        write!(again, "&{key}=").expect("a string takes any text");
        for byte in value.bytes() {
            write!(again, "%{byte:02x}").expect("a string takes any text");
        }
    }
    assert_eq!(query::values(&again, KEYS), Ok(found), "{text}");
});
