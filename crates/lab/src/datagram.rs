//! A UDP packet as bytes, with the source address that the test wants. Its
//! payload is a number. Layouts: RFC 791, RFC 8200, RFC 768.

use std::net::{IpAddr, SocketAddr};

/// Bytes in the payload.
pub(crate) const LENGTH: usize = 8;
/// The protocol number of UDP.
const UDP: u8 = 17;
/// Bytes in UDP header and payload.
const UDP_LENGTH: u16 = 16;
/// How far a packet may go; these go nowhere.
const HOPS: u8 = 64;

/// The packet from `source` to `destination` with `number` in it.
///
/// # Panics
/// If the two are not of one family.
pub(crate) fn datagram(source: IpAddr, destination: SocketAddr, number: u64) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64);
    let (from, to) = match (source, destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            // The kernel fills in length, identification and checksum.
            packet.extend([0x45, 0, 0, 0, 0, 0, 0, 0, HOPS, UDP, 0, 0]);
            (source.octets().to_vec(), destination.octets().to_vec())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(UDP_LENGTH.to_be_bytes());
            packet.extend([UDP, HOPS]);
            (source.octets().to_vec(), destination.octets().to_vec())
        }
        (source, destination) => panic!("no packet goes from {source} to {destination}"),
    };
    let mut body = Vec::with_capacity(16);
    for word in [destination.port(), destination.port(), UDP_LENGTH, 0] {
        body.extend(word.to_be_bytes());
    }
    body.extend(number.to_be_bytes());
    let checksum = checksum(&[&from, &to, &UDP_LENGTH.to_be_bytes(), &[0, UDP], &body]);
    body[6..8].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(from);
    packet.extend(to);
    packet.extend(body);
    packet
}

/// The checksum of RFC 1071 over parts of even length; UDP writes zero as
/// all ones.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks_exact(2));
    let sum = words.map(|word| u16::from_be_bytes([word[0], word[1]])).fold(0, add);
    if sum == u16::MAX { sum } else { !sum }
}

/// Addition in ones' complement: the carry comes back in at the low end.
fn add(sum: u16, word: u16) -> u16 {
    let (sum, carry) = sum.overflowing_add(word);
    sum + u16::from(carry)
}
