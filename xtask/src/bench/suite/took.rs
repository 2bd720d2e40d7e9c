//! What something takes: by the clock on the wall, and of the processor.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::measure::tool::Effort;

/// Time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::bench) struct Took {
    /// From begin to end.
    pub(in crate::bench) wall: Duration,
    /// What all threads of the program worked meanwhile.
    pub(in crate::bench) cpu: Duration,
}

impl Took {
    /// What `work` takes. The processor's time is of use where no other work is going on in
    /// this program.
    pub(in crate::bench) fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let (begun, worked) = (Instant::now(), processor_time());
        let done = std::hint::black_box(work());
        let cpu = processor_time().saturating_sub(worked);
        (done, Self { wall: begun.elapsed(), cpu })
    }

    /// This, and then that.
    #[must_use]
    pub(in crate::bench) fn and(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

impl From<Effort> for Took {
    fn from(effort: Effort) -> Self {
        Self { wall: effort.wall, cpu: effort.cpu }
    }
}

/// In milliseconds.
pub(in crate::bench) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("it is not negative")
}
