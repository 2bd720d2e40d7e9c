//! Follows the folder of lists: what is new in it is known to everybody as soon
//! as it was read. It waits for what the kernel tells of the folder, and looks
//! every so often in any case: the folder can be replaced, and events be lost.
//! What is read, and what becomes of it, it does not know.

use std::path::PathBuf;
use std::sync::Arc;

use feedfiles::{Notice, Tree, Unfinished, WatchError, Watcher};
use tokio::sync::watch;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use super::limits::LOOK;
use super::lists::{Folder, Knowledge};

/// Looks through the folder at this path whenever there may be anything new in it.
/// Has to be called inside a tokio runtime.
///
/// # Errors
/// If looking has ended in a panic. Nobody would follow then.
pub(crate) async fn follow(
    mut folder: Folder,
    path: PathBuf,
    known: watch::Sender<Arc<Knowledge>>,
) -> Result<(), JoinError> {
    let mut watcher = Watcher::new(&path, Unfinished::default());
    if let Err(error) = &watcher {
        tracing::warn!(%error, "changes are noticed late: {error}");
    }
    loop {
        let looked = spawn_blocking(move || {
            let news = folder.look();
            (folder, news)
        });
        let news;
        (folder, news) = looked.await?;
        if let Some(news) = news {
            tell_of(&known.borrow(), &news);
            let before = known.send_replace(Arc::new(news));
            // To give up much memory takes as long as a request.
            spawn_blocking(move || drop(before));
        }
        if wait(&mut watcher).await.is_err() {
            watcher = Watcher::new(&path, Unfinished::default());
        }
    }
}

/// Waits until there may be anything new.
async fn wait(watcher: &mut Result<Watcher, WatchError>) -> Result<(), WatchError> {
    let Ok(watcher) = watcher else {
        tokio::time::sleep(LOOK).await;
        return Ok(());
    };
    // What cannot be watched is looked at all the same.
    let tree = Tree { directories: vec![PathBuf::new()], ..Tree::default() };
    if let Err(error) = watcher.rewatch(&tree) {
        tracing::debug!(%error, "changes are noticed late: {error}");
    }
    match timeout(LOOK, watcher.next()).await {
        Ok(Ok(Notice::Changed | Notice::Overflow | Notice::Replaced)) | Err(_) => Ok(()),
        Ok(Err(error)) => Err(error),
    }
}

/// Says what is new, in the log.
pub(crate) fn tell_of(before: &Knowledge, now: &Knowledge) {
    for trouble in now.troubles.iter().filter(|trouble| !before.troubles.contains(trouble)) {
        tracing::warn!("the last good version stays in force: {trouble}");
    }
    if now.troubles.is_empty() && !before.troubles.is_empty() {
        tracing::info!("all files of lists are good again");
    }
    let names = |known: &Knowledge| known.lists.iter().map(|list| list.name.clone()).collect();
    let (old, new): (Vec<_>, Vec<_>) = (names(before), names(now));
    if old != new {
        tracing::info!(lists = new.len(), "lists that are answered from: {}", new.join(", "));
    }
}
