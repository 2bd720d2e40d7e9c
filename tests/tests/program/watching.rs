//! Whoever watches a host: figures for Prometheus, and documents, from the gateway
//! and from the verb.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use lab::daemon::{Daemon, PATIENCE};
use lab::gateway::Gateway;
use lab::host::{Config, Host};
use lab::http::HttpConnection;
use lab::namespace::isolated;
use lab::witness::{fed, succeed};
use rustix::process::Signal;
use serde_json::Value;

use crate::good;

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
    path.to_str().expect("a path").to_owned()
}

/// A host with a rule, a good feed and one that is refused.
fn host() -> Host {
    let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"";
    let host = Host::with(&Config { tables: tables.into(), ..Config::default() });
    host.feed("list.txt", good().feed());
    host.feed("a \"b\".txt", "45.9.8.1\n");
    host
}

/// What promtool finds wrong with a text.
fn check(text: &str) {
    let judged = fed("promtool", &["check", "metrics"], text.as_bytes());
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success() && said.is_empty(), "{said} in {text}");
}

/// What the parsers of `prometheus_client` of `PyPI` say of a text: that of
/// `OpenMetrics` is strict.
fn parse(text: &str, module: &str) {
    let program = format!(
        "import sys; from prometheus_client.{module} import text_string_to_metric_families as read\n\
         found = [sample for family in read(sys.stdin.read()) for sample in family.samples]\n\
         assert len(found) > 20, found"
    );
    // Debian's, which has the package.
    let judged = fed("/usr/bin/python3", &["-c", &program], text.as_bytes());
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success() && said.is_empty(), "{said} in {text}");
}

fn says(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
}

#[test]
fn the_figures_are_good_ones_and_say_what_is_so() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        host.feed("a \"b\".txt", "<html>\n");
        daemon.until("the feed is refused", |status| {
            status["feeds"].to_string().contains("\"state\":\"refused\"")
        });
        let gateway = Gateway::start(&host, "");
        let answer = |accept| gateway.get("/metrics", &[("Accept", accept)]);
        gateway.until("the daemon was asked", || {
            let text = answer("text/plain").body;
            text.contains("denyset_up 1") && text.contains("state=\"refused\"} 1")
        });
        let verb = host.denyset("metrics --format prometheus");
        verb.exits(0);
        let old = answer("text/plain");
        assert_eq!(old.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        for text in [&verb.stdout, &old.body] {
            check(text);
            parse(text, "parser");
            says(text, "denyset_up 1");
            says(text, "denyset_set_members{list=\"drop\",family=\"ipv4\"} 41");
            says(text, "denyset_rule_in_place{rule=\"drop\",family=\"ipv6\"} 1");
            says(text, "denyset_feed_state{feed=\"a \\\"b\\\".txt\",state=\"refused\"} 1");
            says(text, "denyset_dropped_packets_total{rule=\"drop\",family=\"ipv4\"} 0");
            says(text, "denyset_refusals_total{feed=\"a \\\"b\\\".txt\",guard=\"markup\"} 1");
            let count = "denyset_apply_duration_seconds_count ";
            let applies = text.lines().find_map(|line| line.strip_prefix(count)).expect("counted");
            says(text, &format!("denyset_apply_duration_seconds_bucket{{le=\"+Inf\"}} {applies}"));
            assert_ne!(applies, "0");
        }
        let new = answer("application/openmetrics-text; version=1.0.0");
        assert!(new.header("content-type").is_some_and(|kind| kind.contains("openmetrics")));
        assert!(new.body.ends_with("# EOF\n"), "{}", new.body);
        parse(&new.body, "openmetrics.parser");
        let verb = host.denyset("metrics");
        assert!(verb.exits(0).stdout.ends_with("# EOF\n"));
        parse(&verb.stdout, "openmetrics.parser");
        daemon.kill();
        gateway.until("the daemon is missed", || answer("").body.contains("denyset_up 0"));
        let text = answer("").body;
        assert!(!text.contains("in_sync"), "nobody knows: {text}");
        says(&text, "denyset_set_members{list=\"drop\",family=\"ipv4\"} 41");
        host.denyset("metrics").exits(2);
    });
}

#[test]
fn status_and_why_are_documents() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        let gateway = Gateway::start(&host, "");
        let document = |target: &str| -> Value {
            let answer = gateway.get(target, &[]);
            assert_eq!(answer.status, 200, "{answer:?}");
            serde_json::from_str(&answer.body).expect("JSON")
        };
        let is_known = || document("/status")["daemon"] == true && gateway.check("45.9.8.1") == 403;
        gateway.until("all is known", is_known);
        let status = document("/status");
        assert_eq!(status["status"]["in-sync"], true, "{status:#}");
        assert_eq!(status["lists"][0]["list"], "drop", "{status:#}");
        assert_eq!(status["lists"][0]["prefixes"], 41, "{status:#}");
        let why = document("/why?ip=45.9.8.2");
        assert_eq!((&why["verdict"], &why["kernel"]), (&"blocked".into(), &true.into()), "{why:#}");
        assert_eq!(gateway.get("/why", &[]).status, 400);
        assert_eq!(gateway.get("/why?ip=localhost", &[]).status, 400);
        // A daemon that hangs keeps only those waiting who ask it.
        daemon.signal(Signal::STOP);
        let mut waiting: Vec<_> = (0..8).map(|_| gateway.connect()).collect();
        for connection in &mut waiting {
            let sent = connection.send(b"GET /why?ip=45.9.8.2 HTTP/1.1\r\nHost: a\r\n\r\n");
            sent.expect("it is taken");
        }
        assert_eq!(gateway.check("45.9.8.1"), 403);
        assert_eq!(gateway.get("/metrics", &[]).status, 200);
        daemon.signal(Signal::CONT);
        let mut statuses: Vec<_> = waiting
            .iter_mut()
            .map(|connection| connection.receive().expect("an answer").status)
            .collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 503, 503, 503, 503]);
        daemon.kill();
        assert_eq!(gateway.get("/why?ip=45.9.8.2", &[]).status, 503);
        assert_eq!(document("/status")["status"]["generation"], status["status"]["generation"]);
    });
}

