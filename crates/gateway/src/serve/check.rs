//! `/check`: what a request asks about, and what it is answered. It reads what
//! is known and waits for nothing.

use std::net::IpAddr;
use std::time::SystemTime;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode, Uri};

use super::Desk;
use super::answer::{HttpReply, empty, text};
use crate::counters::CheckOutcome;
use crate::lists::{AddressStanding, Knowledge};
use crate::query::values;

/// The list that an address is on.
const LIST: HeaderName = HeaderName::from_static("x-denyset-list");

/// Where it is asked.
const PATH: &str = "/check";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
struct CheckQuestion {
    address: IpAddr,
    list: Option<String>,
}

/// Whether a path is that of `/check`. What follows it is the path of somebody
/// else's request, which Envoy puts there.
pub(super) fn is_check(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers one request.
pub(super) fn check(desk: &Desk, uri: &Uri, headers: &HeaderMap) -> HttpReply {
    let (outcome, answer) = match question(uri, headers, &desk.rules.address_header) {
        Ok(question) => {
            let known = desk.known.borrow();
            answer(&known, &question, &desk.rules.lists, desk.rules.oldest(SystemTime::now()))
        }
        Err(why) => (CheckOutcome::NoAddress, text(StatusCode::BAD_REQUEST, &why)),
    };
    desk.counters.count(outcome);
    answer
}

fn answer(
    known: &Knowledge,
    question: &CheckQuestion,
    lists: &[String],
    oldest: u64,
) -> (CheckOutcome, HttpReply) {
    let lists = question.list.as_ref().map_or(lists, std::slice::from_ref);
    match known.standing(question.address, lists, oldest) {
        AddressStanding::Unlisted => (CheckOutcome::Unlisted, empty(StatusCode::NO_CONTENT)),
        AddressStanding::Listed(list) => {
            let mut answer = empty(StatusCode::FORBIDDEN);
            answer.headers_mut().insert(LIST, list.header.clone());
            (CheckOutcome::Listed, answer)
        }
        AddressStanding::Unknown(gap) => {
            let answer = text(StatusCode::SERVICE_UNAVAILABLE, &gap.to_string());
            (CheckOutcome::Unknown, answer)
        }
    }
}

/// What a request asks about. The header goes before the query, which may be the
/// client's; below `/check/` it always is, and counts for nothing.
fn question(uri: &Uri, headers: &HeaderMap, name: &HeaderName) -> Result<CheckQuestion, String> {
    let query = uri.query().filter(|_| uri.path() == PATH).unwrap_or_default();
    let [ip, list] = values(query, ["ip", "list"]).map_err(|error| error.to_string())?;
    let mut stated = headers.get_all(name).iter();
    let address = match (stated.next(), stated.next(), &ip) {
        (Some(_), Some(_), _) => return Err(format!("{name} is there more than once")),
        (Some(stated), None, _) => address(stated).ok_or_else(|| {
            format!("{name} is no address: one in the usual form is needed and nothing else")
        }),
        (None, _, Some(ip)) => ip.parse().map_err(|_| "ip is no address".to_owned()),
        (None, _, None) => Err(format!("no address: {name} or ?ip= is needed")),
    }?;
    Ok(CheckQuestion { address, list: list.map(Into::into) })
}

fn address(stated: &HeaderValue) -> Option<IpAddr> {
    stated.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-real-ip");

    fn check(uri: &str, stated: &[&str], want: Result<(&str, Option<&str>), &str>) {
        let mut headers = HeaderMap::new();
        for value in stated {
            headers.append(NAME, HeaderValue::from_str(value).expect("a value"));
        }
        let found = question(&uri.parse().expect("a path"), &headers, &NAME);
        match (found, want) {
            (Ok(found), Ok((address, list))) => {
                assert_eq!(found.address.to_string(), address, "{uri} {stated:?}");
                assert_eq!(found.list.as_deref(), list, "{uri} {stated:?}");
            }
            (Err(found), Err(want)) => assert!(found.contains(want), "{uri}: {found}"),
            (found, want) => panic!("{uri} {stated:?}: {found:?}, not {want:?}"),
        }
    }

    #[test]
    fn the_header_goes_before_the_query_and_both_are_read_strictly() {
        check("/check", &["192.0.2.1"], Ok(("192.0.2.1", None)));
        check("/check?ip=192.0.2.1", &[], Ok(("192.0.2.1", None)));
        check("/check?ip=192.0.2.2&list=a", &["192.0.2.1"], Ok(("192.0.2.1", Some("a"))));
        check("/check?ip=2001%3Adb8::1", &[], Ok(("2001:db8::1", None)));
        check("/check?ip=::ffff:192.0.2.1", &[], Ok(("::ffff:192.0.2.1", None)));
        check("/check", &[], Err("no address: x-real-ip or ?ip= is needed"));
        check("/check", &["192.0.2.1", "192.0.2.1"], Err("x-real-ip is there more than once"));
        let bad =
            ["", "localhost", "192.0.2", "192.0.2.01", "192.0.2.1, 192.0.2.2", "192.0.2.1:80"];
        for bad in bad.into_iter().chain(["[::1]", "fe80::1%eth0", "0x7f.1", "3221225985"]) {
            check("/check?ip=192.0.2.1", &[bad], Err("x-real-ip is no address"));
        }
        check("/check?ip=", &[], Err("ip is no address"));
        check("/check?ip=192.0.2.1&ip=192.0.2.1", &[], Err("ip more than once"));
        check("/check?addr=192.0.2.1", &["192.0.2.1"], Err("not known here"));
    }

    #[test]
    fn what_follows_in_the_path_is_the_clients_and_so_is_its_query() {
        check("/check/a?ip=192.0.2.2&b=%", &["192.0.2.1"], Ok(("192.0.2.1", None)));
        check("/check/a?ip=192.0.2.2", &[], Err("no address"));
        assert!(is_check("/check") && is_check("/check/") && is_check("/check/a/b"));
        assert!(!is_check("/checks") && !is_check("/") && !is_check("/a/check"));
    }
}
