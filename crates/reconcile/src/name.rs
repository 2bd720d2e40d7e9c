//! Names of kernel sets that are ours by construction, and the mark by which
//! our sets are known from everybody else's. A name that this module did not
//! make cannot reach the kernel, and an empty one cannot be made: to the
//! kernel a message without a set name means *every* set.

use std::fmt;
use std::sync::Arc;

use blocklist::Family;

/// The longest name the kernel takes, in bytes: `IPSET_MAXNAMELEN` (32, in
/// `include/uapi/linux/netfilter/ipset/ip_set.h`) counts a closing NUL.
pub const SET_NAME_MAX: usize = 31;

/// The longest set prefix, in bytes. What is left holds `.`, the number of a
/// shadow and the family.
const SET_PREFIX_MAX: usize = 20;

/// Shadows are numbered below this, so that the number fits.
const SHADOW_NUMBERS: u32 = 1_000_000;

/// The name of a kernel set of ours: not empty, at most [`SET_NAME_MAX`]
/// bytes, `[A-Za-z0-9_.-]`, beginning with a [`SetPrefix`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetName {
    text: Arc<str>,
    family: Family,
    shadow: bool,
}

impl SetName {
    /// The name as the kernel sees it, without the closing NUL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The family that the name promises.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Whether this names a shadow, which no rule should refer to.
    pub fn is_shadow(&self) -> bool {
        self.shadow
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.text)
    }
}

impl fmt::Debug for SetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, out)
    }
}

/// What is wrong with a name somebody chose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no name.
    #[error("the name is empty")]
    Empty,
    /// The kernel's limit, or ours for a prefix.
    #[error("`{name}` is {} bytes long, at most {max} fit", name.len())]
    TooLong {
        /// The whole name that would result.
        name: String,
        /// The limit, in bytes.
        max: usize,
    },
    /// A byte outside of the alphabet.
    #[error("`{name}` has the character {character:?}, only A-Z a-z 0-9 _ . - may stand in a name")]
    Character {
        /// The name.
        name: String,
        /// The first character that may not stand in it.
        character: char,
    },
    /// Names begin with a letter or a digit: `-` looks like an option to
    /// `ipset`, `.` marks a shadow.
    #[error("`{name}` must begin with a letter or a digit")]
    Beginning {
        /// The name.
        name: String,
    },
}

/// What all names of one writer begin with, `denyset-` unless configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetPrefix(Arc<str>);

impl SetPrefix {
    /// Checks and takes a prefix.
    ///
    /// # Errors
    /// [`NameError`] if it is empty, longer than 20 bytes, has a character
    /// outside of `[A-Za-z0-9_.-]` or begins with another than a letter or digit.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_alphabet(text)?;
        if text.len() > SET_PREFIX_MAX {
            return Err(NameError::TooLong { name: text.to_owned(), max: SET_PREFIX_MAX });
        }
        Ok(Self(text.into()))
    }

    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the set that rules refer to: `<prefix><list>-v4` or `-v6`.
    ///
    /// # Errors
    /// [`NameError`] if `list` is empty, has a character outside of
    /// `[A-Za-z0-9_.-]`, does not begin with a letter or digit, or makes the
    /// whole name longer than [`SET_NAME_MAX`].
    pub fn live(&self, list: &str, family: Family) -> Result<SetName, NameError> {
        check_alphabet(list)?;
        let text = format!("{}{list}-{}", self.0, family.suffix());
        if text.len() > SET_NAME_MAX {
            return Err(NameError::TooLong { name: text, max: SET_NAME_MAX });
        }
        Ok(SetName { text: text.into(), family, shadow: false })
    }

    /// The name of a shadow: `<prefix>.<number>-v4` or `-v6`. No list name
    /// begins with a dot, so a shadow never stands in a list's place.
    pub fn shadow(&self, number: u32, family: Family) -> SetName {
        let text = format!("{}.{}-{}", self.0, number % SHADOW_NUMBERS, family.suffix());
        SetName { text: text.into(), family, shadow: true }
    }

    /// Reads a name found in the kernel. `None` if it is not one that
    /// [`Self::live`] or [`Self::shadow`] could have made; that it *is* one
    /// does not yet make the set ours, see [`Self::marks`].
    pub fn recognise(&self, name: &[u8]) -> Option<SetName> {
        let rest = std::str::from_utf8(name).ok()?.strip_prefix(&*self.0)?;
        let (middle, suffix) = rest.rsplit_once('-')?;
        let family = Family::ALL.into_iter().find(|family| family.suffix() == suffix)?;
        match middle.strip_prefix('.') {
            Some(number) => {
                let made = self.shadow(number.parse().ok()?, family);
                (made.as_str().as_bytes() == name).then_some(made)
            }
            None => self.live(middle, family).ok(),
        }
    }

    /// The INITVAL to create a set with: 16 bits of `salt`, which keep the
    /// hash unpredictable, and 16 bits that follow from them, the prefix and
    /// the family. A swap carries it along with the contents, so the mark
    /// says nothing about which of our names the set has.
    pub fn initval(&self, salt: u16, family: Family) -> u32 {
        u32::from(salt) << 16 | u32::from(self.mark(salt, family))
    }

    /// Whether a set with this INITVAL was created by a writer with this
    /// prefix. A set made by anybody else passes once in 65,536 times, and
    /// then only if its name, type and family are those of ours too.
    pub fn marks(&self, initval: u32, family: Family) -> bool {
        let salt = (initval >> 16) as u16;
        self.initval(salt, family) == initval
    }

    /// FNV-1a over prefix, family and salt, folded to 16 bits. It recognises,
    /// it does not protect: whoever may create sets may forge it.
    fn mark(&self, salt: u16, family: Family) -> u16 {
        let bytes = self.0.bytes().chain(family.suffix().bytes()).chain(salt.to_be_bytes());
        let hash = bytes
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let [a, b, c, d] = hash.to_be_bytes();
        u16::from_be_bytes([a ^ c, b ^ d])
    }
}

