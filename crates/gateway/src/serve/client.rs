//! One connection, from its first byte to its last: HTTP/1.1 within limits.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::Desk;
use super::answer::{Way, answer};
use super::seats::ConnectionSeat;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX, WRITE_TIME_MAX};

/// Answers the requests of one connection, one after the other, until it ends,
/// is idle for too long, or all is to end.
pub(super) async fn attend<S>(
    stream: S,
    way: Way,
    desk: Arc<Desk>,
    seat: ConnectionSeat,
    idle: Duration,
    mut end: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    // Whoever reads no answers does not get more.
    stream.set_write_timeout(Some(WRITE_TIME_MAX));
    let seat = &seat;
    let service = service_fn(|request: Request<Incoming>| {
        let desk = desk.clone();
        async move {
            seat.begin();
            let answer = answer(&desk, way, &request).await;
            seat.end();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .auto_date_header(false)
        // Who says no more is not gone: what it has asked is answered, all of it.
        .half_close(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = over(&mut end) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early: {error}");
    }
}

/// Waits until all is to end, or whoever says so has ended.
pub(super) async fn over(end: &mut watch::Receiver<bool>) {
    // Without the one who says it there is nothing left to wait for.
    let _ = end.wait_for(|end| *end).await;
}
