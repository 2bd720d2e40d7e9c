//! What goes over the control socket: the requests, the shape of a reply, and
//! which requests only read. No input or output here.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::Exit;

/// What a client asks for: `{"verb": "why", "address": "192.0.2.1"}`. Unknown
/// verbs and unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
// The braces of the variants without a field are what makes serde refuse
// unknown fields there too.
pub enum ClientRequest {
    /// What the daemon holds.
    Status {},
    /// Whether, why and by whom an address is blocked.
    Why(Question),
    /// What was hit.
    Hits {
        /// Of this rule only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// Of the feed of this name only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        feed: Option<String>,
        /// So many addresses and prefixes.
        top: u16,
    },
    /// What the feeds of each list have in common.
    Overlap {},
    /// Read the configuration and all feeds again.
    Reload {
        /// After so many seconds the configuration of before returns, unless
        /// somebody confirms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirm: Option<u32>,
    },
    /// Keep what waits to be confirmed.
    Confirm {},
    /// Observe the kernel again.
    Resync {},
    /// Read all feeds, observe the kernel, and do what is to be done.
    Apply {},
    /// Let one refused change of a feed through.
    Accept {
        /// The name of the feed.
        feed: String,
    },
    /// Let lists lose once what state or configuration do not account for.
    AcceptConfig {},
    /// Remove everything that is ours from the kernel.
    Teardown {},
}

/// What is asked of an address, and of which packets with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Question {
    /// The address, in the usual text form.
    pub address: IpAddr,
    /// To this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Of this protocol; of TCP if a port is given and this is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proto: Option<Proto>,
    /// That come by this interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_interface: Option<String>,
}

/// A protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proto {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl From<IpAddr> for Question {
    fn from(address: IpAddr) -> Self {
        Self { address, port: None, proto: None, in_interface: None }
    }
}

/// What a request comes to. What only reads is for everybody who can open the
/// socket and is answered from the snapshot; what changes something is for
/// root and for the daemon's own user, and goes through the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To know what the daemon holds.
    Status,
    /// To know what is known of an address.
    Why(Question),
    /// To know what was hit: of this rule only, of this feed only, and how many
    /// addresses and prefixes.
    Hits(Option<String>, Option<String>, u16),
    /// To know what the feeds of each list have in common.
    Overlap,
    /// That something changes.
    Change(Change),
}

/// What the loop is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Read the configuration and all feeds again.
    Reload {
        /// After so many seconds the configuration of before returns, unless
        /// somebody confirms.
        confirm: Option<u32>,
    },
    /// Keep what waits to be confirmed.
    Confirm,
    /// Observe the kernel again.
    Resync,
    /// Read all feeds, observe the kernel, and do what is to be done.
    Apply,
    /// Let one refused change of the feed of this name through.
    Accept(String),
    /// Let lists lose once what state or configuration do not account for.
    AcceptConfig,
    /// Remove everything that is ours from the kernel.
    Teardown,
}

impl ClientRequest {
    /// The verb as the command line knows it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Status {} => "status",
            Self::Why(_) => "why",
            Self::Hits { .. } => "hits",
            Self::Overlap {} => "overlap",
            Self::Reload { .. } => "reload",
            Self::Confirm {} => "confirm",
            Self::Resync {} => "resync",
            Self::Apply {} => "apply",
            Self::Accept { .. } | Self::AcceptConfig {} => "accept",
            Self::Teardown {} => "teardown",
        }
    }

    /// What it comes to.
    pub(super) fn wish(self) -> Wish {
        match self {
            Self::Status {} => Wish::Status,
            Self::Why(question) => Wish::Why(question),
            Self::Hits { rule, feed, top } => Wish::Hits(rule, feed, top),
            Self::Overlap {} => Wish::Overlap,
            Self::Reload { confirm } => Wish::Change(Change::Reload { confirm }),
            Self::Confirm {} => Wish::Change(Change::Confirm),
            Self::Resync {} => Wish::Change(Change::Resync),
            Self::Apply {} => Wish::Change(Change::Apply),
            Self::Accept { feed } => Wish::Change(Change::Accept(feed)),
            Self::AcceptConfig {} => Wish::Change(Change::AcceptConfig),
            Self::Teardown {} => Wish::Change(Change::Teardown),
        }
    }
}

/// The answer: the verb's own document, or why there is none.
pub type VerbReply = Result<Value, Failure>;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For people: the stage, the object, what to do next.
    pub message: String,
    /// The exit code of the verb that asked, one of [`Exit`].
    pub exit: u8,
    /// Nothing was done, not even the question was read: it can be put again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
}

impl Failure {
    /// A failure that ends the client's process so.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: exit.code(), busy: false }
    }

    /// One that is over soon.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self { busy: true, ..Self::new(Exit::Failure, message) }
    }

    /// How the client's process ends. A daemon of another version may know
    /// more numbers: those are plain failures.
    pub fn exit(&self) -> Exit {
        Exit::from_code(self.exit).unwrap_or(Exit::Failure)
    }
}

/// The outermost object of a reply: `{"ok": …}` or `{"error": {…}}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Envelope {
    Ok(Value),
    Error(Failure),
}

/// A reply as one line, without the newline.
pub(super) fn encode_reply(reply: VerbReply) -> String {
    let envelope = reply.map_or_else(Envelope::Error, Envelope::Ok);
    serde_json::to_string(&envelope).expect("values and strings can be written as JSON")
}

