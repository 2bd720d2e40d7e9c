//! IPv6 addresses as text, by RFC 4291, section 2.2: eight groups of one to
//! four hexadecimal digits, `::` once for one or more groups of zeros, the last
//! 32 bits dotted if so liked. No zones, no brackets.

use super::ipv4;

/// Groups of 16 bits in an address.
const GROUPS: usize = 8;

/// How many bytes are looked at. The longest text of an address has 45; a wrong
/// one is left after nine groups and colons, in whose last four bytes are read.
pub(crate) const WINDOW: usize = 48;

/// The longest text of an address.
const BYTES_MAX: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len();

/// Reads an address that is all of `text`.
pub(crate) fn parse(text: &[u8]) -> Option<u128> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut window = [0; WINDOW];
    window[..text.len()].copy_from_slice(text);
    let (address, bytes) = leading(&window)?;
    (bytes == text.len()).then_some(address)
}

/// Reads the address at the beginning of a text, and says how many bytes it
/// has. What comes behind it is for the caller to judge: it may be another
/// digit, and then the address was none.
#[inline]
pub(crate) fn leading(window: &[u8; WINDOW]) -> Option<(u128, usize)> {
    let mut address = Groups::default();
    let mut at = 0;
    if window.starts_with(b"::") {
        address.gap = Some(0);
        at = 2;
    }
    loop {
        let (group, digits) = leading_group(*window[at..].first_chunk()?);
        if digits == 0 {
            // Nothing but the gap may end in a colon.
            return (address.gap == Some(address.count)).then(|| address.finish(at))?;
        }
        match window[at + digits] {
            b'.' => return address.dotted(window, at),
            b':' => {
                address.push(group)?;
                at += digits + 1;
                if window[at] == b':' && address.gap.is_none() {
                    address.gap = Some(address.count);
                    at += 1;
                }
            }
            _ => {
                address.push(group)?;
                return address.finish(at + digits);
            }
        }
    }
}

/// What a byte is worth as a hexadecimal digit; the high bit says that it is
/// none.
const DIGITS: [u8; 256] = {
    let mut digits = [0x80; 256];
    let mut value = 0_u8;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// The number that the leading hexadecimal digits make, at most four, and how
/// many there are. Without a jump for each digit: how many there are is as good
/// as random.
#[inline]
fn leading_group(text: [u8; 4]) -> (u16, usize) {
    let digits = text.map(|byte| DIGITS[usize::from(byte)]);
    let others = u32::from_le_bytes(digits) & 0x8080_8080;
    let count = others.trailing_zeros() / 8;
    let value = digits.iter().fold(0, |value, &digit| value << 4 | u16::from(digit & 15));
    // What was no digit, and is lowest, is shifted out.
    (value.checked_shr(16 - 4 * count).unwrap_or(0), count as usize)
}

fn split(ipv4: u32) -> [u16; 2] {
    let [a, b, c, d] = ipv4.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

/// The groups read so far.
#[derive(Default)]
struct Groups {
    /// All of them, the last in the lowest bits.
    value: u128,
    count: usize,
    /// How many came before the `::`.
    gap: Option<usize>,
}

impl Groups {
    fn push(&mut self, group: u16) -> Option<()> {
        self.value = self.value << 16 | u128::from(group);
        self.count += 1;
        (self.count <= GROUPS).then_some(())
    }

    /// Goes on with the last 32 bits, which are dotted and begin at `at`.
    fn dotted(mut self, window: &[u8; WINDOW], at: usize) -> Option<(u128, usize)> {
        // Without a gap they come after six groups; most texts with dots are
        // of the other family.
        if self.gap.is_none() && self.count != GROUPS - 2 {
            return None;
        }
        let bytes = window[at..].iter().take_while(|&&b| b == b'.' || b.is_ascii_digit()).count();
        let [high, low] = split(ipv4::parse(&window[at..at + bytes]).ok()?);
        self.push(high)?;
        self.push(low)?;
        self.finish(at + bytes)
    }

    /// The address, if it is one, with the number of its bytes.
    fn finish(self, bytes: usize) -> Option<(u128, usize)> {
        let Some(before) = self.gap else {
            return (self.count == GROUPS).then_some((self.value, bytes));
        };
        if self.count >= GROUPS {
            return None;
        }
        let after = 16 * (self.count - before);
        let low = self.value & !(u128::MAX << after);
        let high = if before == 0 { 0 } else { self.value >> after << (16 * (GROUPS - before)) };
        Some((high | low, bytes))
    }
}
