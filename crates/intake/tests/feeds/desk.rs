//! A desk at which a test plays those who touch files: it sees every order and
//! gives the answers, in whatever order and as late as it likes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Format, Glob, Guard, Limits, List, Protection, Refusal, parse};
use intake::{
    Answer, Candidate, Fingerprint, GuardOverrides, Identity, Intake, ListRules, NotAcceptable,
    Now, Order, Peer, ReadOrder, Reading, Recalled, RecalledVersion, Rules, Scan, SourceReport,
    Ticket, Tickets, Version,
};

/// How long a deleted feed stays in force.
pub(crate) const WITHDRAW: Duration = Duration::from_secs(300);

/// An intake, its clocks, and the orders that nobody has answered yet.
pub(crate) struct Desk {
    pub(crate) intake: Intake,
    pub(crate) now: Now,
    pub(crate) orders: Vec<Order>,
    pub(crate) reports: Vec<SourceReport>,
    pub(crate) replies: Vec<(Ticket, Result<(), NotAcceptable>)>,
    /// What the feeds directory holds: versions by number.
    pub(crate) files: BTreeMap<FeedName, u64>,
    /// Who is connected whenever a feed is read.
    pub(crate) peers: Vec<Peer>,
    tickets: Tickets,
}

pub(crate) fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a name")
}

/// The text of a version: twenty addresses, of which the number decides.
fn text(version: u64) -> String {
    let mut text = String::new();
    for last in 1..=20 {
        writeln!(text, "192.0.{version}.{last}").expect("a string takes any text");
    }
    text
}

pub(crate) fn rules() -> Arc<Rules> {
    let list = List {
        name: "drop".to_owned(),
        feeds: vec![Glob::new("*").expect("a glob")],
        allow: Vec::new(),
        protect: Vec::new(),
    };
    Arc::new(Rules {
        lists: vec![ListRules {
            list: Arc::new(list),
            guard: GuardOverrides::default(),
            optional: false,
        }],
        withdraw: WITHDRAW,
        scan: Duration::from_secs(60),
        patience: Duration::from_secs(10),
        ..Rules::default()
    })
}

