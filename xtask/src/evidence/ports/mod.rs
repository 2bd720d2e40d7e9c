//! Question A: a pool of 400 clients may reach four ports of a web server, and nobody
//! else. What do they notice of how that is done, alone and beside a flood?

mod junk;
pub(super) mod load;
mod profile;
pub(super) mod server;
mod sockets;
mod variants;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lab::generate::RandomNumbers;
use lab::volley::Volley;
use lab::wire::{FREE_V4, HERE_V4};

use self::load::{Heard, Plan, open_loop};
use self::profile::Profile;
use self::server::Server;
use self::sockets::Look;
use self::variants::{PORTS, VARIANTS, Variant};
use super::Task;
use super::dial::dial;
use super::record::{Finding, Ledger};
use super::site::Site;
use super::tool::{self, Trouble};

/// Requests a second, and bytes that each posts.
pub(super) const RATE: u32 = 750;
const BODY: usize = 4_096;
const CLIENTS: usize = 400;
/// Requests that can be under way at once: 600 ms of them.
const THREADS: usize = 450;

/// How long anything of a setting may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A stranger, who must not be let in.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 98, 7, 7));

/// What goes on while it is measured; the number stands where the number of addresses
/// stands elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) keep_alive: bool,
    /// Packets a second of a flood.
    pub(super) junk: u32,
}

impl Scene {
    pub(super) fn name(self) -> String {
        let how = if self.keep_alive { "keep-alive" } else { "a new connection each" };
        match self.junk {
            0 => how.to_owned(),
            junk => format!("{how}, beside {},000 packets a second of junk", junk / 1_000),
        }
    }

    /// What it is kept under: the pace of the flood, and 1 for keep-alive.
    pub(super) fn number(self) -> u64 {
        u64::from(self.junk) + u64::from(self.keep_alive)
    }

    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        [false, true]
            .into_iter()
            .flat_map(|keep_alive| [0, 40_000, 100_000].map(|junk| Self { keep_alive, junk }))
            .collect()
    }
}

/// What is measured, with its unit.
pub(super) const QUANTILES: [(&str, f64); 5] =
    [("p50-ms", 0.5), ("p95-ms", 0.95), ("p99-ms", 0.99), ("p99.9-ms", 0.999), ("max-ms", 1.0)];
pub(super) const ERRORS: &str = "errors";
pub(super) const TIMEOUTS: &str = "timeouts";
pub(super) const LATE: &str = "sent-late";
pub(super) const REQUEST_CPU: &str = "request-cpu-us";
pub(super) const JUNK_SENT: &str = "junk-sent-a-second";
pub(super) const JUNK_CPU: &str = "junk-cpu-ns";
pub(super) const SOCKETS: &str = "sockets-most";
pub(super) use self::sockets::in_use_after;
pub(super) const SHARE: &str = "netfilter-share-percent";
pub(super) const LARGEST: &str = "netfilter-largest";
pub(super) const STRANGERS: &str = "a-stranger";
pub(super) const SOFTIRQ: &str = "machine-softirq-percent";
pub(super) const SYSTEM: &str = "machine-system-percent";
pub(super) const USER: &str = "machine-user-percent";

/// One variant that stands.
struct Stand<'a> {
    variant: &'a Variant,
    site: Site,
    server: Server,
    junk: Volley,
}

