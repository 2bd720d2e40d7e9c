//! An SDBM for a `RewriteMap` of Apache, made in one go: how its two files are laid
//! out, and nothing of who writes them.
//!
//! The format is that of `dbm/sdbm` in apr-util 1.6, which is that of Ozan Yigit's
//! library of 1990. Pairs are in pages of 1,024 bytes, the `.pag` file. A pair goes
//! by the hash of its key ([`hash()`], `sdbm_hash.c`) to the page whose number is the
//! low bits of the hash; how many bits, a tree in the other file, `.dir`, says
//! (`getpage` in `sdbm.c`). Its nodes are numbered from 0 at the root, those below n
//! are 2n + 1 and 2n + 2, for a bit of the hash that is 0 or 1, the lowest first; each
//! is one bit, the lowest of a byte first, and set if there are nodes below. Where
//! the tree ends, there is the page. What a file does not have counts as zeros: no
//! nodes, and pages with nothing in them.
//!
//! A page begins with 16-bit numbers in the order of the machine (`sdbm_pair.c`): how
//! many there are behind this one, and for each pair where its key and where its
//! value begins. The bytes stand at the end of the page, the first key last, each
//! value before its key.
//!
//! The library splits a page when it is full. Here all pairs are known: the tree has
//! the same depth everywhere, so that pages are about half full and stand in the
//! order they are written in, and goes deeper only where one would overflow. Two
//! versions of a list mostly have the same tree that way: whoever opens the one file
//! of the old and the other file of the new still finds nearly every key.

use super::keys::{OctetKey, count_octet_keys, octet_keys};
use super::{Exported, write};
use crate::PrefixSet;

/// Bytes of a page (`PBLKSIZ` in `sdbm_private.h`).
const PAGE_BYTES: usize = 1_024;
/// Bytes of a piece of the tree: its file has whole ones (`DBLKSIZ`).
const BLOCK_BYTES: usize = 4_096;
/// What counts of a hash (`masks` in `sdbm.c`).
const DEPTH_MAX: u32 = 31;
/// What every key has for its value.
const VALUE: u8 = b'1';
/// A pair beside its key: the value and two numbers.
const PAIR_BYTES: usize = 1 + 2 * size_of::<u16>();

/// Pairs of a page, on average at the most: about half of what it can hold.
const PAGE_KEYS: u64 = 32;
/// Keys of the largest list that is written. It has files of about 1.3 GB.
const KEYS_MAX: u64 = 1 << 25;
/// Keys that are held in memory at a time, 8 bytes each, on average: pages are
/// made of some of them after the other, and all keys looked at each time.
const PASS_KEYS: u64 = 1 << 21;

/// The two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdbmFile {
    /// The tree, `.dir`.
    Directory,
    /// The pairs, `.pag`.
    Pages,
}

/// Why there is no SDBM of a list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdbmError<E> {
    /// It would have too many keys.
    #[error("{0} keys are more than the {max} that an SDBM is made of", max = KEYS_MAX)]
    TooMany(u64),
    /// More keys have the same hash than a page holds.
    #[error("too many keys have the same hash")]
    Crowded,
    /// What the sink returned.
    #[error(transparent)]
    Sink(#[from] E),
}

/// Hands the two files to `sink` in pieces, each with the place in its file where it
/// begins, pages before the tree. Between them and behind the last page are holes,
/// where zeros are read. The same members make the same files. IPv6 is left out: a
/// rule of Apache cannot take such an address to pieces.
///
/// # Errors
/// What `sink` returns, or that the list cannot be written so.
pub fn export_sdbm<E>(
    ipv4: &PrefixSet<u32>,
    ipv6: &PrefixSet<u128>,
    sink: impl FnMut(SdbmFile, u64, &[u8]) -> Result<(), E>,
) -> Result<Exported, SdbmError<E>> {
    let keys = count_octet_keys(ipv4);
    if keys > KEYS_MAX {
        return Err(SdbmError::TooMany(keys));
    }
    let depth = keys.div_ceil(PAGE_KEYS).next_power_of_two().trailing_zeros();
    let mut tree = Tree { depth, deeper: Vec::new(), sink };
    let pages = 1_u64 << depth;
    let passes = keys.div_ceil(PASS_KEYS).next_power_of_two().min(pages);
    let each = pages / passes;
    for pass in 0..passes {
        let range = pass * each..(pass + 1) * each;
        let keyed = octet_keys(ipv4).map(|key| Keyed::new(key, depth));
        let mut some: Vec<_> = keyed.filter(|keyed| range.contains(&keyed.page())).collect();
        some.sort_unstable();
        for page in some.chunk_by_mut(|one, other| one.page() == other.page()) {
            let number = page[0].page();
            tree.put(page, number, depth, tree.leaf(number))?;
        }
    }
    tree.end()?;
    Ok(write::counted(ipv4, ipv6, false))
}

