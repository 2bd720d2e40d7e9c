//! The timer of the loop, for whatever is due first. Timers of the runtime are
//! kept in a wheel with a slot a millisecond near by and coarser ones beyond: one
//! that is a second away wakes the process up two or three times. A timer of the
//! kernel's does it once, and a daemon at rest has little else to do.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep_until;

/// A timer of the kernel's (`timerfd_create(2)`).
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    /// What it is set to; `None` if that has passed.
    set: Option<Instant>,
}

impl Alarm {
    /// Makes one. Has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = registered(timerfd_create(TimerfdClockId::Monotonic, flags)?)?;
        Ok(Self { timer, set: None })
    }

    /// Waits until a moment; for ever, if there is none. May be dropped while it
    /// waits and called again, for another moment too. Where the kernel's timer
    /// fails, the runtime's does the same with more wake-ups.
    pub(super) async fn ring(&mut self, moment: Option<Instant>) {
        let Some(moment) = moment else { return pending().await };
        while let Some(left) = left(moment) {
            if self.pass(moment, left).await.is_err() {
                return sleep_until(moment.into()).await;
            }
        }
    }

    /// Waits until the timer has passed, or it turns out that what it told was of
    /// the moment before.
    async fn pass(&mut self, moment: Instant, left: Duration) -> io::Result<()> {
        if self.set != Some(moment) {
            self.set_to(moment, left)?;
        }
        let mut ready = self.timer.readable().await?;
        let read = rustix::io::read(ready.get_inner(), &mut [0; 8]);
        // It passes once, and then not before it is set again.
        ready.clear_ready();
        match read {
            Ok(_) => self.set = None,
            Err(Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn set_to(&mut self, moment: Instant, left: Duration) -> io::Result<()> {
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec::try_from(left).map_err(io::Error::other)?,
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &value)?;
        self.set = Some(moment);
        Ok(())
    }
}

#[expect(unsafe_code, reason = "the runtime cannot know that what it polls stays open")]
fn registered(timer: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: it is owned, and so open until `AsyncFd` drops it, which polls it no more by then.
    Ok(unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?)
}

/// How long it is until a moment; `None` if that is now or was before.
fn left(moment: Instant) -> Option<Duration> {
    moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const NEVER: Duration = Duration::from_secs(3600);
    const PATIENCE: Duration = Duration::from_secs(60);

    fn alarm() -> Alarm {
        Alarm::new().expect("a timer")
    }

    /// Waits for a moment to come, by the kernel's timer and not the runtime's.
    async fn rings(alarm: &mut Alarm, moment: Instant) {
        timeout(PATIENCE, alarm.ring(Some(moment))).await.expect("it rings");
        assert!(Instant::now() >= moment, "it rang before its time");
        assert_eq!(alarm.set, None, "the kernel's timer has passed");
    }

    /// Waits for a moment for a while, and then no longer.
    async fn is_set(alarm: &mut Alarm, moment: Instant, time: Duration) {
        assert!(timeout(time, alarm.ring(Some(moment))).await.is_err());
        assert_eq!(alarm.set, Some(moment));
    }

    #[tokio::test]
    async fn it_rings_at_the_moment_and_never_before() {
        let mut alarm = alarm();
        rings(&mut alarm, Instant::now()).await;
        rings(&mut alarm, Instant::now() + SOON).await;
        rings(&mut alarm, Instant::now() + SOON).await;
    }

    #[tokio::test]
    async fn the_moment_asked_for_last_is_the_one_that_counts() {
        let (mut alarm, late) = (alarm(), Instant::now() + NEVER);
        is_set(&mut alarm, late, SOON).await;
        rings(&mut alarm, Instant::now() + SOON).await;
        is_set(&mut alarm, late, SOON).await;
    }

    #[tokio::test]
    async fn a_moment_that_passed_while_nobody_waited_does_not_ring_for_the_next() {
        let (mut alarm, soon) = (alarm(), Instant::now() + SOON);
        is_set(&mut alarm, soon, Duration::ZERO).await;
        sleep_until((soon + SOON).into()).await;
        rings(&mut alarm, Instant::now() + SOON).await;
        assert!(timeout(SOON, alarm.ring(None)).await.is_err());
    }
}
