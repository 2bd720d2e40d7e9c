//! The way out, behind what went wrong: what an administrator can do about a
//! kernel that cannot, a right that is missing, or a directory of somebody
//! else's. It only looks, and says nothing that it has not seen.

use std::fs;
use std::io;
use std::path::Path;

use feedfiles::StoreError;
use reconcile::{KernelError, KernelErrorKind, Object};

/// The first kernel with the revision of `hash:net` that is needed, 7: commit
/// ccf0a4b7fc68, "netfilter: ipset: Add bucketsize parameter to all hash types".
const KERNEL_MIN: (u32, u32) = (5, 11);

/// The module with the type of our sets; `ip_set` and `nfnetlink` come with it.
const MODULE: &str = "ip_set_hash_net";

/// Where the modules of all kernels are.
const MODULES: &str = "/lib/modules";

/// What to do about an error of the kernel, with a `; ` in front; empty if
/// nobody can say.
pub fn of_kernel(error: &KernelError) -> String {
    match error.kind {
        // That says itself which options are missing.
        KernelErrorKind::Unsupported if matches!(error.object, Some(Object::Rules(_))) => {
            String::new()
        }
        KernelErrorKind::Unsupported => {
            let release = rustix::system::uname();
            let release = release.release().to_string_lossy();
            lacking(&release, Modules::of(Path::new(MODULES), &release))
        }
        KernelErrorKind::Denied => format!(
            "; run it as root, or give it CAP_NET_ADMIN in the user namespace that owns this \
             network: that of the host for the network of the host, `--cap-add NET_ADMIN` for the \
             own one of a container{}",
            if rustix::process::geteuid().is_root() { " (you are root, without it)" } else { "" }
        ),
        _ => String::new(),
    }
}

/// What to do about a state-dir that cannot be used, as [`of_kernel`].
pub fn of_store(error: &StoreError) -> String {
    let uid = rustix::process::geteuid().as_raw();
    match error.source.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "; it must belong to the user that denyset runs as, which is {uid}: \
             `chown -R {uid}` the state-dir, or set daemon.state-dir"
        ),
        io::ErrorKind::ReadOnlyFilesystem => {
            "; below systemd name it with ReadWritePaths= in `systemctl edit denyset`, or make the \
             file system writable"
                .to_owned()
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room in the file system".to_owned()
        }
        io::ErrorKind::NotFound => {
            "; make the directory above it, or set daemon.state-dir".to_owned()
        }
        _ => String::new(),
    }
}

/// What is known of the modules of the running kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modules {
    /// Nothing: a sandbox or a container hides them.
    Hidden,
    /// There are those of other kernels only.
    Gone,
    /// They are there without the one that is needed.
    Without,
    /// The one that is needed is among them.
    With,
}

impl Modules {
    fn of(all: &Path, release: &str) -> Self {
        // An empty directory is what a sandbox puts in its place.
        let others = fs::read_dir(all).is_ok_and(|mut entries| entries.next().is_some());
        let lists = ["modules.dep", "modules.builtin"];
        let texts = lists.map(|list| fs::read_to_string(all.join(release).join(list)));
        match texts {
            [Ok(one), other] => {
                let name = format!("{MODULE}.ko");
                let there = one.contains(&name) || other.is_ok_and(|text| text.contains(&name));
                if there { Self::With } else { Self::Without }
            }
            [Err(error), _] if others && error.kind() == io::ErrorKind::NotFound => Self::Gone,
            [Err(_), _] => Self::Hidden,
        }
    }
}

/// What to do about a kernel of this release that lacks something.
fn lacking(release: &str, modules: Modules) -> String {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok());
    if let (Some(major), Some(minor)) = (numbers.next(), numbers.next())
        && (major, minor) < KERNEL_MIN
    {
        let (major, minor) = KERNEL_MIN;
        return format!("; this is Linux {release}, and {major}.{minor} or newer is needed");
    }
    let load = format!("load it with `modprobe {MODULE}`");
    let install =
        format!("install linux-modules-extra-{release} on Ubuntu, kernel-modules-extra on Fedora");
    match modules {
        Modules::Gone => format!(
            "; {MODULES}/{release} is gone, so that the running kernel can load no module any \
             more: reboot into the kernel that is installed"
        ),
        Modules::Without => format!("; {MODULES}/{release} does not have it: {install}"),
        Modules::With => format!(
            "; {load}, and if that does nothing, something in /etc/modprobe.d forbids it, see \
             `modprobe --showconfig | grep {MODULE}`"
        ),
        Modules::Hidden => format!(
            "; {load}, for a container on its host. If {MODULES}/{release} is gone, reboot; if it \
             does not have the module, {install}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modules below a directory: of which release, in which list, which.
    fn modules(files: &[(&str, &str, &str)]) -> Modules {
        let home = tempfile::tempdir().expect("a directory");
        for (release, list, text) in files {
            let folder = home.path().join(release);
            fs::create_dir_all(&folder).expect("a directory");
            fs::write(folder.join(list), text).expect("it can be written");
        }
        Modules::of(home.path(), "6.1.0-1")
    }

    #[test]
    fn what_is_there_of_modules_is_told_apart() {
        let hash_net = "kernel/net/netfilter/ipset/ip_set_hash_net.ko.xz: x.ko\n";
        let others = "kernel/net/netfilter/ipset/ip_set_hash_netnet.ko: x.ko\n";
        let check = |files: &[_], want| assert_eq!(modules(files), want, "{files:?}");
        check(&[], Modules::Hidden);
        check(&[("6.1.0-2", "modules.dep", hash_net)], Modules::Gone);
        check(&[("6.1.0-1", "modules.dep", others)], Modules::Without);
        check(&[("6.1.0-1", "modules.dep", hash_net)], Modules::With);
        let builtin = ("6.1.0-1", "modules.builtin", hash_net);
        check(&[("6.1.0-1", "modules.dep", ""), builtin], Modules::With);
        assert_eq!(Modules::of(Path::new("/nowhere"), "6.1.0-1"), Modules::Hidden);
    }

    #[test]
    fn each_lack_has_its_way_out() {
        let check = |release, modules, want: &[&str]| {
            let text = lacking(release, modules);
            assert!(text.starts_with("; "), "{text}");
            assert!(want.iter().all(|words| text.contains(words)), "{text}");
        };
        check("5.10.0-28-amd64", Modules::With, &["5.11 or newer"]);
        check("4.19.0", Modules::Gone, &["5.11 or newer"]);
        check("6.1.0-1", Modules::Gone, &["/lib/modules/6.1.0-1 is gone", "reboot"]);
        check("5.15.0-91-generic", Modules::Without, &["linux-modules-extra-5.15.0-91-generic"]);
        check("6.1.0-1", Modules::With, &["modprobe ip_set_hash_net", "/etc/modprobe.d"]);
        check("6.1.0-1", Modules::Hidden, &["modprobe ip_set_hash_net", "reboot", "on its host"]);
        check("unheard", Modules::With, &["modprobe ip_set_hash_net"]);
    }
}
