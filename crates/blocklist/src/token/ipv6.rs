//! IPv6 addresses as text, by RFC 4291, section 2.2: eight groups of one to
//! four hexadecimal digits, `::` once for one or more groups of zeros, the last
//! 32 bits dotted if so liked. No zones, no brackets.

use super::ipv4;

/// Groups of 16 bits in an address.
const GROUPS: usize = 8;

/// Reads an address that is all of `text`.
pub(crate) fn parse(text: &[u8]) -> Option<u128> {
    let mut address = Groups::default();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix(b"::") {
        address.gap = Some(0);
        rest = after;
    }
    while !rest.is_empty() {
        let (group, digits) = leading_group(rest)?;
        match rest.get(digits) {
            None => {
                address.push(group)?;
                break;
            }
            Some(b'.') => {
                let [high, low] = split(ipv4::parse(rest).ok()?);
                address.push(high)?;
                address.push(low)?;
                break;
            }
            Some(b':') => {
                address.push(group)?;
                rest = address.after_colon(&rest[digits + 1..])?;
            }
            Some(_) => return None,
        }
    }
    address.finish()
}

/// The hexadecimal number at the beginning, one to four digits, and how many
/// digits it has.
fn leading_group(text: &[u8]) -> Option<(u16, usize)> {
    let mut value = 0_u16;
    let mut digits = 0;
    while let Some(digit) = text.get(digits).and_then(|&byte| char::from(byte).to_digit(16)) {
        if digits == 4 {
            return None;
        }
        value = value << 4 | u16::try_from(digit).ok()?;
        digits += 1;
    }
    (digits > 0).then_some((value, digits))
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

    /// Goes on after the colon that ended a group: a second one is the gap, and
    /// then the address may end.
    fn after_colon<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        match rest {
            [] => None,
            [b':', rest @ ..] if self.gap.is_none() => {
                self.gap = Some(self.count);
                Some(rest)
            }
            _ => Some(rest),
        }
    }

    fn finish(self) -> Option<u128> {
        let Some(before) = self.gap else {
            return (self.count == GROUPS).then_some(self.value);
        };
        if self.count >= GROUPS {
            return None;
        }
        let after = 16 * (self.count - before);
        let low = self.value & !(u128::MAX << after);
        let high = if before == 0 { 0 } else { self.value >> after << (16 * (GROUPS - before)) };
        Some(high | low)
    }
}