#[test]
fn people_get_a_page_that_needs_nothing_from_elsewhere() {
    isolated(|| {
        let host = host();
        let _daemon = Daemon::start(&host);
        let own = SocketAddr::from(([127, 0, 0, 1], 8089));
        let gateway = Gateway::start(&host, &format!("listen.tcp = [\"{own}\"]"));
        let page = || gateway.get("/?ip=45.9.8.1", &[]);
        gateway.until("the daemon was asked", || page().body.contains("In sync: the kernel"));
        let page = page();
        let policy = page.header("content-security-policy").expect("there is one");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; "), "{policy}");
        for word in ["45.9.8.1 is blocked", "list.txt:", "<td class=\"number\">41</td>"] {
            assert!(page.body.contains(word), "{word}: {}", page.body);
        }
        for word in ["<script", "http:", "https:", "//"] {
            assert!(!page.body.contains(word), "{word}: {}", page.body);
        }
        assert_eq!(
            gateway.get("/style.css", &[]).header("content-type"),
            Some("text/css; charset=utf-8")
        );
        // A name that somebody else gives to this address does not open it.
        let mut connection = HttpConnection::tcp(own).expect("it listens");
        connection.send(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n").expect("sent");
        assert_eq!(connection.receive().expect("an answer").status, 421);
        connection.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        assert_eq!(connection.receive().expect("an answer").status, 405);
    });
}

/// The expressions of the dashboard, of all hosts.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(shipped("grafana/denyset.json")).expect("it is shipped");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<_> = targets
        .map(|target| target["expr"].as_str().expect("a text").replace("$instance", ".*"))
        .collect();
    assert!(expressions.len() > 10, "{expressions:?}");
    expressions
}

/// A Prometheus that scrapes one place. Dropped, it is killed.
struct Prometheus(Child);

impl Prometheus {
    fn start(host: &Host, scraped: SocketAddr, own: SocketAddr) -> Self {
        let config = host.path("prometheus.yml");
        let rules = shipped("prometheus/alerts.yml");
        fs::write(&config, format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: [{rules:?}]\nscrape_configs:\n  - job_name: denyset\n    \
             static_configs: [{{targets: [\"{scraped}\"]}}]\n"
        )).expect("written");
        let options = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", host.path("tsdb").display()),
            format!("--web.listen-address={own}"),
        ];
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "prometheus"])
            .args(options)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("it can be started"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_prometheus_scrapes_it_and_its_alerts_are_what_they_should_be() {
    let rules = shipped("prometheus/alerts.yml");
    succeed("promtool", &["check", "rules", &rules]);
    succeed("promtool", &["test", "rules", &shipped("prometheus/alerts.test.yml")]);
    isolated(|| {
        let host = host();
        let _daemon = Daemon::start(&host);
        let [scraped, own] = [8089, 8090].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let gateway = Gateway::start(&host, &format!("listen.tcp = [\"{scraped}\"]"));
        let _prometheus = Prometheus::start(&host, scraped, own);
        let query = |expression: &str| -> Option<Value> {
            let encoded = expression.bytes().map(|byte| format!("%{byte:02x}"));
            let target = format!("/api/v1/query?query={}", encoded.collect::<Vec<_>>().concat());
            let answer = HttpConnection::tcp(own).ok()?.get(&target, &[]).ok()?;
            serde_json::from_str(&answer.body).ok()
        };
        let ask =
            |expression: &str| Some(query(expression)?["data"]["result"][0]["value"][1].clone());
        let deadline = Instant::now() + PATIENCE;
        for (expression, want) in [
            ("up", "1"),
            ("denyset_in_sync", "1"),
            ("denyset_set_members{family=\"ipv4\"}", "41"),
            ("sum(denyset_feed_state{state=\"current\"})", "2"),
            ("denyset_gateway_list_prefixes{family=\"ipv6\"}", "41"),
        ] {
            gateway.until(expression, || {
                assert!(Instant::now() < deadline, "{expression}: {:?}", ask(expression));
                ask(expression).is_some_and(|value| value == want)
            });
        }
        for expression in dashboard() {
            // Nobody is hit here, and no feed needs anybody.
            let may_be_empty = ["!=\"current\"", "hits_sampled", "refusals"]
                .iter()
                .any(|word| expression.contains(word));
            gateway.until(&expression, || {
                let found = query(&expression).expect("Prometheus answers");
                assert_eq!(found["status"], "success", "{expression}: {found}");
                let results = found["data"]["result"].as_array();
                may_be_empty || results.is_some_and(|results| !results.is_empty())
            });
        }
    });
}
