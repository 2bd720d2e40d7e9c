//! Hears on a thread of its own what others do to our rules, and tells the
//! loop and the kernel's thread that they should be looked at. What is to be
//! done about it is decided elsewhere.

use std::io;
use std::thread::{Builder, sleep};
use std::time::Duration;

use keeper::Event;
use netfilter::RulesWatch;
use reconcile::SetPrefix;
use tokio::sync::mpsc;

use super::perform::{DeathBell, Finished};
use crate::effects::Told;

/// How often the thread looks whether the loop is still there.
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
        // Once the loop has ended nobody needs to know.
        while !finish.is_closed() {
            let changed = if let Some(watch) = &mut watch {
                watch.wait(GLANCE)
            } else {
                sleep(RETRY);
                watch = RulesWatch::open(&prefix).ok();
                // What was done meanwhile nobody has told.
                Ok(watch.is_some())
            };
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

fn tell_deaf(error: &io::Error) {
    tracing::warn!(%error, "what others do to rules is noticed late, by probes only: {error}");
}
