//! Which path is answered by whom, and what every answer has.

use std::net::IpAddr;

use bytes::Bytes;
use figures::TextForm;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::task::spawn_blocking;

use super::Desk;
use super::check::{check, is_check};
use super::documents::Overview;
use crate::control::{ControlQuestion, ask};
use crate::page::{POLICY, STYLE};
use crate::query::values;

/// What goes back, whole in memory.
pub(super) type HttpReply = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const BUSY: &str = "too much is being asked at once, ask again";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// By which kind of socket somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Unix,
    /// On a loopback address, where a browser of this host can be sent by a page
    /// of somebody else.
    Tcp,
}

/// Answers one request. Its body, should it have one, is left unread.
pub(super) async fn answer<B>(desk: &Desk, way: Way, request: &Request<B>) -> HttpReply {
    let (uri, headers) = (request.uri(), request.headers());
    if is_check(uri.path()) {
        return check(desk, uri, headers);
    }
    if way == Way::Tcp && !is_asked_for(uri, headers) {
        let why = "by TCP this is asked for as an address of loopback or as localhost";
        return text(StatusCode::MISDIRECTED_REQUEST, why);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "all of this can only be read");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match uri.path() {
        "/" => show(desk, uri).await,
        "/style.css" => with_type(StatusCode::OK, CSS, Bytes::from_static(STYLE.as_bytes())),
        "/metrics" => metrics(desk, headers).await,
        "/status" => made(desk, |all| (JSON, all.document())).await,
        "/why" => match why(desk, uri).await {
            Ok(Some((_, Ok(document)))) => {
                with_type(StatusCode::OK, JSON, (document + "\n").into())
            }
            Ok(Some((_, Err(why)))) => text(StatusCode::SERVICE_UNAVAILABLE, &why),
            Ok(None) => text(StatusCode::BAD_REQUEST, "no address: ?ip= is needed"),
            Err(why) => text(StatusCode::BAD_REQUEST, &why),
        },
        _ => text(StatusCode::NOT_FOUND, "here are /, /check, /metrics, /status and /why"),
    }
}

/// Whether the one who asks means this host: a name that somebody else has given
/// to a loopback address is that of his page (DNS rebinding).
fn is_asked_for(uri: &Uri, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    let Some(authority): Option<Authority> = uri.authority().cloned().or(host) else {
        return false;
    };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The page, and on it what was asked by its form.
async fn show(desk: &Desk, uri: &Uri) -> HttpReply {
    let asked = match why(desk, uri).await {
        Ok(asked) => asked,
        Err(why) => Some((String::new(), Err(why))),
    };
    let mut shown = made(desk, |all| (HTML, all.page(asked))).await;
    let headers = shown.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    shown
}

async fn metrics(desk: &Desk, headers: &HeaderMap) -> HttpReply {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = TextForm::accepted(accept);
    made(desk, move |all| (form.content_type(), all.metrics(form))).await
}

/// What is made of all that is known: on another thread, and by few at a time.
async fn made(
    desk: &Desk,
    make: impl FnOnce(Overview) -> (&'static str, String) + Send + 'static,
) -> HttpReply {
    let Ok(_turn) = desk.turns.try_acquire() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, BUSY);
    };
    let all = Overview::of(desk);
    match spawn_blocking(move || make(all)).await {
        Ok((kind, body)) => with_type(StatusCode::OK, kind, body.into()),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "this could not be made"),
    }
}

/// What an address was asked as, and what the daemon says of it or why it says
/// nothing; `None` if none was asked about.
type Asked = Option<(String, Result<String, String>)>;

/// Asks the daemon about the address of a query.
///
/// # Errors
/// What is wrong with the query.
async fn why(desk: &Desk, uri: &Uri) -> Result<Asked, String> {
    let query = uri.query().unwrap_or_default();
    let [ip] = values(query, ["ip"]).map_err(|error| error.to_string())?;
    let Some(ip) = ip else { return Ok(None) };
    let address: IpAddr = ip.trim().parse().map_err(|_| "ip is no address".to_owned())?;
    let answer = match desk.questions.try_acquire() {
        Ok(_turn) => ask(&desk.control_socket, ControlQuestion::Why(address)).await,
        Err(_) => return Ok(Some((ip.into_owned(), Err(BUSY.to_owned())))),
    };
    Ok(Some((ip.into_owned(), answer.map_err(|error| error.to_string()))))
}

/// An answer that is its status.
pub(super) fn empty(status: StatusCode) -> HttpReply {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// An answer of one sentence.
pub(super) fn text(status: StatusCode, sentence: &str) -> HttpReply {
    with_type(status, TEXT, format!("{sentence}\n").into())
}

/// An answer of this type. Nobody keeps it: the next moment's is another.
pub(super) fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> HttpReply {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
