//! Octets as text, from a table: formatting a million lines by the usual way takes
//! several times as long. It knows nothing of lists.

/// The digits of every octet, and how many there are.
static DIGITS: [([u8; 3], u8); 256] = digits();

const fn digits() -> [([u8; 3], u8); 256] {
    let mut all = [([0; 3], 0); 256];
    let mut octet: u8 = 0;
    loop {
        let (hundreds, tens, ones) =
            (b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10);
        all[octet as usize] = match octet {
            0..10 => ([ones, 0, 0], 1),
            10..100 => ([tens, ones, 0], 2),
            100.. => ([hundreds, tens, ones], 3),
        };
        if octet == u8::MAX {
            return all;
        }
        octet += 1;
    }
}

/// Octets with dots between them.
pub(super) struct OctetText {
    bytes: [u8; 16],
    len: usize,
}

impl OctetText {
    /// The lowest `octets` of a number, 1 to 4.
    pub(super) fn of(number: u32, octets: u8) -> Self {
        let mut text = Self { bytes: [0; 16], len: 0 };
        let all = number.to_be_bytes();
        for octet in &all[4 - usize::from(octets)..] {
            let (digits, len) = DIGITS[usize::from(*octet)];
            text.bytes[text.len..text.len + 3].copy_from_slice(&digits);
            text.len += usize::from(len) + 1;
            text.bytes[text.len - 1] = b'.';
        }
        text.len -= 1;
        text
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// How many bytes [`Self::of`] would have.
    pub(super) fn len_of(number: u32, octets: u8) -> usize {
        let all = number.to_be_bytes();
        let digits = |octet: &u8| usize::from(DIGITS[usize::from(*octet)].1);
        let octets = &all[4 - usize::from(octets)..];
        octets.iter().map(digits).sum::<usize>() + octets.len() - 1
    }
}