/// Measures all variants that are asked for.
pub(super) fn run(task: &Task<'_>) -> Ledger {
    let mut ledger = Ledger::default();
    let clients = clients();
    let mut stands = Vec::new();
    for variant in VARIANTS.iter().filter(|variant| task.scope.wants(variant.name)) {
        println!("  {}", variant.name);
        match Stand::new(variant, &clients, &mut ledger) {
            Ok(stand) => stands.push(stand),
            Err(trouble) => note(&mut ledger, variant, &trouble),
        }
    }
    let time = Duration::from_secs(if task.quick { 1 } else { 2 });
    let scenes = Scene::all()
        .into_iter()
        .filter(|scene| !task.quick || !scene.keep_alive && scene.junk < 100_000);
    let scenes: Vec<_> = scenes.collect();
    for round in 0..task.rounds {
        println!("  round {}", round + 1);
        for &scene in &scenes {
            for at in 0..stands.len() {
                stands[(at + round) % stands.len()].measure(scene, time, &clients, &mut ledger);
            }
        }
    }
    for stand in &stands {
        // In a short look only what is plain to see.
        let profiled = |scene: &&Scene| {
            !scene.keep_alive && scene.junk < 100_000 && (scene.junk > 0 || !task.quick)
        };
        for &scene in scenes.iter().filter(profiled) {
            stand.profile(scene, &clients, &mut ledger);
        }
    }
    ledger
}

fn note(ledger: &mut Ledger, variant: &Variant, trouble: &Trouble) {
    println!("    {}", trouble.why());
    let finding = match trouble {
        Trouble::Missing(why) => Finding::NotRun(why.clone()),
        Trouble::Broken(why) => Finding::Broke(why.clone()),
    };
    ledger.put(variant.name, 0, QUANTILES[0].0, finding);
}

