//! A set of prefixes as the bytes of a packed list, in pieces.

use super::{CHECKED_FROM, PACKED_HEADER_BYTES, PACKED_MAGIC, PackedHeader, VERSION};
use crate::{Address, Family, PrefixSet};

/// Addresses that become one piece.
const PIECE: usize = 8_192;

/// Hands the bytes of a packed list to `sink`, piece by piece and in order, and
/// says what its header says. A prefix within another one is left out.
///
/// # Errors
/// What `sink` returns.
pub fn pack<A: Address, E>(
    set: &PrefixSet<A>,
    generation: u64,
    made: u64,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<PackedHeader, E> {
    let set = set.without_covered();
    let prefixes = set.len() as u64;
    let header = PackedHeader { family: A::FAMILY, generation, made, prefixes };
    let mut bytes = [0; PACKED_HEADER_BYTES];
    bytes[..8].copy_from_slice(PACKED_MAGIC);
    bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
    bytes[10] = match header.family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    };
    bytes[16..24].copy_from_slice(&generation.to_le_bytes());
    bytes[24..32].copy_from_slice(&made.to_le_bytes());
    bytes[32..40].copy_from_slice(&prefixes.to_le_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&bytes[CHECKED_FROM..]);
    let Ok(()) = each_piece(&set, |piece| {
        checksum.update(piece);
        Ok::<_, std::convert::Infallible>(())
    });
    bytes[12..16].copy_from_slice(&checksum.finalize().to_le_bytes());
    sink(&bytes)?;
    each_piece(&set, sink)?;
    Ok(header)
}

fn each_piece<A: Address, E>(
    set: &PrefixSet<A>,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let width = usize::from(A::BITS / 8);
    let mut piece = Vec::with_capacity(PIECE.min(set.len()) * width);
    for addresses in set.addresses().chunks(PIECE) {
        piece.clear();
        for address in addresses {
            piece.extend_from_slice(&address.to_u128().to_le_bytes()[..width]);
        }
        sink(&piece)?;
    }
    sink(set.lengths())
}
