//! Which path is answered by whom, and what every answer has.

use std::net::IpAddr;

use bytes::Bytes;
use figures::TextForm;
use http_body_util::Full;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::task::spawn_blocking;

use super::Desk;
use super::check::{check, is_check};
use super::documents::Overview;
use crate::control::{ControlQuestion, ask};
use crate::query::values;

/// What goes back, whole in memory.
pub(super) type HttpReply = Response<Full<Bytes>>;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Answers one request. Its body, should it have one, is left unread.
pub(super) async fn answer<B>(desk: &Desk, request: &Request<B>) -> HttpReply {
    let (uri, headers) = (request.uri(), request.headers());
    if is_check(uri.path()) {
        return check(desk, uri, headers);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "all of this can only be read");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match uri.path() {
        "/metrics" => metrics(desk, headers).await,
        "/status" => made(desk, |all| (JSON, all.document())).await,
        "/why" => why(desk, uri).await,
        _ => text(StatusCode::NOT_FOUND, "here are /check, /metrics, /status and /why"),
    }
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
    let Ok(_turn) = desk.turns.try_acquire() else { return busy() };
    let all = Overview::of(desk);
    match spawn_blocking(move || make(all)).await {
        Ok((kind, body)) => with_type(StatusCode::OK, kind, body.into()),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "this could not be made"),
    }
}

async fn why(desk: &Desk, uri: &Uri) -> HttpReply {
    let address = match values(uri.query().unwrap_or_default(), ["ip"]) {
        Ok([Some(ip)]) => ip.parse::<IpAddr>().map_err(|_| "ip is no address".to_owned()),
        Ok([None]) => Err("no address: ?ip= is needed".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let address = match address {
        Ok(address) => address,
        Err(why) => return text(StatusCode::BAD_REQUEST, &why),
    };
    let Ok(_turn) = desk.turns.try_acquire() else { return busy() };
    match ask(&desk.control_socket, ControlQuestion::Why(address)).await {
        Ok(document) => with_type(StatusCode::OK, JSON, (document + "\n").into()),
        Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

fn busy() -> HttpReply {
    text(StatusCode::SERVICE_UNAVAILABLE, "too much is being asked at once, ask again")
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
