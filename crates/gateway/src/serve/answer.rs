//! Which path is answered by whom, and what every answer has.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::Desk;
use super::check::{check, is_check};

/// What goes back, whole in memory.
pub(super) type HttpReply = Response<Full<Bytes>>;

/// Answers one request. Its body, should it have one, is left unread.
pub(super) fn answer<B>(desk: &Desk, request: &Request<B>) -> HttpReply {
    let (uri, headers) = (request.uri(), request.headers());
    if is_check(uri.path()) {
        return check(desk, uri, headers);
    }
    text(StatusCode::NOT_FOUND, "there is nothing here; there is /check")
}

/// An answer that is its status.
pub(super) fn empty(status: StatusCode) -> HttpReply {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// An answer of one sentence.
pub(super) fn text(status: StatusCode, sentence: &str) -> HttpReply {
    with_type(status, HeaderValue::from_static("text/plain; charset=utf-8"), {
        let mut line = sentence.to_owned();
        line.push('\n');
        line.into()
    })
}

/// An answer of this type. Nobody keeps it: the next moment's is another.
pub(super) fn with_type(status: StatusCode, kind: HeaderValue, body: Bytes) -> HttpReply {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
