//! What the guards let pass: the configuration's `[guard]`, all limits in one
//! table.

/// Shrinking and growing is judged from so many entries of the last good
/// version on. Below, a change of a few lines is many percent.
pub const JUDGED_FROM: u64 = 16;

/// The limits of the guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardPolicy {
    /// How many of a feed's lines may be rejected, in percent of rejects and
    /// entries together.
    pub rejected_percent_max: u32,
    /// How many percent of the entries of the last good version may be
    /// missing. Repetitions do not count.
    pub shrink_percent_max: u32,
    /// How many percent of them may be added: 400 lets five times as many in.
    pub growth_percent_max: u32,
    /// How many percent of an address space one feed may cover without what is
    /// protected: of the IPv4 space, and of `2000::/3`, the part of the IPv6
    /// space from which addresses are assigned (RFC 4291, section 2.4).
    pub coverage_percent_max: u32,
    /// Whether a feed may be without entries.
    pub allow_empty: bool,
    /// How many entries a feed may have.
    pub entries_max: u64,
}

impl Default for GuardPolicy {
    fn default() -> Self {
        Self {
            rejected_percent_max: 5,
            shrink_percent_max: 50,
            growth_percent_max: 400,
            coverage_percent_max: 25,
            allow_empty: false,
            entries_max: 16_000_000,
        }
    }
}