/// A key and the page where it goes, in the order of pages: 30 bits of the page, 2 of
/// how many octets beyond the first, 32 of the octets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Keyed(u64);

impl Keyed {
    fn new(key: OctetKey, depth: u32) -> Self {
        let page = u64::from(hash(key.text().as_bytes())) & ((1 << depth) - 1);
        Self(page << 34 | u64::from(key.octets - 1) << 32 | u64::from(key.number))
    }

    fn page(self) -> u64 {
        self.0 >> 34
    }

    fn key(self) -> OctetKey {
        let [octets, number] = [self.0 >> 32 & 3, self.0 & u64::from(u32::MAX)];
        OctetKey {
            number: u32::try_from(number).expect("32 bits"),
            octets: u8::try_from(octets + 1).expect("1 to 4"),
        }
    }

    /// A bit of its hash.
    fn bit(self, bit: u32) -> bool {
        hash(self.key().text().as_bytes()) >> bit & 1 == 1
    }
}

/// What the library makes of a key (`sdbm_hash`), as far as it counts.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0_u32, |hash, byte| hash.wrapping_mul(65_599).wrapping_add((*byte).into()))
}

/// What there is of the files.
struct Tree<S> {
    /// As deep as it is everywhere, at most 20.
    depth: u32,
    /// The nodes that have others below them beyond that depth.
    deeper: Vec<u64>,
    sink: S,
}

impl<S: FnMut(SdbmFile, u64, &[u8]) -> Result<(), E>, E> Tree<S> {
    /// The number of the node that ends at a page of the common depth.
    fn leaf(&self, page: u64) -> u64 {
        let reversed = page.reverse_bits().checked_shr(64 - self.depth).unwrap_or(0);
        (1 << self.depth) - 1 + reversed
    }

    /// Puts keys on their page, or on two if they are too many.
    fn put(
        &mut self,
        keys: &mut [Keyed],
        page: u64,
        depth: u32,
        node: u64,
    ) -> Result<(), SdbmError<E>> {
        if fits(keys) {
            let at = page * PAGE_BYTES as u64;
            return Ok((self.sink)(SdbmFile::Pages, at, &fill(keys))?);
        }
        if depth == DEPTH_MAX {
            return Err(SdbmError::Crowded);
        }
        self.deeper.push(node);
        keys.sort_by_key(|key| key.bit(depth));
        let (zeros, ones) = keys.split_at_mut(keys.partition_point(|key| !key.bit(depth)));
        self.put(zeros, page, depth + 1, 2 * node + 1)?;
        self.put(ones, page | 1 << depth, depth + 1, 2 * node + 2)
    }

    /// The tree, block by block.
    fn end(mut self) -> Result<(), SdbmError<E>> {
        const BLOCK_NODES: u64 = 8 * BLOCK_BYTES as u64;
        self.deeper.sort_unstable();
        let everywhere = (1_u64 << self.depth) - 1;
        let common = (0..everywhere.div_ceil(BLOCK_NODES)).map(|block| block * BLOCK_NODES);
        let mut deeper = self.deeper.iter().copied().peekable();
        let blocks = common.chain(self.deeper.iter().map(|node| node / BLOCK_NODES * BLOCK_NODES));
        let mut done = 0;
        for first in blocks {
            if first < done {
                continue;
            }
            done = first + BLOCK_NODES;
            let mut block = [0; BLOCK_BYTES];
            let mut set = |node: u64| {
                let bit = usize::try_from(node - first).expect("a block is small");
                block[bit / 8] |= 1 << (bit % 8);
            };
            (first..done.min(everywhere)).for_each(&mut set);
            while let Some(node) = deeper.next_if(|node| *node < done) {
                set(node);
            }
            (self.sink)(SdbmFile::Directory, first / 8, &block)?;
        }
        Ok(())
    }
}

/// Whether a page holds all of them (`fitpair`).
fn fits(keys: &[Keyed]) -> bool {
    let bytes = keys.iter().map(|key| key.key().text_len() + PAIR_BYTES).sum::<usize>();
    size_of::<u16>() + bytes <= PAGE_BYTES
}

/// A page (`putpair`).
fn fill(keys: &[Keyed]) -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    let mut put = |at: usize, number: usize| {
        let number = u16::try_from(number).expect("a page has few bytes");
        page[2 * at..2 * at + 2].copy_from_slice(&number.to_ne_bytes());
    };
    put(0, 2 * keys.len());
    let mut end = PAGE_BYTES;
    for (at, key) in keys.iter().enumerate() {
        let begin = end - key.key().text_len();
        put(2 * at + 1, begin);
        put(2 * at + 2, begin - 1);
        end = begin - 1;
    }
    end = PAGE_BYTES;
    for key in keys {
        let text = key.key().text();
        let begin = end - text.as_bytes().len();
        page[begin..end].copy_from_slice(text.as_bytes());
        page[begin - 1] = VALUE;
        end = begin - 1;
    }
    page
}

#[cfg(test)]
mod tests;
