//! Chromium without a window, told what to do over a pair of pipes (`DevTools`
//! protocol, `--remote-debugging-pipe`: JSON documents that end with a NUL). It
//! knows pages, and nothing of what is on ours.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lab::witness::succeed;
use serde_json::{Value, json};

use crate::Failure;

/// Comes to an end when the page and its style sheet are there.
const LOADED: &str = "new Promise(done => document.readyState === 'complete' ? done(0) : \
    addEventListener('load', () => done(0)))";

/// What has to have a name to be of use to those who cannot see it (the roles of
/// WAI-ARIA, and images as Chromium calls them).
const NAMED: [&str; 10] =
    ["button", "textbox", "searchbox", "link", "image", "img", "meter", "group", "table", "region"];
/// A page of ours has more than that.
const NODES_MIN: usize = 100;

/// A browser with one page open. Dropped, it is ended.
pub(super) struct Browser {
    child: Child,
    orders: File,
    answers: BufReader<File>,
    session: String,
    number: u64,
    /// What the page has complained about.
    pub(super) complaints: Vec<String>,
}

impl Browser {
    /// Starts it, with what it leaves behind in this directory.
    pub(super) fn start(place: &Path) -> Result<Self, Failure> {
        let [orders, answers] = ["orders", "answers"].map(|name| place.join(name));
        succeed("mkfifo", &[&orders, &answers]);
        // It takes its orders from the third descriptor and answers on the fourth.
        let child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<"$ORDERS" 4>"$ANSWERS""#, "chromium"])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .args(["--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", place.join("profile").display()))
            .envs([("ORDERS", &orders), ("ANSWERS", &answers)])
            .env("HOME", place)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let orders = File::options().write(true).open(orders)?;
        let answers = BufReader::new(File::open(answers)?);
        let session = String::new();
        let mut browser =
            Self { child, orders, answers, session, number: 0, complaints: Vec::new() };
        let page = browser.order("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.order("Target.attachToTarget", &attach)?;
        attached["sessionId"]
            .as_str()
            .ok_or("a session has a name")?
            .clone_into(&mut browser.session);
        for domain in ["Page", "Log", "Runtime", "Accessibility"] {
            browser.order(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(browser)
    }

    /// Opens a page, so wide, in these colours.
    pub(super) fn open(&mut self, url: &str, width: u32, colours: &str) -> Result<(), Failure> {
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.order("Emulation.setEmulatedMedia", &json!({"features": features}))?;
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.order("Emulation.setDeviceMetricsOverride", &metrics)?;
        self.order("Page.navigate", &json!({"url": url}))?;
        self.evaluate(LOADED)?;
        Ok(())
    }

    /// The value of an expression in the page.
    pub(super) fn evaluate(&mut self, expression: &str) -> Result<Value, Failure> {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.order("Runtime.evaluate", &asked)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(format!("the page throws {details}").into()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// What Chromium tells those who cannot see: what can be used and has no name.
    pub(super) fn nameless(&mut self) -> Result<Vec<String>, Failure> {
        let tree = self.order("Accessibility.getFullAXTree", &json!({}))?;
        let nodes = tree["nodes"].as_array().ok_or("a page has a tree")?;
        let nameless = nodes.iter().filter(|node| {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let name = node["name"]["value"].as_str().unwrap_or_default();
            node["ignored"] == false && NAMED.contains(&role) && name.is_empty()
        });
        let nameless = nameless.map(|node| format!("it has no name: {}", node["role"]["value"]));
        if nodes.len() < NODES_MIN {
            return Err(format!("the page has {} nodes: it is not ours", nodes.len()).into());
        }
        Ok(nameless.collect())
    }

    /// Keeps what the whole page looks like as a PNG.
    pub(super) fn picture(&mut self, file: &Path) -> Result<(), Failure> {
        let asked = json!({"format": "png", "captureBeyondViewport": true});
        let answer = self.order("Page.captureScreenshot", &asked)?;
        let data = answer["data"].as_str().ok_or("a picture has data")?;
        Ok(fs::write(file, decoded(data))?)
    }

    fn order(&mut self, method: &str, parameters: &Value) -> Result<Value, Failure> {
        self.number += 1;
        let mut order = json!({"id": self.number, "method": method, "params": parameters});
        if !self.session.is_empty() {
            order["sessionId"] = self.session.as_str().into();
        }
        self.orders.write_all(format!("{order}\0").as_bytes())?;
        loop {
            let mut answer = self.next()?;
            if answer["id"] == self.number {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }

    /// The next document. What the page complains about is kept.
    fn next(&mut self) -> Result<Value, Failure> {
        let mut bytes = Vec::new();
        self.answers.read_until(0, &mut bytes)?;
        if bytes.pop() != Some(0) {
            return Err("Chromium has ended".into());
        }
        let document: Value = serde_json::from_slice(&bytes)?;
        let (method, told) = (document["method"].as_str().unwrap_or_default(), &document["params"]);
        let is_bad = match method {
            "Log.entryAdded" => told["entry"]["level"] == "error",
            "Runtime.consoleAPICalled" => told["type"] == "error" || told["type"] == "warning",
            "Runtime.exceptionThrown" => true,
            _ => false,
        };
        if is_bad {
            self.complaints.push(told.to_string());
        }
        Ok(document)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of Base 64 (RFC 4648).
fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for six in text.bytes().filter_map(value) {
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn base_64_is_that_of_the_rfc() {
        for (text, want) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(decoded(text), want.as_bytes());
        }
    }
}
