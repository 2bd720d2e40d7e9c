//! What of the changes below a feeds directory is noticed, and what is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::super::{Naming, Notice, Tree, TreeLimits, Unfinished, Watcher, scan};
use super::set_mode;

const LONG: Duration = Duration::from_secs(10);

/// A feeds directory `parent/feeds` with a directory `sub`, and whoever
/// watches it.
struct Scene {
    parent: TempDir,
    watcher: Watcher,
}

impl Scene {
    fn feeds(&self) -> PathBuf {
        self.parent.path().join("feeds")
    }

    /// Watches all there is, and has seen all there was.
    async fn settle(&mut self) {
        for _ in 0..4 {
            self.watcher.rewatch(&directories(&self.feeds())).expect("watched");
            if !self.is_noticed().await {
                return;
            }
        }
        panic!("each look finds something new");
    }

    /// The events of what was done before are in the queue by now, so
    /// that one turn of the runtime is enough to see them.
    async fn is_noticed(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(1), self.watcher.next()).await.is_ok()
    }

    async fn notice(&mut self) -> Notice {
        tokio::time::timeout(LONG, self.watcher.next()).await.expect("in time").expect("read")
    }
}

fn directories(feeds: &Path) -> Tree {
    let both = [PathBuf::new(), PathBuf::from("sub")];
    tree(both.into_iter().filter(|path| feeds.join(path).is_dir()).collect())
}

fn tree(directories: Vec<PathBuf>) -> Tree {
    Tree { directories, ..Tree::default() }
}

/// Does `act` in a watched directory; `want` is the notice that follows.
fn check(what: &str, act: impl FnOnce(&Path), want: Option<Notice>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let parent = tempfile::tempdir().expect("a directory");
        let feeds = parent.path().join("feeds");
        fs::create_dir_all(feeds.join("sub")).expect("directories");
        fs::write(feeds.join("old"), "192.0.2.1\n").expect("a file");
        let watcher = Watcher::new(&feeds, Unfinished::default()).expect("a watcher");
        let mut scene = Scene { parent, watcher };
        assert_eq!(scene.notice().await, Notice::Changed, "{what}: at the start");
        scene.settle().await;
        act(&feeds);
        match want {
            Some(want) => assert_eq!(scene.notice().await, want, "{what}"),
            None => assert!(!scene.is_noticed().await, "{what}"),
        }
        scene.settle().await;
    });
}

#[test]
fn every_way_to_change_a_feed_is_noticed() {
    use Notice::{Changed, Replaced};
    let write = |path: PathBuf| fs::write(path, "192.0.2.2\n").expect("written");
    check("nothing", |_| {}, None);
    check("write", |feeds| write(feeds.join("new")), Some(Changed));
    check("write below", |feeds| write(feeds.join("sub/new")), Some(Changed));
    check("overwrite", |feeds| write(feeds.join("old")), Some(Changed));
    check("delete", |feeds| fs::remove_file(feeds.join("old")).expect("gone"), Some(Changed));
    check(
        "rename into place",
        |feeds| {
            write(feeds.join("new.tmp"));
            fs::rename(feeds.join("new.tmp"), feeds.join("old")).expect("renamed");
        },
        Some(Changed),
    );
    check(
        "rename away",
        |feeds| fs::rename(feeds.join("old"), feeds.join("../old")).expect("renamed"),
        Some(Changed),
    );
    check(
        "hard link",
        |feeds| {
            write(feeds.join("../elsewhere"));
            fs::hard_link(feeds.join("../elsewhere"), feeds.join("new")).expect("linked");
        },
        Some(Changed),
    );
    check(
        "permissions",
        |feeds| {
            set_mode(&feeds.join("old"), 0o000);
        },
        Some(Changed),
    );
    check("new directory", |feeds| fs::create_dir(feeds.join("b")).expect("made"), Some(Changed));
    check(
        "directory gone",
        |feeds| fs::remove_dir(feeds.join("sub")).expect("gone"),
        Some(Changed),
    );
    check("feeds directory gone", |feeds| fs::remove_dir_all(feeds).expect("gone"), Some(Replaced));
    check(
        "feeds directory replaced",
        |feeds| {
            fs::rename(feeds, feeds.with_extension("old")).expect("renamed");
            fs::create_dir(feeds).expect("made");
        },
        Some(Replaced),
    );
}

#[test]
fn what_is_no_feed_or_not_yet_one_wakes_nobody() {
    let write = |path: PathBuf| fs::write(path, "192.0.2.2\n").expect("written");
    for name in [".hidden", "new.tmp", "new.part", "new.swp", "new~", "sub/.hidden"] {
        check(name, |feeds| write(feeds.join(name)), None);
    }
    check("beside", |feeds| write(feeds.join("../beside")), None);
    let mut open = None;
    check(
        "just made",
        |feeds| open = Some(fs::File::create(feeds.join("new")).expect("made")),
        None,
    );
}

#[tokio::test]
async fn a_directory_that_appears_late_is_noticed_at_every_step() {
    let parent = tempfile::tempdir().expect("a directory");
    let watcher =
        Watcher::new(&parent.path().join("a/feeds"), Unfinished::default()).expect("a watcher");
    let mut scene = Scene { parent, watcher };
    let far = scene.parent.path().join("a/feeds");
    let look = |scene: &mut Scene| {
        let found = if far.is_dir() { vec![PathBuf::new()] } else { Vec::new() };
        scene.watcher.rewatch(&tree(found)).expect("watched");
    };
    for step in [None, Some("a"), Some("a/feeds")] {
        if let Some(step) = step {
            fs::create_dir(scene.parent.path().join(step)).expect("made");
            assert_eq!(scene.notice().await, Notice::Replaced, "{step}");
        }
        look(&mut scene);
        while scene.is_noticed().await {
            look(&mut scene);
        }
    }
    fs::write(far.join("new"), "192.0.2.2\n").expect("written");
    assert_eq!(scene.notice().await, Notice::Changed);
}