impl Desk {
    /// An intake that has just begun, with nothing answered.
    pub(crate) fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let now = Now { monotonic: Duration::from_secs(1), wall };
        let intake = Intake::new(rules(), Arc::new(Protection::default()), now);
        let mut desk = Self {
            intake,
            now,
            orders: Vec::new(),
            reports: Vec::new(),
            replies: Vec::new(),
            files: BTreeMap::new(),
            peers: Vec::new(),
            tickets: Tickets::default(),
        };
        desk.decide();
        desk
    }

    /// One whose state directory was empty, with these files read.
    pub(crate) fn with(files: &[(&str, u64)]) -> Self {
        let mut desk = Self::new();
        for &(name, version) in files {
            desk.files.insert(feed(name), version);
        }
        desk.settle();
        desk
    }

    /// Lets the intake decide and takes what it wants.
    pub(crate) fn decide(&mut self) {
        self.intake.decide(self.now);
        self.orders.extend(self.intake.take_orders());
        self.reports.extend(self.intake.take_reports());
        self.replies.extend(self.intake.take_replies());
    }

    /// Lets time go by on both clocks.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now.monotonic += Duration::from_secs(seconds);
        self.now.wall += Duration::from_secs(seconds);
        self.decide();
    }

    /// Something in the directory has changed.
    pub(crate) fn changed(&mut self) {
        self.intake.files_changed(self.now);
        self.decide();
    }

    /// Takes the first order that fits, for the test to answer.
    pub(crate) fn take(&mut self, fits: impl Fn(&Order) -> bool) -> Order {
        let place = self.orders.iter().position(fits).expect("there is such an order");
        self.orders.remove(place)
    }

    /// Whether such an order waits.
    pub(crate) fn waits(&self, fits: impl Fn(&Order) -> bool) -> bool {
        self.orders.iter().any(fits)
    }

    /// Answers every order as it should be, until none is left.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100 {
            if self.orders.is_empty() {
                return;
            }
            let order = self.orders.remove(0);
            self.answer(order);
        }
        panic!("orders without end");
    }

    /// Answers orders as they should be, until there is such a one.
    pub(crate) fn until(&mut self, fits: impl Fn(&Order) -> bool) {
        while !self.waits(&fits) {
            let order = self.orders.remove(0);
            self.answer(order);
        }
    }

    /// Answers orders until a copy is to be kept, which cannot be.
    pub(crate) fn keeps_nothing(&mut self) {
        self.until(is_keep);
        let Order::Keep(ticket, feed, _) = self.take(is_keep) else { panic!("a keeping") };
        self.tell(Answer::Kept { ticket, feed, result: Err(refusal(Guard::Kept)) });
    }

    /// Answers one order as it should be.
    pub(crate) fn answer(&mut self, order: Order) {
        let answer = match order {
            Order::Recall(ticket, ..) => Answer::Recalled(ticket, Ok(Recalled::default())),
            Order::Scan(ticket) => Answer::Scanned(ticket, Ok(self.scan())),
            Order::Read(ticket, order) => {
                self.intake.peers_are(self.peers.clone());
                self.reading(ticket, &order)
            }
            Order::Keep(ticket, feed, _) => Answer::Kept { ticket, feed, result: Ok(()) },
            Order::Discard(_)
            | Order::Forget(_)
            | Order::NoteGone(..)
            | Order::NoteRewritten(..) => return,
        };
        self.tell(answer);
    }

    pub(crate) fn tell(&mut self, answer: Answer) {
        self.intake.answered(answer, self.now);
        self.decide();
    }

    pub(crate) fn scan(&self) -> Scan {
        let feeds = self.files.iter().map(|(name, &version)| (name.clone(), print(name, version)));
        Scan { feeds: feeds.collect(), unreadable: Vec::new() }
    }

    /// What reading the file gives now.
    pub(crate) fn reading(&self, ticket: Ticket, order: &ReadOrder) -> Answer {
        let name = order.feed.clone();
        let Some(&version) = self.files.get(&name) else {
            let (fingerprint, written, reading) = (None, None, Reading::Vanished);
            return Answer::Read { ticket, feed: name, fingerprint, written, reading };
        };
        let id = Identity([version, 0, 0]);
        let reading = if order.known == Some(id) {
            Reading::Same(id)
        } else {
            // Version 0 is empty.
            let text = if version == 0 { String::new() } else { text(version) };
            let parsed = parse(text.as_bytes(), Format::Plain, &Limits::default());
            let refusals = order.judge(&parsed);
            let candidate = Ok(Candidate(version));
            Reading::New { feed: Box::new(parsed), id, candidate, refusals }
        };
        let fingerprint = Some(print(&name, version));
        Answer::Read { ticket, feed: name, fingerprint, written: Some(self.now.wall), reading }
    }

    /// What came of a person's word on a feed, once it is known.
    pub(crate) fn accept(&mut self, name: &str) -> Ticket {
        let ticket = self.tickets.draw();
        self.intake.accept(&feed(name), ticket, self.now);
        self.decide();
        ticket
    }

    pub(crate) fn reply(&self, ticket: Ticket) -> Option<Result<(), NotAcceptable>> {
        self.replies.iter().find(|(own, _)| *own == ticket).map(|(_, reply)| *reply)
    }

    /// The numbers of the versions in force.
    pub(crate) fn in_force(&self) -> Vec<(String, u64)> {
        let versions = self.intake.in_force();
        versions.map(|(name, version)| (name.to_string(), version.id.0[0])).collect()
    }

    pub(crate) fn expect(&self, want: &[(&str, u64)]) {
        let want: Vec<_> = want.iter().map(|&(name, id)| (name.to_owned(), id)).collect();
        assert_eq!(self.in_force(), want);
    }
}

/// A copy of a version, as the state directory gives it.
pub(crate) fn copy(version: u64, now: Now) -> RecalledVersion {
    let parsed = parse(text(version).as_bytes(), Format::Plain, &Limits::default());
    let version = Version::new(Identity([version, 0, 0]), parsed, now.wall, now.wall);
    RecalledVersion { version, gone: None }
}

/// Each feed is a file of its own, and each version changes it.
fn print(name: &FeedName, version: u64) -> Fingerprint {
    let inode = name.as_str().bytes().fold(1, |sum, byte| sum * 31 + u64::from(byte));
    Fingerprint([1, inode, version, version, version])
}

pub(crate) fn refusal(guard: Guard) -> Refusal {
    Refusal { guard, expected: "something".to_owned(), found: "something else".to_owned() }
}

pub(crate) fn is_read(order: &Order) -> bool {
    matches!(order, Order::Read(..))
}

pub(crate) fn is_keep(order: &Order) -> bool {
    matches!(order, Order::Keep(..))
}

pub(crate) fn is_scan(order: &Order) -> bool {
    matches!(order, Order::Scan(_))
}
