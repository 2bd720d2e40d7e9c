//! Which file systems do not tell of every change: another host, or a layer
//! below, may write without this kernel knowing. inotify works on them and
//! stays silent (`inotify(7)`, *Limitations and caveats*).

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::fstatfs;

/// Such a directory is looked at this often, or more often if all are.
pub const SILENT_SCAN: Duration = Duration::from_secs(10);

/// A directory of which not every change is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Silent {
    /// Relative to the feeds directory, which itself is the empty path.
    pub directory: PathBuf,
    /// The kind of its file system, as people call it.
    pub file_system: &'static str,
}

/// `f_type` of `statfs(2)` and the name. From `linux/magic.h`, unless said
/// otherwise. 9p and virtiofs share directories of a virtual machine's host;
/// virtiofs shows the number of FUSE (`fs/fuse/inode.c`).
const KINDS: &[(u64, &str)] = &[
    (0x794c_7630, "overlayfs"),
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    // fs/smb/client/cifsfs.h, smb2glob.h.
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0x6573_5546, "FUSE or virtiofs"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00c3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    // fs/vboxsf/super.c.
    (0x786f_4256, "vboxsf"),
    // By their own sources, and statfs in coreutils (src/stat.c).
    (0x4750_4653, "GPFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0xaad7_aaea, "PanFS"),
    (0x6175_6673, "aufs"),
    (0x1983_0326, "BeeGFS"),
];

/// The name of a file system that does not tell of every change.
pub(super) fn silent(directory: impl AsFd) -> Option<&'static str> {
    let found = fstatfs(directory).ok()?;
    // The type has 32 bits, and its sign depends on the architecture.
    let magic = found.f_type.cast_unsigned() & 0xffff_ffff;
    KINDS.iter().find(|(kind, _)| *kind == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::File;

    use super::*;

    #[test]
    fn no_number_stands_twice() {
        let numbers: BTreeSet<_> = KINDS.iter().map(|(kind, _)| kind).collect();
        assert_eq!(numbers.len(), KINDS.len());
    }

    #[test]
    fn a_local_file_system_is_not_silent() {
        assert_eq!(silent(File::open("/proc").expect("proc is mounted")), None);
        assert_eq!(silent(File::open("/dev/shm").expect("a tmpfs")), None);
    }
}
