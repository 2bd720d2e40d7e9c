//! The seats for connections: only so many, and who comes when all are taken
//! gets that of the one that has been idle for the longest time. So a client that
//! holds connections and asks nothing keeps nobody out. Some seats are for those who
//! come by TCP, as everybody on this host can, and all others for web servers that
//! come by the Unix socket: neither takes those of the other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::AbortHandle;

use super::answer::Way;
use crate::limits::TCP_PART;

/// All seats.
#[derive(Debug)]
pub(crate) struct Seats {
    max: usize,
    /// From which the moments are counted.
    begun: Instant,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by: HashMap<u64, Guest>,
}

/// One connection.
#[derive(Debug)]
struct Guest {
    way: Way,
    activity: Arc<Activity>,
    /// `None` until it has begun.
    abort: Option<AbortHandle>,
}

/// What a connection is doing.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// A request is being answered.
    busy: AtomicBool,
    /// When that was last begun or done, in milliseconds.
    last_ms: AtomicU64,
}

/// A seat that is free again when this goes.
#[derive(Debug)]
pub(super) struct ConnectionSeat {
    seats: Arc<Seats>,
    number: u64,
    pub(super) activity: Arc<Activity>,
}

impl Seats {
    /// So many.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, begun: Instant::now(), taken: Mutex::default() }
    }

    /// A seat for who comes so, if there is one: free, or held by somebody idle, who
    /// goes.
    pub(super) fn take(self: &Arc<Self>, way: Way) -> Option<ConnectionSeat> {
        let mut taken = self.taken();
        if taken.by.len() >= self.max {
            let by_tcp = taken.by.values().filter(|guest| guest.way == Way::Tcp).count();
            let share = (self.max / TCP_PART).max(1);
            let goes = match way {
                Way::Unix if by_tcp > share => Way::Tcp,
                Way::Tcp if by_tcp < share => Way::Unix,
                same => same,
            };
            let number = taken.longest_idle(goes)?;
            let guest = taken.by.remove(&number)?;
            guest.abort?.abort();
        }
        let number = taken.next;
        taken.next += 1;
        let activity = Arc::new(Activity::default());
        activity.last_ms.store(self.now_ms(), Ordering::Relaxed);
        taken.by.insert(number, Guest { way, activity: activity.clone(), abort: None });
        Some(ConnectionSeat { seats: self.clone(), number, activity })
    }

    /// How many are taken.
    pub(crate) fn count(&self) -> usize {
        self.taken().by.len()
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Taken {
    /// Who of those that came so has been idle for the longest time.
    fn longest_idle(&self, way: Way) -> Option<u64> {
        let idle = self.by.iter().filter(|(_, guest)| {
            let is_busy = guest.activity.busy.load(Ordering::Relaxed);
            guest.way == way && guest.abort.is_some() && !is_busy
        });
        let longest = idle.min_by_key(|(number, guest)| {
            (guest.activity.last_ms.load(Ordering::Relaxed), **number)
        });
        longest.map(|(number, _)| *number)
    }
}

impl ConnectionSeat {
    /// From now on the connection can be ended so.
    pub(super) fn began(seats: &Seats, number: u64, abort: AbortHandle) {
        if let Some(guest) = seats.taken().by.get_mut(&number) {
            guest.abort = Some(abort);
        }
    }

    /// Which one it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// A request has come.
    pub(super) fn begin(&self) {
        self.activity.busy.store(true, Ordering::Relaxed);
    }

    /// It is answered.
    pub(super) fn end(&self) {
        self.activity.last_ms.store(self.seats.now_ms(), Ordering::Relaxed);
        self.activity.busy.store(false, Ordering::Relaxed);
    }
}

impl Drop for ConnectionSeat {
    fn drop(&mut self) {
        self.seats.taken().by.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guests that came so, busy or not, and who of them goes for a newcomer.
    async fn check(guests: &[(Way, bool)], newcomer: Way, want: Option<u64>) {
        let seats = Arc::new(Seats::new(guests.len()));
        let mut held = Vec::new();
        for (way, busy) in guests {
            let seat = seats.take(*way).expect("it is free");
            let task = tokio::spawn(std::future::pending::<()>());
            ConnectionSeat::began(&seats, seat.number(), task.abort_handle());
            seat.end();
            if *busy {
                seat.begin();
            }
            held.push((seat, task));
        }
        let newcomer = seats.take(newcomer);
        assert_eq!(newcomer.is_some(), want.is_some(), "{guests:?}");
        for (seat, task) in held {
            if want == Some(seat.number()) {
                assert!(task.await.expect_err("it was ended").is_cancelled());
            } else {
                assert!(!task.is_finished(), "{guests:?}");
                task.abort();
            }
        }
        assert_eq!(seats.count(), usize::from(newcomer.is_some()));
    }

    #[test]
    fn who_comes_late_gets_the_place_of_the_longest_idle() {
        use Way::{Tcp, Unix};
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            check(&[(Unix, false), (Unix, false)], Unix, Some(0)).await;
            check(&[(Unix, true), (Unix, false), (Unix, false)], Unix, Some(1)).await;
            check(&[(Unix, true), (Unix, true)], Unix, None).await;
            // One of these is for who comes by TCP.
            check(&[(Unix, false), (Tcp, false), (Tcp, false)], Unix, Some(1)).await;
            check(&[(Unix, false), (Tcp, false), (Unix, false)], Unix, Some(0)).await;
            check(&[(Unix, false), (Tcp, false), (Unix, false)], Tcp, Some(1)).await;
            check(&[(Unix, true), (Unix, false), (Unix, false)], Tcp, Some(1)).await;
            check(&[(Unix, false), (Tcp, true), (Unix, false)], Tcp, None).await;
        });
    }
}
