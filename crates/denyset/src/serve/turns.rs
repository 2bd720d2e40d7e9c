//! Whose question is answered next: one at a time, for an answer may read a
//! feed of a million lines. Each user has one question in the line, so that a
//! hundred of one user are one to all others, and all but root and the daemon's
//! own user together get a share of the time of one core.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::limits::{QUESTION_SHARE, SHARED_PLACES};
use super::places::Rank;

/// The line of questions. As long as there are places for clients.
#[derive(Debug)]
pub(super) struct Turns {
    one: Arc<Semaphore>,
    users: Mutex<BTreeMap<u32, Arc<Semaphore>>>,
    /// Before this the others may not ask again.
    others: Arc<AsyncMutex<Instant>>,
}

/// The right to be answered. Has to be held until the answer is there, also if
/// nobody waits for that any more.
#[derive(Debug)]
pub(super) struct Turn {
    begun: Instant,
    pause: Option<OwnedMutexGuard<Instant>>,
    _user: Option<OwnedSemaphorePermit>,
    _one: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            one: Arc::new(Semaphore::new(1)),
            users: Mutex::default(),
            others: Arc::new(AsyncMutex::new(Instant::now())),
        }
    }

    /// Waits for a turn. Giving up loses the place in the line and nothing else.
    pub(super) async fn wait(&self, uid: u32, rank: Rank) -> Turn {
        let (mut user, mut pause) = (None, None);
        if rank == Rank::Other {
            user = Some(permit(self.line_of(uid)).await);
            let others = self.others.clone().lock_owned().await;
            sleep_until(*others).await;
            pause = Some(others);
        }
        let one = permit(self.one.clone()).await;
        Turn { begun: Instant::now(), pause, _user: user, _one: one }
    }

    fn line_of(&self, uid: u32) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() > SHARED_PLACES {
            users.retain(|_, line| Arc::strong_count(line) > 1);
        }
        users.entry(uid).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(pause) = &mut self.pause {
            let now = Instant::now();
            **pause = now + now.duration_since(self.begun) * (QUESTION_SHARE - 1);
        }
    }
}

async fn permit(line: Arc<Semaphore>) -> OwnedSemaphorePermit {
    line.acquire_owned().await.expect("nobody closes the line")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    async fn waits(turns: &Turns, uid: u32, rank: Rank) -> bool {
        timeout(SOON, turns.wait(uid, rank)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn questions_are_answered_one_at_a_time() {
        let turns = Turns::new();
        let first = turns.wait(0, Rank::Owner).await;
        assert!(waits(&turns, 0, Rank::Owner).await);
        assert!(waits(&turns, 1000, Rank::Other).await);
        drop(first);
        assert!(!waits(&turns, 0, Rank::Owner).await);
        assert!(!waits(&turns, 1000, Rank::Other).await);
    }

    #[tokio::test(start_paused = true)]
    async fn others_pause_after_an_answer_and_root_does_not() {
        let turns = Turns::new();
        let turn = turns.wait(1000, Rank::Other).await;
        advance(Duration::from_millis(100)).await;
        drop(turn);
        assert!(waits(&turns, 1000, Rank::Other).await);
        assert!(waits(&turns, 1001, Rank::Other).await);
        assert!(!waits(&turns, 0, Rank::Owner).await);
        advance(Duration::from_millis(100) * (QUESTION_SHARE - 1)).await;
        assert!(!waits(&turns, 1001, Rank::Other).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_questions_of_one_user_are_one_to_another() {
        let turns = Arc::new(Turns::new());
        let first = turns.wait(0, Rank::Owner).await;
        let crowd: Vec<_> = (0..100)
            .map(|_| {
                let turns = turns.clone();
                tokio::spawn(async move {
                    let turn = turns.wait(1000, Rank::Other).await;
                    advance(Duration::from_millis(10)).await;
                    drop(turn);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(first);
        let begun = Instant::now();
        drop(turns.wait(1001, Rank::Other).await);
        let one = Duration::from_millis(10) * QUESTION_SHARE;
        assert!(begun.elapsed() <= one * 2, "{:?}", begun.elapsed());
        for one in crowd {
            one.abort();
        }
    }
}