/// Reads a reply line.
pub(super) fn decode_reply(line: &[u8]) -> serde_json::Result<VerbReply> {
    Ok(match serde_json::from_slice(line)? {
        Envelope::Ok(value) => Ok(value),
        Envelope::Error(failure) => Err(failure),
    })
}

/// A request as one line, without the newline.
pub(super) fn encode_request(request: &ClientRequest) -> String {
    serde_json::to_string(request).expect("strings and addresses can be written as JSON")
}

/// How a reply begins whose document is an object with this member and more,
/// which are to follow with the ends of both objects.
pub(super) fn head_of_reply(member: &str) -> String {
    format!("{{\"ok\":{{{member},")
}

/// Reads a request line, or says what is wrong with it.
pub(super) fn decode_request(line: &[u8]) -> Result<ClientRequest, Failure> {
    let refuse = |message: String| Failure::new(Exit::Usage, message);
    if let Some(at) = line.iter().position(|&byte| byte == 0) {
        return Err(refuse(format!("the request has a NUL byte, the first as byte {}", at + 1)));
    }
    let text = str::from_utf8(line).map_err(|error| {
        refuse(format!("the request is not UTF-8, from byte {} on", error.valid_up_to() + 1))
    })?;
    if text.trim().is_empty() {
        return Err(refuse("the request is empty, it should be one line of JSON".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| {
        refuse(if error.is_data() {
            format!("the control socket does not know this request: {error}")
        } else {
            format!("the request is no JSON: {error}")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: Option<ClientRequest>) {
        assert_eq!(decode_request(line.as_bytes()).ok(), want, "{line}");
        if let Some(request) = want {
            let sent = encode_request(&request);
            assert_eq!(decode_request(sent.as_bytes()), Ok(request), "{line}");
        }
    }

    #[test]
    fn the_verbs_are_read_and_nothing_else_is() {
        check(r#"{"verb":"status"}"#, Some(ClientRequest::Status {}));
        check(r#"{"verb": "reload"}"#, Some(ClientRequest::Reload { confirm: None }));
        let address: IpAddr = "2001:db8::1".parse().expect("an address");
        check(
            r#"{"verb":"why","address":"2001:db8::1"}"#,
            Some(ClientRequest::Why(address.into())),
        );
        let hits = ClientRequest::Hits { rule: Some("drop".to_owned()), feed: None, top: 3 };
        check(r#"{"verb":"hits","rule":"drop","top":3}"#, Some(hits));
        let feed = "a/b".to_owned();
        check(r#"{"verb":"accept","feed":"a/b"}"#, Some(ClientRequest::Accept { feed }));
        for bad in [
            "",
            "status",
            "{}",
            "[]",
            r#"{"verb":"exec"}"#,
            r#"{"verb":"Status"}"#,
            r#"{"verb":"status","more":1}"#,
            r#"{"verb":"why"}"#,
            r#"{"verb":"why","address":"example.org"}"#,
            r#"{"verb":"why","address":"010.0.0.1"}"#,
            r#"{"verb":"accept","feed":7}"#,
            r#"{"verb":"status"}{"verb":"status"}"#,
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn the_name_of_a_verb_is_the_one_that_is_sent() {
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let all = [
            ClientRequest::Status {},
            ClientRequest::Why(address.into()),
            ClientRequest::Hits { rule: None, feed: None, top: 10 },
            ClientRequest::Overlap {},
            ClientRequest::Reload { confirm: None },
            ClientRequest::Reload { confirm: Some(60) },
            ClientRequest::Confirm {},
            ClientRequest::Resync {},
            ClientRequest::Apply {},
            ClientRequest::Accept { feed: "a".to_owned() },
            ClientRequest::Teardown {},
        ];
        for request in all {
            let sent: Value = serde_json::from_str(&encode_request(&request)).expect("JSON");
            assert_eq!(sent["verb"], request.verb());
        }
    }

    #[test]
    fn replies_survive_the_way_and_are_one_line() {
        let replies = [
            Ok(serde_json::json!({"in-sync": true, "text": "two\nlines"})),
            Err(Failure::new(Exit::Denied, "reload is for root")),
        ];
        for reply in replies {
            let line = encode_reply(reply.clone());
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(decode_reply(line.as_bytes()).expect("a reply"), reply);
        }
        let unknown = Failure { exit: 200, ..Failure::new(Exit::Failure, "") };
        assert_eq!(unknown.exit(), Exit::Failure);
    }

    #[test]
    fn what_is_wrong_with_a_request_is_said() {
        let check = |line: &[u8], want: &str| {
            let failure = decode_request(line).expect_err("it is none");
            assert!(failure.message.contains(want), "{failure}");
            assert_eq!((failure.exit(), failure.busy), (Exit::Usage, false));
        };
        check(b"\xff\xfe", "is not UTF-8, from byte 1 on");
        check(b"{\"verb\":\"st\0atus\"}", "NUL byte, the first as byte 12");
        check(b" ", "is empty");
        check(b"GET / HTTP/1.1", "is no JSON");
        check(b"{\"verb\":\"status\"", "is no JSON");
        check(b"{\"verb\":\"dance\"}", "unknown variant `dance`, expected one of `status`, `why`");
        check(b"{\"verb\":\"why\"}", "missing field `address`");
        let deep = format!("{{\"verb\":\"status\",\"a\":{}", "[".repeat(4_000));
        check(deep.as_bytes(), "is no JSON");
    }
}
