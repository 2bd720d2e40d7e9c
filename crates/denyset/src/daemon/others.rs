//! Hears on a thread of its own what others do to our rules, and tells the
//! loop and the kernel's thread that they should be looked at. Now and then it
//! also looks what carries packets past rules. What is to be done about any of
//! it is decided elsewhere.

use std::io;
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use keeper::Event;
use netfilter::RulesWatch;
use reconcile::{Bypass, SetPrefix};
use tokio::sync::mpsc;

use super::perform::{DeathBell, Finished};
use crate::effects::{Told, bypasses};

/// How often the thread looks whether the loop is still there, and for ways
/// around rules.
const GLANCE: Duration = Duration::from_secs(60);

/// After something was told, more of it is heard only after this: whoever
/// fights over our table must not keep us busy with nothing else.
const REST: Duration = Duration::from_millis(20);

/// After this it is tried again to listen.
const RETRY: Duration = Duration::from_secs(5);

/// Listens from now on. What is heard goes to `told` and `finish`.
///
/// # Errors
/// If the system has no thread for us.
pub(super) fn listen(
    prefix: SetPrefix,
    told: Told,
    finish: mpsc::Sender<Finished>,
) -> io::Result<()> {
    let mut watch = RulesWatch::open(&prefix).inspect_err(tell_deaf).ok();
    Builder::new().name("rules".to_owned()).spawn(move || {
        let bell = DeathBell::armed(&finish);
        let mut around = Around::default();
        // Once the loop has ended nobody needs to know.
        while !finish.is_closed() {
            let patience = around.patience();
            let changed = if let Some(watch) = &mut watch {
                watch.wait(patience)
            } else {
                sleep(RETRY);
                watch = RulesWatch::open(&prefix).ok();
                // What was done meanwhile nobody has told.
                Ok(watch.is_some())
            };
            if let Some(bypasses) = around.news() {
                let _ = finish.blocking_send(Finished::Bypasses(bypasses));
            }
            match changed {
                Ok(false) => {}
                Ok(true) => {
                    told.tell();
                    let _ = finish.blocking_send(Finished::Event(Event::RulesChanged));
                    sleep(REST);
                }
                Err(error) => {
                    tell_deaf(&error);
                    watch = None;
                }
            }
        }
        bell.disarm();
    })?;
    Ok(())
}

/// What carries packets past rules, by the last look.
#[derive(Default)]
struct Around {
    bypasses: Vec<Bypass>,
    /// When to look again; the first look is due at once.
    due: Option<Instant>,
}

impl Around {
    /// How long there is nothing to look for.
    fn patience(&self) -> Duration {
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()))
    }

    /// Looks if it is time to, and returns what is there if it is not what was
    /// there before.
    fn news(&mut self) -> Option<Vec<Bypass>> {
        if self.due.is_some_and(|due| Instant::now() < due) {
            return None;
        }
        self.due = Some(Instant::now() + GLANCE);
        let bypasses = bypasses();
        if bypasses == self.bypasses {
            return None;
        }
        for bypass in bypasses.iter().filter(|bypass| !self.bypasses.contains(bypass)) {
            tracing::debug!(reason = %bypass, "packets may go past rules: {bypass}");
        }
        self.bypasses = bypasses;
        Some(self.bypasses.clone())
    }
}

fn tell_deaf(error: &io::Error) {
    tracing::warn!(%error, "what others do to rules is noticed late, by probes only: {error}");
}
