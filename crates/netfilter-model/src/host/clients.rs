//! What people, programs and mischance do to the host while the daemon runs.

use std::time::Duration;

use blocklist::{Family, FeedName};

use super::chances::WatchChance;
use super::configuration::{FEEDS, LISTS, feed};
use super::text::text;
use super::{Host, Job, SimulatedDaemon};
use crate::sets::RawName;
use crate::simulation::RunOptions;
use crate::simulation::{live, put_fault_in_store, target};
use crate::{Hand, Random};

/// Of a hundred steps, how many put a fault in store for the kernel.
const FAULT_PERCENT: usize = 20;

impl Host {
    /// One step of the run: something happens, or what is waiting is done.
    pub(super) fn act(&mut self) {
        let options =
            RunOptions { foreign_hands: self.chances.foreign_hands, ..RunOptions::default() };
        if self.chances.kernel_faults && self.random.chance(FAULT_PERCENT) {
            put_fault_in_store(&mut self.random, &self.kernel, &options);
        }
        self.meddle_with_rules();
        match self.random.below(30) {
            0..4 => self.write(),
            4..7 if self.chances.absences => self.come_and_go(),
            7 => self.write_again(),
            8 | 9 if self.chances.reloads => self.reload(),
            10 if self.chances.slips && self.random.chance(30) => self.slip(),
            11 | 12 if self.chances.accepts => self.accept_something(),
            13 if self.chances.facts => self.change_facts(),
            14 if self.chances.clock => self.set_clock(),
            15 if self.chances.restarts => self.restart(),
            16 if self.chances.full_disks => {
                self.store.full = self.random.chance(40);
                self.store.unreachable = self.random.chance(20);
            }
            17 if self.chances.bad_reads => self.spoil_reads(),
            18 => self.refer(),
            19 if self.chances.foreign_hands => {
                let hand = self.random.pick(&Hand::ALL).clone();
                let name = target(&mut self.random, &self.kernel);
                self.kernel.machine().foreign(&hand, &name);
                let (said, held) = (self.said(), self.held());
                self.oracle.disturbed(said.held.keys(), &held);
            }
            20 => {
                self.tell(SimulatedDaemon::resync);
            }
            21..24 => {
                let most = *self.random.pick(&[1, 20, 60, 320]);
                self.pass_time(Duration::from_secs(most));
            }
            24 => drop(self.settle()),
            _ => {
                for _ in 0..self.random.below(8) {
                    self.perform_one();
                }
            }
        }
    }

    fn some_feed(&mut self) -> FeedName {
        feed(self.random.pick::<&str>(&FEEDS))
    }

    /// The feeds directory is not as it was: the watch may notice.
    fn touched(&mut self, name: &FeedName) {
        self.oracle.file(name, self.files.by_name.get(name), &self.clock);
        let notices = match self.chances.watch {
            WatchChance::Tells => true,
            WatchChance::Misses => self.random.chance(50),
            WatchChance::Dead => false,
        };
        let waiting = self.jobs.iter().any(|job| matches!(job, Job::Notice));
        if notices && !waiting {
            self.jobs.push(Job::Notice);
        }
    }

    fn write(&mut self) {
        let (name, number) = (self.some_feed(), self.number());
        let text = text(&mut self.random, number, self.chances.texts);
        self.oracle.texts.insert(number, text.clone());
        self.note(&format!("{name} is written: version {number}"));
        self.files.write(&name, text, self.clock.wall);
        self.touched(&name);
    }

    /// The same bytes again, or those of the last good copy.
    fn write_again(&mut self) {
        let name = self.some_feed();
        let copy = self.store.copies.get(&name).map(|copy| copy.text.clone());
        let file = self.files.by_name.get(&name).map(|file| file.text.clone());
        let Some(text) = (if self.random.chance(50) { copy } else { file }) else { return };
        self.note(&format!("{name} is written: version {} again", text.number));
        self.files.write(&name, text, self.clock.wall);
        self.touched(&name);
    }

    fn come_and_go(&mut self) {
        let name = self.some_feed();
        if self.random.chance(30) {
            let other = self.some_feed();
            self.note(&format!("{name} is renamed to {other}"));
            if name != other && self.files.by_name.contains_key(&name) {
                self.files.rename(&name, &other);
                self.oracle.renamed(&name);
            }
            self.touched(&other);
        } else {
            self.note(&format!("{name} is deleted"));
            self.files.delete(&name);
        }
        self.touched(&name);
    }

    /// Somebody edits the configuration and has it read again, perhaps before
    /// the last reading has come to its end.
    fn reload(&mut self) {
        let number = self.number();
        let kinds = self.chances.configurations;
        self.meant = self.meant.edited(&mut self.random, number, kinds);
        self.configuration = self.meant.clone();
        self.read_configuration();
    }

