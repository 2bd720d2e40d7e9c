//! Whatever a packed list says is found out before it is believed: bytes are none,
//! or every prefix that is found holds the address that was asked for.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blocklist::{Family, PACKED_HEADER_BYTES, PackedList};

fn ask(bytes: &[u8]) {
    let Ok(list) = PackedList::new(bytes) else { return };
    let width = if list.header().family == Family::Ipv4 { 4 } else { 16 };
    // Asked for what stands in it, and for what stands there by chance.
    for window in bytes.windows(width).take(1_000) {
        let address = match window.try_into() {
            Ok(four) => IpAddr::V4(Ipv4Addr::from(u32::from_le_bytes(four))),
            Err(_) => {
                let sixteen = window.try_into().expect("the windows are as long");
                IpAddr::V6(Ipv6Addr::from(u128::from_le_bytes(sixteen)))
            }
        };
        if let Some(prefix) = list.prefix_of(address) {
            assert!(prefix.contains(address), "{prefix} for {address}");
        }
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ask(bytes);
    // The same with all in order that the header has to say.
    let Some((&family, content)) = bytes.split_first() else { return };
    let (family, each) = if family.is_multiple_of(2) { (4, 5) } else { (6, 17) };
    let count = content.len() / each;
    let mut forged = [b"denyset\n\x01\0".as_slice(), &[family, 0]].concat();
    forged.resize(PACKED_HEADER_BYTES, 0);
    forged[32..40].copy_from_slice(&(count as u64).to_le_bytes());
    forged.extend_from_slice(&content[..count * each]);
    let checksum = crc32fast::hash(&forged[16..]);
    forged[12..16].copy_from_slice(&checksum.to_le_bytes());
    ask(&forged);
});
