//! What programs leave lying beside the files that they write: which names
//! that may be, in one table. A feed may have such a name, so that the table
//! alone decides nothing: whoever looks at a directory knows what else is
//! there, and what the configuration names. Knows no directory itself.

use super::FeedName;

/// A kind of file that some program leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Which program writes it, and what for.
    pub by: &'static str,
    shape: Pattern,
}

/// What such a file's name looks like. It is the last part of its path.
#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    /// It begins so.
    Begins(&'static str),
    /// It ends so, and has something before that.
    Ends(&'static str),
    /// The name of a file that is also there, and then this. Alone it may well
    /// be what somebody calls a feed: `ipset save > drop.save`.
    Follows(&'static str),
    /// It begins and ends with this character.
    Between(char),
    /// It is exactly this, and the file is empty.
    Empty(&'static str),
    /// This, and then so many letters and digits, which `mkstemp(3)` chose.
    Mkstemp(&'static str, usize),
    /// A name with a dot in it that is also there, and then so many characters
    /// of `a-z0-9_`, which Python's `tempfile` chose.
    Tempfile(usize),
    /// A name that is also there, a dot, and a number.
    Numbered,
    /// A name, a semicolon, and eight hexadecimal digits.
    Transaction,
}

/// What must be so for a name to be taken for a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circumstance<'a> {
    /// Nothing: the name says it.
    Always,
    /// There is a file of this name in the same directory, the one that the
    /// program wrote.
    Beside(&'a str),
    /// The file is empty.
    Empty,
}

const fn leftover(shape: Pattern, by: &'static str) -> Leftover {
    Leftover { by, shape }
}

/// Every kind that is known. Names that begin with a dot or end in `~`, `.tmp`,
/// `.part` or `.swp` are no feeds at all and need not stand here: so do the
/// files that rsync (`.name.XXXXXX`), Ansible (`.ansible_tmp…name`), Chef
/// (`.chef-…`) and git (`.git`) write, the links and directories of a
/// Kubernetes volume (`..data`, `..2026_…`), and locks of Emacs (`.#name`).
///
/// Where each fact is from: `dpkg/lib/dpkg/dpkg.h` (`DPKGNEWEXT` and others),
/// `ucf(1)`; `rpm/lib/fsm.c`, `rpm/build` (`.rpmnew`, `;` and the transaction's
/// number); `pacman(8)`, *Handling config files*; `salt/utils/files.py`
/// (`TEMPFILE_PREFIX`, `copyfile`); `sed/execute.c` (`ck_mkstemp` with `sed`);
/// `wget/src/utils.c` (`unique_name`); `vim/src/bufwrite.c` (4913) and
/// `memline.c` (`.swp`, then `.swo`, down to `.saa`); `emacs`, node *Auto Save
/// Files*; `nano/src/files.c` (`.save`); `patch(1)` (`.orig`, `.rej`);
/// Chromium's `download_path_reservation_tracker` (`.crdownload`), Safari
/// (`.download`), Firefox and `WinSCP` by their manuals.
const LEFTOVERS: &[Leftover] = &[
    leftover(Pattern::Begins("__salt.tmp."), "Salt, while it writes a file"),
    leftover(Pattern::Begins(".ansible_tmp"), "Ansible, while it writes a file"),
    leftover(Pattern::Ends(".ansible_tmp"), "Ansible, while it writes a file"),
    leftover(Pattern::Mkstemp("sed", 6), "sed -i, while it writes a file"),
    leftover(Pattern::Ends(".dpkg-new"), "dpkg, the package's version of a file"),
    leftover(Pattern::Ends(".dpkg-old"), "dpkg, the version of a file before"),
    leftover(Pattern::Ends(".dpkg-dist"), "dpkg, the package's version of a file"),
    leftover(Pattern::Ends(".dpkg-tmp"), "dpkg, while it writes a file"),
    leftover(Pattern::Ends(".dpkg-bak"), "dpkg, the version of a file before"),
    leftover(Pattern::Ends(".dpkg-remove"), "dpkg, a file that it removes"),
    leftover(Pattern::Ends(".ucf-new"), "ucf, the package's version of a file"),
    leftover(Pattern::Ends(".ucf-old"), "ucf, the version of a file before"),
    leftover(Pattern::Ends(".ucf-dist"), "ucf, the package's version of a file"),
    leftover(Pattern::Ends(".rpmnew"), "rpm, the package's version of a file"),
    leftover(Pattern::Ends(".rpmsave"), "rpm, the version of a file before"),
    leftover(Pattern::Ends(".rpmorig"), "rpm, the version of a file before"),
    leftover(Pattern::Transaction, "rpm, while it writes a file"),
    leftover(Pattern::Ends(".pacnew"), "pacman, the package's version of a file"),
    leftover(Pattern::Ends(".pacsave"), "pacman, the version of a file before"),
    leftover(Pattern::Empty("4913"), "vim, which tries whether it may write"),
    leftover(Pattern::Ends(".swo"), "vim, its swap file"),
    leftover(Pattern::Ends(".swx"), "vim, its swap file"),
    leftover(Pattern::Between('#'), "Emacs, its automatic save"),
    leftover(Pattern::Follows(".save"), "nano, its emergency save"),
    leftover(Pattern::Follows(".orig"), "patch or git, the version of a file before"),
    leftover(Pattern::Ends(".rej"), "patch, what it could not apply"),
    leftover(Pattern::Follows(".bak"), "a copy of the version before"),
    leftover(Pattern::Follows(".old"), "a copy of the version before"),
    leftover(Pattern::Ends(".lock"), "a lock"),
    leftover(Pattern::Follows(".new"), "a script, while it writes a file"),
    leftover(Pattern::Ends(".temp"), "a script, while it writes a file"),
    leftover(Pattern::Ends(".download"), "Safari, an unfinished download"),
    leftover(Pattern::Ends(".crdownload"), "Chromium, an unfinished download"),
    leftover(Pattern::Ends(".partial"), "a browser, an unfinished download"),
    leftover(Pattern::Ends(".filepart"), "WinSCP, an unfinished transfer"),
    // Those that need another file last, so that no certain one is behind them.
    leftover(Pattern::Numbered, "wget or a rotation, beside the file itself"),
    leftover(Pattern::Tempfile(8), "Salt or another program in Python, while it writes a file"),
];

impl FeedName {
    /// Which leftover a file of this name would be, and what must be so for
    /// that. The last part of the name decides.
    pub fn leftover(&self) -> Option<(&'static Leftover, Circumstance<'_>)> {
        let name = self.as_str().rsplit('/').next()?;
        LEFTOVERS.iter().find_map(|kind| Some((kind, kind.shape.fits(name)?)))
    }
}

impl Pattern {
    fn fits<'a>(&self, name: &'a str) -> Option<Circumstance<'a>> {
        let always = |fits: bool| fits.then_some(Circumstance::Always);
        match *self {
            Self::Begins(beginning) => always(name.starts_with(beginning)),
            Self::Ends(ending) => always(name.len() > ending.len() && name.ends_with(ending)),
            Self::Follows(ending) => {
                let beside = name.strip_suffix(ending).filter(|beside| !beside.is_empty())?;
                Some(Circumstance::Beside(beside))
            }
            Self::Between(at) => {
                always(name.len() > 2 && name.starts_with(at) && name.ends_with(at))
            }
            Self::Empty(exactly) => (name == exactly).then_some(Circumstance::Empty),
            Self::Mkstemp(beginning, count) => {
                let chosen = name.strip_prefix(beginning).filter(|chosen| chosen.len() == count)?;
                // Six small letters are a word as likely as not: one file of
                // `sed` in two hundred is not told by its name.
                let told = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
                always(chosen.chars().all(|c| c.is_ascii_alphanumeric()) && chosen.contains(told))
            }
            Self::Tempfile(count) => {
                let (beside, chosen) = name.split_at_checked(name.len().checked_sub(count)?)?;
                let random = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
                (beside.contains('.') && !beside.ends_with('.') && chosen.chars().all(random))
                    .then_some(Circumstance::Beside(beside))
            }
            Self::Numbered => {
                let (beside, number) = name.rsplit_once('.')?;
                let numeric = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
                // What is all numbers is an address.
                let named = beside.contains(|c: char| !c.is_ascii_digit() && c != '.');
                (numeric && named).then_some(Circumstance::Beside(beside))
            }
            Self::Transaction => {
                let (beside, number) = name.rsplit_once(';')?;
                let hexadecimal =
                    number.len() == 8 && number.bytes().all(|b| b.is_ascii_hexdigit());
                always(!beside.is_empty() && hexadecimal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, want: Option<Circumstance<'_>>) {
        let name = FeedName::new(name).expect("a name");
        assert_eq!(name.leftover().map(|(_, circumstance)| circumstance), want, "{name}");
    }

    #[test]
    fn what_a_program_left_is_told_by_its_name() {
        for name in [
            "__salt.tmp.oj5mk6k5",
            "bad.txt.ansible_tmp",
            "sedA1b2C3",
            "sub/sedAbcdef",
            "bad.txt.dpkg-new",
            "bad.txt.dpkg-old",
            "bad.txt.dpkg-dist",
            "bad.txt.dpkg-tmp",
            "bad.txt.ucf-dist",
            "bad.txt.rpmnew",
            "bad.txt.rpmsave",
            "bad.txt;5f3e9a01",
            "bad.txt.swo",
            "bad.txt.swx",
            "#bad.txt#",
            "bad.txt.rej",
            "bad.txt.lock",
            "bad.txt.temp",
            "bad.txt.download",
            "bad.txt.crdownload",
            "bad.txt.partial",
            "bad.txt.filepart",
        ] {
            check(name, Some(Circumstance::Always));
        }
    }

    #[test]
    fn some_names_need_a_circumstance() {
        for name in ["drop.save", "drop.bak", "drop.old", "drop.new", "sub/drop.orig"] {
            check(name, Some(Circumstance::Beside("drop")));
        }
        check("bad.txt.1", Some(Circumstance::Beside("bad.txt")));
        check("sub/bad.1", Some(Circumstance::Beside("bad")));
        check("bad.txtk3_9x2ab", Some(Circumstance::Beside("bad.txt")));
        check("4913", Some(Circumstance::Empty));
    }

    #[test]
    fn names_that_people_give_are_feeds() {
        for name in [
            "bad.txt",
            "sed",
            "sedation",
            "sedatives",
            "sed.txt",
            "new",
            "old",
            ".bak".trim_start_matches('.'),
            "192.0.2.1",
            "10.0",
            "firehol_level1",
            "drop.netset",
            "#1",
            "#",
            "a;b",
            "bak.txt",
            "newest",
            "lock",
            "49130",
            "drop_allowed",
            "botscout_30d.ipset",
            "x.old.txt",
            "v4.",
        ] {
            check(name, None);
        }
    }
}