/// Some of `10.99.0.0/16`, in random order.
fn clients() -> Vec<Ipv4Addr> {
    let mut random = RandomNumbers::seeded(400);
    let mut clients = Vec::with_capacity(CLIENTS);
    while clients.len() < CLIENTS {
        let [.., third, fourth] = random.number().to_be_bytes();
        let client = Ipv4Addr::new(10, 99, third, fourth.clamp(1, 254));
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    clients
}

impl<'a> Stand<'a> {
    fn new(
        variant: &'a Variant,
        clients: &[Ipv4Addr],
        ledger: &mut Ledger,
    ) -> Result<Self, Trouble> {
        let site = Site::new()?;
        site.beyond(|| {
            tool::run("ip route add local 10.99.0.0/16 dev lo", LIMIT)?;
            tool::run("ip route add local 10.98.0.0/16 dev lo", LIMIT)
        })?;
        site.run(|| tool::run(&format!("ip route add 10.96.0.0/13 via {FREE_V4}"), LIMIT))?;
        site.run(|| (variant.put)(&site, clients))?;
        let server = site.run(|| Server::start(HERE_V4.into(), &PORTS));
        let server = server.map_err(|error| Trouble::Broken(format!("the server: {error}")))?;
        let mut random = RandomNumbers::seeded(7);
        let strangers: Vec<_> = (0..65_536).map(|_| random.ipv4()).collect();
        let junk = site.volley(&strangers);
        let to = server.addresses()[0];
        let got_in = site.beyond(|| dial(STRANGER, to, Duration::from_millis(300))).is_ok();
        let word = match (got_in, variant.blocks) {
            (false, true) => "kept out",
            (true, false) => "let in, as everybody",
            (true, true) => "LET IN",
            (false, false) => "KEPT OUT, with no filter",
        };
        ledger.put(variant.name, 0, STRANGERS, Finding::Seen(word.into()));
        Ok(Self { variant, site, server, junk })
    }

    fn plan(&self, scene: Scene, time: Duration, clients: &[Ipv4Addr]) -> Plan {
        Plan {
            rate: RATE,
            time,
            body: BODY,
            keep_alive: scene.keep_alive,
            clients: clients.to_vec(),
            servers: self.server.addresses().to_vec(),
            // With keep-alive each has a connection, opened with its first request.
            threads: if scene.keep_alive { 64 } else { THREADS },
            patience: Duration::from_secs(3),
        }
    }

    /// One round.
    fn measure(&self, scene: Scene, time: Duration, clients: &[Ipv4Addr], ledger: &mut Ledger) {
        let plan = self.plan(scene, time, clients);
        let (ticks, served) = (Ticks::now(), self.server.worked());
        let (heard, junk, sockets) = self.play(&plan, scene.junk);
        let served = self.server.worked().saturating_sub(served);
        let mut put = |metric: &str, figure: f64| {
            ledger.figure(self.variant.name, scene.number(), metric, figure);
        };
        for (metric, quantile) in QUANTILES {
            put(metric, milliseconds(heard.from_due.value_at_quantile(quantile)));
        }
        for (metric, count) in [
            (ERRORS, heard.errors),
            (TIMEOUTS, heard.timeouts),
            (LATE, heard.late),
            (SOCKETS, sockets.iter().map(|look| look.in_use + look.waiting).max().unwrap_or(0)),
        ] {
            put(metric, figure(count));
        }
        for look in &sockets {
            put(&in_use_after(look.after), figure(look.in_use));
        }
        let requests = figure(heard.from_due.len()).max(1.0);
        put(REQUEST_CPU, (served + heard.worked).as_secs_f64() * 1e6 / requests);
        if scene.junk > 0 {
            let (sent, worked) = junk;
            put(JUNK_SENT, figure(sent) / time.as_secs_f64());
            put(JUNK_CPU, worked.as_secs_f64() * 1e9 / figure(sent).max(1.0));
        }
        let [user, system, softirq] = ticks.since();
        put(USER, user);
        put(SYSTEM, system);
        put(SOFTIRQ, softirq);
    }

    /// Requests, the flood, and a look at the sockets now and then.
    fn play(&self, plan: &Plan, junk: u32) -> (Heard, (u64, Duration), Vec<Look>) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let flood = move |over: &AtomicBool| match junk {
                0 => (0, Duration::ZERO),
                rate => junk::send(&self.junk, rate, over),
            };
            let over = &over;
            let named = thread::Builder::new().name("ev-junk".into());
            let flood = named.spawn_scoped(scope, move || flood(over)).expect("a thread more");
            let looks = scope.spawn(move || self.site.run(|| sockets::watch(over)));
            let heard = self.site.beyond(|| open_loop(plan));
            over.store(true, Ordering::Relaxed);
            let flood = flood.join().unwrap_or_default();
            (heard, flood, looks.join().unwrap_or_default())
        })
    }

    /// The same for a profile, apart from the rounds: it costs time itself.
    fn profile(&self, scene: Scene, clients: &[Ipv4Addr], ledger: &mut Ledger) {
        let profile = Profile::start(&self.site.host().path("perf.data"), 2);
        let plan = self.plan(scene, Duration::from_secs(2), clients);
        self.play(&plan, scene.junk);
        let (name, number) = (self.variant.name, scene.number());
        match profile.finish() {
            Ok((share, largest)) => {
                ledger.figure(name, number, SHARE, share);
                ledger.put(name, number, LARGEST, Finding::Seen(largest));
            }
            Err(trouble) => ledger.put(name, number, SHARE, Finding::NotRun(trouble.why().into())),
        }
    }
}

/// The ticks of all processors by class, of proc(5)'s stat.
struct Ticks(Vec<f64>);

impl Ticks {
    fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        Self(line.split(' ').filter_map(|word| word.parse().ok()).take(8).collect())
    }

    /// How many percent of the time since were `user`, `system` and `softirq`.
    fn since(&self) -> [f64; 3] {
        let spent: Vec<_> =
            Self::now().0.iter().zip(&self.0).map(|(now, then)| now - then).collect();
        let all: f64 = spent.iter().sum::<f64>().max(1.0);
        [0, 2, 6].map(|class| spent.get(class).copied().unwrap_or_default() / all * 100.0)
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    figure(microseconds) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds are far below 2^52")]
fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_kept_apart_by_their_numbers() {
        let mut numbers: Vec<_> = Scene::all().into_iter().map(Scene::number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 40_000, 40_001, 100_000, 100_001]);
    }
}
