//! A packet of UDP or TCP as bytes, with the source address that the test
//! wants. Its payload is a number. Layouts: RFC 791, RFC 8200, RFC 768, RFC
//! 9293.

use std::net::{IpAddr, SocketAddr};

/// Bytes in the payload.
pub(crate) const LENGTH: usize = 8;
/// The protocol number of TCP.
const TCP: u8 = 6;
/// The protocol number of UDP.
const UDP: u8 = 17;
/// How far a packet may go; these go nowhere.
const HOPS: u8 = 64;

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Segment {
    /// UDP.
    Udp,
    /// TCP with these flags (RFC 9293).
    Tcp {
        /// SYN is 2, ACK is 16.
        flags: u8,
    },
}

impl Segment {
    fn protocol(self) -> u8 {
        match self {
            Self::Udp => UDP,
            Self::Tcp { .. } => TCP,
        }
    }

    /// Bytes in its header.
    fn header(self) -> usize {
        match self {
            Self::Udp => 8,
            Self::Tcp { .. } => 20,
        }
    }

    /// Where its checksum is.
    fn checksum_at(self) -> usize {
        match self {
            Self::Udp => 6,
            Self::Tcp { .. } => 16,
        }
    }
}

/// The packet of UDP from `source` to `destination` with `number` in it.
///
/// # Panics
/// If the two are not of one family.
pub(crate) fn datagram(source: IpAddr, destination: SocketAddr, number: u64) -> Vec<u8> {
    let source = SocketAddr::new(source, destination.port());
    segment(Segment::Udp, source, destination, number)
}

/// The packet from `source` to `destination` with `number` in it.
///
/// # Panics
/// If the two are not of one family.
pub(crate) fn segment(
    kind: Segment,
    source: SocketAddr,
    destination: SocketAddr,
    number: u64,
) -> Vec<u8> {
    let length = u16::try_from(kind.header() + LENGTH).expect("short");
    let mut packet = Vec::with_capacity(72);
    let (from, to) = match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            // The kernel fills in length, identification and checksum.
            packet.extend([0x45, 0, 0, 0, 0, 0, 0, 0, HOPS, kind.protocol(), 0, 0]);
            (source.octets().to_vec(), destination.octets().to_vec())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(length.to_be_bytes());
            packet.extend([kind.protocol(), HOPS]);
            (source.octets().to_vec(), destination.octets().to_vec())
        }
        (source, destination) => panic!("no packet goes from {source} to {destination}"),
    };
    let mut body = Vec::with_capacity(28);
    body.extend(source.port().to_be_bytes());
    body.extend(destination.port().to_be_bytes());
    match kind {
        Segment::Udp => body.extend(length.to_be_bytes()),
        // Sequence, acknowledgement, five words of header, flags, window.
        Segment::Tcp { flags } => body.extend([0, 0, 0, 1, 0, 0, 0, 1, 5 << 4, flags, 4, 0]),
    }
    body.resize(kind.header(), 0);
    body.extend(number.to_be_bytes());
    let checksum = checksum(&[&from, &to, &length.to_be_bytes(), &[0, kind.protocol()], &body]);
    let at = kind.checksum_at();
    body[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(from);
    packet.extend(to);
    packet.extend(body);
    packet
}

/// The checksum of RFC 1071 over parts of even length; UDP writes zero as
/// all ones.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks_exact(2));
    let sum = words.map(|word| u16::from_be_bytes([word[0], word[1]])).fold(0, add);
    if sum == u16::MAX { sum } else { !sum }
}

/// Addition in ones' complement: the carry comes back in at the low end.
fn add(sum: u16, word: u16) -> u16 {
    let (sum, carry) = sum.overflowing_add(word);
    sum + u16::from(carry)
}