fn check_alphabet(name: &str) -> Result<(), NameError> {
    let first = name.chars().next().ok_or(NameError::Empty)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if let Some(character) = name.chars().find(|&c| !fits(c)) {
        return Err(NameError::Character { name: name.to_owned(), character });
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::Beginning { name: name.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> SetPrefix {
        SetPrefix::new(text).expect("a good prefix")
    }

    #[test]
    fn what_is_made_is_recognised() {
        let ours = prefix("denyset-");
        for family in Family::ALL {
            let live = ours.live("drop", family).expect("fits");
            assert_eq!(ours.recognise(live.as_str().as_bytes()), Some(live));
            let shadow = ours.shadow(7, family);
            assert_eq!(ours.recognise(shadow.as_str().as_bytes()), Some(shadow));
        }
    }

    #[test]
    fn what_could_not_have_been_made_is_not_recognised() {
        let ours = prefix("denyset-");
        for name in [
            "",
            "denyset-",
            "denyset--v4",
            "denyset-drop",
            "denyset-drop-v5",
            "other-drop-v4",
            "denyset-.07-v4",
            "denyset-.-v4",
            "denyset-.1000000-v4",
            "denyset-.+7-v4",
            "denyset-a b-v4",
            "denyset-_x-v4",
            "denyset-aaaaaaaaaaaaaaaaaaaaaaaaaa-v4",
        ] {
            assert_eq!(ours.recognise(name.as_bytes()), None, "{name}");
        }
        assert_eq!(ours.recognise(b"denyset-\xff-v4"), None);
    }

    #[test]
    fn a_mark_is_known_by_its_own_prefix_and_family_only() {
        let (ours, theirs) = (prefix("denyset-"), prefix("denyset-b-"));
        let foreign = (0..=u16::MAX)
            .filter(|&salt| {
                let initval = ours.initval(salt, Family::Ipv4);
                assert!(ours.marks(initval, Family::Ipv4));
                theirs.marks(initval, Family::Ipv4) || ours.marks(initval, Family::Ipv6)
            })
            .count();
        assert!(foreign < 16, "{foreign} of 65,536 marks are mistaken for another's");
    }

    #[test]
    fn names_that_do_not_fit_say_why() {
        assert_eq!(SetPrefix::new(""), Err(NameError::Empty));
        let check = |list: &str, want: &str| {
            let error = prefix("denyset-").live(list, Family::Ipv4).expect_err("does not fit");
            assert_eq!(error.to_string(), want);
        };
        check("a/b", "`a/b` has the character '/', only A-Z a-z 0-9 _ . - may stand in a name");
        check(".a", "`.a` must begin with a letter or a digit");
        check(
            "aaaaaaaaaabbbbbbbbbbc",
            "`denyset-aaaaaaaaaabbbbbbbbbbc-v4` is 32 bytes long, at most 31 fit",
        );
    }
}
