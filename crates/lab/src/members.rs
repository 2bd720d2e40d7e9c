//! Members as the tests compare them: addresses with lengths, sorted, each
//! once. It shares nothing with the project's own prefix sets on purpose.

use std::fmt;
use std::net::IpAddr;

/// Sorted prefixes of both families, each once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SortedPrefixes(Vec<(IpAddr, u8)>);

impl SortedPrefixes {
    /// The members written in `text`, one to a word.
    ///
    /// # Panics
    /// If a word is no address and no CIDR.
    pub fn of(text: &str) -> Self {
        let read = |word| prefix(word).unwrap_or_else(|| panic!("{word}?"));
        text.split_whitespace().map(read).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (IpAddr, u8)> + '_ {
        self.0.iter().copied()
    }

    /// Whether this very member is one, not only its addresses.
    pub fn contains(&self, member: (IpAddr, u8)) -> bool {
        self.0.binary_search(&member).is_ok()
    }

    /// Those of one family.
    #[must_use]
    pub fn family(&self, ipv4: bool) -> Self {
        Self(self.iter().filter(|(address, _)| address.is_ipv4() == ipv4).collect())
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.iter().filter(|&member| !other.contains(member)).collect())
    }

    /// Those that are in `other` too.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self(self.iter().filter(|&member| other.contains(member)).collect())
    }

    /// Asserts that these are exactly `want`, and shows only what differs.
    ///
    /// # Panics
    /// If they are not.
    #[track_caller]
    pub fn expect(&self, want: &Self) {
        if self == want {
            return;
        }
        let (missing, extra) = (want.without(self), self.without(want));
        panic!(
            "{} of {} members missing: {missing:?}\n{} too many: {extra:?}",
            missing.len(),
            want.len(),
            extra.len(),
        );
    }

    /// As a feed file: one to a line.
    pub fn feed(&self) -> String {
        self.to_string().replace(' ', "\n") + "\n"
    }
}

impl FromIterator<(IpAddr, u8)> for SortedPrefixes {
    fn from_iter<I: IntoIterator<Item = (IpAddr, u8)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Self(members)
    }
}

impl FromIterator<IpAddr> for SortedPrefixes {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        let host = |address: IpAddr| (address, if address.is_ipv4() { 32 } else { 128 });
        addresses.into_iter().map(host).collect()
    }
}

/// Members with a space between them; full lengths are not written.
impl fmt::Display for SortedPrefixes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (address, length)) in self.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            match (address, length) {
                (IpAddr::V4(address), 32) => write!(out, "{space}{address}")?,
                (IpAddr::V6(address), 128) => write!(out, "{space}{address}")?,
                (address, length) => write!(out, "{space}{address}/{length}")?,
            }
        }
        Ok(())
    }
}

/// The first few, so that a failed comparison of a million can be read.
impl fmt::Debug for SortedPrefixes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first: Self = self.iter().take(10).collect();
        let more = if self.len() > 10 { " …" } else { "" };
        write!(out, "[{first}{more}]")
    }
}

/// An address with a length, which is the family's full one if not written.
pub fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(bits), |length| length.parse().ok())?;
    (length <= bits).then_some((address, length))
}
