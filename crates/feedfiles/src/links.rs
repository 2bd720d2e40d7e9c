//! Which way a symbolic link goes, so that a change on the way is noticed: in
//! which directories its parts stand, and under which names. What is read is
//! decided elsewhere, by the kernel; a mistake here costs time until the next
//! look and nothing else.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::readlinkat;

/// Links on one way at the most; the kernel follows no more either
/// (`MAXSYMLINKS` in `linux/namei.h`).
const LINKS_MAX: usize = 40;

/// The way of one path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LinkWay {
    /// Where it ends, through no link, relative to the feeds directory.
    pub(super) end: PathBuf,
    /// The links on it and its end, likewise.
    pub(super) points: BTreeSet<PathBuf>,
}

/// Follows a path from the feeds directory. `None` if it leaves it or does not
/// end.
pub(super) fn way(root: impl AsFd, path: &Path) -> Option<LinkWay> {
    let mut way = LinkWay::default();
    let mut ahead: VecDeque<OsString> = steps(path)?.collect();
    let mut links = 0;
    while let Some(step) = ahead.pop_front() {
        if step == ".." {
            if !way.end.pop() {
                return None;
            }
            continue;
        }
        let next = way.end.join(&step);
        match readlinkat(&root, &next, Vec::new()) {
            Ok(target) => {
                links += 1;
                if links > LINKS_MAX {
                    return None;
                }
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                for step in steps(&target)?.rev() {
                    ahead.push_front(step);
                }
                way.points.insert(next);
            }
            Err(_) => way.end = next,
        }
    }
    way.points.insert(way.end.clone());
    Some(way)
}

/// The steps of a relative path, `..` among them.
fn steps(path: &Path) -> Option<impl DoubleEndedIterator<Item = OsString>> {
    let step = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.is_relative().then(|| path.components().filter_map(step).collect::<Vec<_>>().into_iter())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    /// Makes these links, and says where `path` ends and what is on the way.
    fn check(links: &[(&str, &str)], path: &str, want: Option<(&str, &[&str])>) {
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(home.path().join("..v1/sub")).expect("directories");
        for (link, target) in links {
            symlink(target, home.path().join(link)).expect("a link");
        }
        let root = File::open(home.path()).expect("a directory");
        let found = way(&root, Path::new(path));
        let want = want.map(|(end, points)| LinkWay {
            end: end.into(),
            points: points.iter().map(PathBuf::from).collect(),
        });
        assert_eq!(found, want, "{path} {links:?}");
    }

    #[test]
    fn every_link_on_the_way_is_named() {
        check(&[], "a/b", Some(("a/b", &["a/b"])));
        check(
            &[("bad.txt", "..data/bad.txt"), ("..data", "..v1")],
            "bad.txt",
            Some(("..v1/bad.txt", &["bad.txt", "..data", "..v1/bad.txt"])),
        );
        check(&[("..v1/a", "../b")], "..v1/a", Some(("b", &["..v1/a", "b"])));
        check(&[("x", "./..v1//sub/")], "x/y", Some(("..v1/sub/y", &["x", "..v1/sub/y"])));
    }

    #[test]
    fn a_way_out_and_a_circle_are_none() {
        check(&[("a", "/etc")], "a", None);
        check(&[("a", "../b")], "a", None);
        check(&[("a", "b"), ("b", "a")], "a", None);
    }
}