#[tokio::test]
async fn a_swap_on_the_way_of_a_link_is_noticed_and_so_is_a_change_at_its_end() {
    use std::os::unix::fs::symlink;
    let parent = tempfile::tempdir().expect("a directory");
    let feeds = parent.path().join("feeds");
    for version in ["..v1", "..v2"] {
        fs::create_dir_all(feeds.join(version)).expect("made");
        fs::write(feeds.join(version).join("a"), "192.0.2.1\n").expect("written");
    }
    symlink("..v1", feeds.join("..data")).expect("a link");
    symlink("..data/a", feeds.join("a")).expect("a link");
    let watcher = Watcher::new(&feeds, Unfinished::default()).expect("a watcher");
    let mut scene = Scene { parent, watcher };
    let look = || scan(&feeds, &TreeLimits::default(), &Naming::PLAIN).expect("a scan");
    let quiet = async |scene: &mut Scene| {
        scene.watcher.rewatch(&look()).expect("watched");
        while scene.is_noticed().await {}
    };
    quiet(&mut scene).await;
    symlink("..v2", feeds.join("..data_tmp")).expect("a link");
    assert!(!scene.is_noticed().await, "nobody goes that way yet");
    fs::rename(feeds.join("..data_tmp"), feeds.join("..data")).expect("swapped");
    assert_eq!(scene.notice().await, Notice::Changed);
    quiet(&mut scene).await;
    fs::write(feeds.join("..v2/a"), "192.0.2.2\n").expect("written");
    assert_eq!(scene.notice().await, Notice::Changed);
    quiet(&mut scene).await;
    fs::write(feeds.join("..v1/a"), "192.0.2.3\n").expect("written");
    assert!(!scene.is_noticed().await, "nobody goes that way any more");
}

#[tokio::test]
async fn a_file_is_unfinished_from_the_first_write_until_it_is_closed() {
    use std::io::Write as _;
    let parent = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(parent.path().join("feeds")).expect("made");
    let unfinished = Unfinished::default();
    let watcher = Watcher::new(&parent.path().join("feeds"), unfinished.clone());
    let mut scene = Scene { parent, watcher: watcher.expect("a watcher") };
    scene.settle().await;
    let feed = super::name("new");
    let mut file = fs::File::create(scene.feeds().join("new")).expect("made");
    assert!(!scene.is_noticed().await, "only made");
    file.write_all(b"192.0.2.1\n").expect("written");
    assert_eq!(scene.notice().await, Notice::Changed);
    assert!(unfinished.has(&feed));
    drop(file);
    assert_eq!(scene.notice().await, Notice::Changed);
    assert!(!unfinished.has(&feed));
}

#[tokio::test]
async fn what_changed_before_it_was_watched_is_looked_at_again() {
    let parent = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(parent.path().join("feeds")).expect("made");
    let watcher =
        Watcher::new(&parent.path().join("feeds"), Unfinished::default()).expect("a watcher");
    let mut scene = Scene { parent, watcher };
    scene.settle().await;
    fs::create_dir(scene.feeds().join("sub")).expect("made");
    assert_eq!(scene.notice().await, Notice::Changed);
    fs::write(scene.feeds().join("sub/new"), "192.0.2.2\n").expect("written");
    assert!(!scene.is_noticed().await, "nobody watches there yet");
    scene.watcher.rewatch(&directories(&scene.feeds())).expect("watched");
    assert_eq!(scene.notice().await, Notice::Changed, "so look once more");
}

#[tokio::test]
async fn more_than_the_queue_holds_is_said_to_be_too_much() {
    let parent = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(parent.path().join("feeds")).expect("made");
    let watcher =
        Watcher::new(&parent.path().join("feeds"), Unfinished::default()).expect("a watcher");
    let mut scene = Scene { parent, watcher };
    scene.settle().await;
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit");
    let limit: usize = limit.trim().parse().expect("a number");
    assert!(limit <= 1 << 20, "this machine queues {limit} events, too many to overflow here");
    // Two names in turn, so that none is merged with the one before.
    for number in 0..=limit {
        fs::write(scene.feeds().join(["a", "b"][number % 2]), "").expect("written");
    }
    let mut worst = None;
    while worst != Some(Notice::Overflow) {
        worst = worst.max(Some(scene.notice().await));
    }
}

#[tokio::test]
async fn a_directory_moved_out_of_the_tree_is_no_longer_watched() {
    let parent = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(parent.path().join("feeds/sub")).expect("made");
    let watcher =
        Watcher::new(&parent.path().join("feeds"), Unfinished::default()).expect("a watcher");
    let mut scene = Scene { parent, watcher };
    scene.settle().await;
    let outside = scene.parent.path().join("outside");
    fs::rename(scene.feeds().join("sub"), &outside).expect("renamed");
    assert_eq!(scene.notice().await, Notice::Changed);
    scene.settle().await;
    fs::write(outside.join("new"), "192.0.2.2\n").expect("written");
    assert!(!scene.is_noticed().await);
}