    /// The same with a slip.
    fn slip(&mut self) {
        let number = self.number();
        // How old a file is can be said while nobody sets the clock.
        self.configuration = if !self.chances.clock && self.random.chance(25) {
            self.meant.slipped_in_age(number, self.clock.wall)
        } else {
            self.meant.slipped(&mut self.random, number)
        };
        self.read_configuration();
    }

    /// SIGHUP.
    pub(super) fn read_configuration(&mut self) {
        let configuration = self.configuration.clone();
        self.note(&format!(
            "reload of configuration {}: {:?}, meant {:?}",
            configuration.number, configuration.lists, configuration.meant
        ));
        self.jobs.push(Job::Reload { accepted: false });
    }

    fn accept_something(&mut self) {
        let said = self.said();
        if !said.held.is_empty() && self.random.chance(20) {
            self.note("accept the losses");
            return self.tell(SimulatedDaemon::accept_losses);
        }
        let refused: Vec<_> = said.refused.into_keys().collect();
        let feed = if refused.is_empty() || self.random.chance(10) {
            self.some_feed()
        } else {
            self.random.pick(&refused).clone()
        };
        self.note(&format!("accept {feed}"));
        self.tell(|daemon, clock| daemon.accept(&feed, clock));
    }

    fn change_facts(&mut self) {
        self.facts = self.facts.changed(&mut self.random);
        self.note(&format!("the host has {:?}", self.facts.addresses));
        self.oracle.said(&self.facts);
        if !self.jobs.iter().any(|job| matches!(job, Job::FactsChanged)) {
            self.jobs.push(Job::FactsChanged);
        }
    }

    fn set_clock(&mut self) {
        let time = Duration::from_secs(*self.random.pick(&[100, 2_000, 7_200, 90_000]));
        let ahead = self.random.chance(50);
        self.note(&format!(
            "the clock is set {} by {time:?}",
            if ahead { "ahead" } else { "back" }
        ));
        if ahead {
            self.clock.ahead(time);
        } else {
            self.clock.back(time);
        }
        self.oracle.time(&self.clock, &self.files);
    }

    fn restart(&mut self) {
        if self.chances.losses {
            self.lose();
        }
        self.start();
    }

    /// Copies are lost while no daemon runs.
    fn lose(&mut self) {
        let held = self.held();
        let most = *self.random.pick(&[0, 30, 30, 100]);
        if most == 100 || self.random.chance(20) {
            self.note("what makes up the lists is lost");
            self.store.lists = None;
        }
        let damages = self.random.chance(30);
        self.store.errors_percent = if self.random.chance(20) { 50 } else { 0 };
        let names: Vec<_> = self.store.copies.keys().cloned().collect();
        for name in names {
            if !self.random.chance(most) {
                continue;
            }
            if damages {
                self.note(&format!("the copy of {name} is damaged"));
                if let Some(copy) = self.store.copies.get_mut(&name) {
                    copy.damaged = true;
                }
            } else if let Some(copy) = self.store.copies.remove(&name) {
                self.note(&format!("the copy of {name} is lost"));
                if self.configuration.uses(&name) {
                    self.copy_lost(&name, copy.text, &held);
                } else {
                    self.oracle.gone(&name);
                }
            }
        }
    }

    fn spoil_reads(&mut self) {
        match self.random.below(4) {
            0 => self.files.unreachable = self.random.chance(50),
            1 => {
                self.files.errors_percent = *self.random.pick(&[0, 30]);
            }
            2 => {
                let name = self.some_feed();
                let readable = self.random.chance(70);
                if self.files.change(&name, |file| file.readable = readable) {
                    self.note(&format!("{name} can be read: {readable}"));
                    self.touched(&name);
                }
            }
            _ => {
                let name = self.some_feed();
                if self.files.change(&name, |file| file.unstable = true) {
                    self.touched(&name);
                }
            }
        }
    }

    fn refer(&mut self) {
        let list = *self.random.pick(&LISTS);
        let drops = self.random.chance(30);
        let mut machine = self.kernel.machine();
        for family in Family::ALL {
            let name = RawName::from(&live(list, family));
            if drops {
                machine.drop_rules(&name);
            } else {
                machine.add_rule(&name);
            }
        }
    }
}

/// The sequence of choices of the run that is the `place`th of a seed. The
/// first of them is the seed's own, so that a single run can be had again.
pub(super) fn seed_of(seed: u64, place: u64) -> u64 {
    if place == 0 {
        seed
    } else {
        Random::new(seed ^ place.rotate_left(32)).number() % 1_000_000_000
    }
}
