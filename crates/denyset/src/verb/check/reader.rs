//! As whom `check` reads. The daemon has a user of its own, and root, who
//! checks, may read everything: so root reads as that user, and the kernel
//! says what may be read, with access lists and all.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use configuration::Configuration;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user of the unit, see `systemd/denyset.sysusers`.
const USER: &str = "denyset";

/// Whose eyes are used.
#[derive(Debug)]
pub(super) struct Eyes {
    user: Option<User>,
    /// What cannot be judged, a sentence.
    pub(super) remark: Option<String>,
}

/// Somebody who is not root.
#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    name: String,
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Eyes {
    /// Finds out who the daemon is: the owner of state-dir, or the user of the
    /// unit. Whoever is not root reads as themselves.
    pub(super) fn of(config: &Configuration) -> Self {
        let user = if rustix::process::geteuid().is_root() {
            let [users, groups] = ["/etc/passwd", "/etc/group"]
                .map(|file| fs::read_to_string(file).unwrap_or_default());
            find(fs::metadata(&config.daemon.state_dir).ok().as_ref(), &users, &groups)
        } else {
            None
        };
        match user.as_ref().map(|user| user.look(|| ())) {
            Some(Err(error)) => {
                let name = user.map(|user| user.name).unwrap_or_default();
                let remark = format!(
                    "whether user {name}, whom the daemon runs as, may read the feeds is not \
                     judged, since this process cannot become that user: {error}"
                );
                Self { user: None, remark: Some(remark) }
            }
            _ => Self { user, remark: None },
        }
    }

    /// Does work that reads, as whom the daemon runs as.
    pub(super) fn look<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.user {
            // It was possible a moment ago.
            Some(user) => user.look(work).expect("root becomes a user once more"),
            None => work(),
        }
    }

    /// What to do about a file that only root can read.
    pub(super) fn only_root_reads(&self, file: &Path) -> Option<String> {
        let user = self.user.as_ref()?;
        let opens = |file: PathBuf| move || File::open(file).map(drop);
        let error = self.look(opens(file.to_owned())).err()?;
        opens(file.to_owned())().ok()?;
        let (file, User { name, .. }) = (file.display(), user);
        Some(format!(
            "{file} is readable for root only: user {name}, whom the daemon runs as, gets \
             `{error}`; `chmod a+r` it, and `chmod a+x` the directories above it"
        ))
    }
}

impl User {
    /// Does work on a thread that is this user, and has no capability.
    fn look<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // The groups first: afterwards we may not any more.
                set_thread_groups(&self.groups)?;
                set_thread_res_gid(self.gid, self.gid, self.gid)?;
                set_thread_res_uid(self.uid, self.uid, self.uid)?;
                Ok(work())
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// The user of the daemon in the texts of `passwd(5)` and `group(5)`.
fn find(state_dir: Option<&fs::Metadata>, users: &str, groups: &str) -> Option<User> {
    let owner = state_dir.map(|found| (found.uid(), found.gid())).filter(|&(uid, _)| uid != 0);
    let wanted = |fields: &Vec<&str>| match owner {
        Some((uid, _)) => fields.get(2).and_then(|field| field.parse().ok()) == Some(uid),
        None => fields.first() == Some(&USER),
    };
    let entry = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(wanted);
    let number = |place: usize| entry.as_ref()?.get(place)?.parse::<u32>().ok();
    let uid = number(2).or(owner.map(|(uid, _)| uid))?;
    let gid = number(3).or(owner.map(|(_, gid)| gid))?;
    let name = entry.as_ref().map_or_else(|| uid.to_string(), |fields| fields[0].to_owned());
    let member = |fields: &Vec<&str>| {
        fields.get(3).is_some_and(|members| members.split(',').any(|member| member == name))
    };
    let of = groups.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(member);
    let groups = of.filter_map(|fields| fields.get(2)?.parse().ok().map(Gid::from_raw));
    let groups = groups.collect();
    Some(User { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), groups, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\ndenyset:x:998:997::/:/bin/false\n";
    const GROUPS: &str = "root:x:0:\ndenyset:x:997:bob\nfeeds:x:50:alice,denyset\n";

    #[test]
    fn without_a_state_dir_the_daemon_is_the_user_of_the_unit() {
        let user = find(None, USERS, GROUPS).expect("it is there");
        assert_eq!((user.name.as_str(), user.uid.as_raw(), user.gid.as_raw()), (USER, 998, 997));
        assert_eq!(user.groups, [Gid::from_raw(50)]);
        assert_eq!(find(None, "root:x:0:0::/:\n", ""), None);
        assert_eq!(find(None, "denyset\nx:y\n", "::\n"), None);
    }

    #[test]
    fn the_owner_of_the_state_dir_is_the_daemon() {
        let home = tempfile::tempdir().expect("a directory");
        let own = rustix::process::geteuid().is_root();
        if own {
            std::os::unix::fs::chown(home.path(), Some(65_534), Some(60_000)).expect("root may");
        }
        let found = fs::metadata(home.path()).expect("it is there");
        let user = find(Some(&found), USERS, GROUPS).expect("its owner, or the user of the unit");
        if own {
            assert_eq!((user.name.as_str(), user.gid.as_raw()), ("65534", 60_000));
        }
    }
}
