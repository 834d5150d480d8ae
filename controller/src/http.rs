//! The HTTP endpoints: certificate, verification, rotation, health; and the metrics, on a port of their own.
//!
//! Whoever reaches a pod of the cluster can send anything here, and nobody says who they are. So everything is bounded:
//! connections, headers, bodies, items, time and rate; and an answer never says why something failed.

mod body;
mod connection;
mod limit;
mod metrics_page;
mod sealed_routes;
mod stall;
mod task;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::connection::serve;
pub use self::limit::Limits;
pub use self::metrics_page::MetricsPage;
pub use self::sealed_routes::{Bounds, SealedRoutes};

/// What is sent back.
pub type Answer = Response<Full<Bytes>>;

/// What a server answers with.
pub trait Routes: Send + Sync + 'static {
    /// Answers one request.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Result<Answer, Infallible>> + Send;
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To send a request's head, and its body.
    pub read: Duration,
    /// To receive a response.
    pub write: Duration,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address:?}\nhint: is another process there, or does the flag {flag} say a wrong address?"
)]
pub struct BindError {
    address: String,
    flag: &'static str,
    #[source]
    source: io::Error,
}

/// Listens on an address as Go writes it: without a host, on all of the machine's.
pub async fn bind(address: &str, flag: &'static str) -> Result<TcpListener, BindError> {
    let bound = match address.strip_prefix(':') {
        Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
            // A kernel without IPv6.
            Err(_) => TcpListener::bind(format!("0.0.0.0:{port}")).await,
            bound => bound,
        },
        None => TcpListener::bind(address).await,
    };
    bound.map_err(|source| BindError {
        address: address.to_owned(),
        flag,
        source,
    })
}

/// Plain text, as Go's servers send it.
fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = with_type("text/plain; charset=utf-8", text);
    *answer.status_mut() = status;
    answer
}

/// An error in plain text, as Go's `http.Error` sends it.
fn error(status: StatusCode, message: &'static str) -> Answer {
    let mut answer = text(status, message);
    let nosniff = http::HeaderValue::from_static("nosniff");
    answer
        .headers_mut()
        .insert(http::header::X_CONTENT_TYPE_OPTIONS, nosniff);
    answer
}

fn with_type(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    let content_type = http::HeaderValue::from_static(content_type);
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, content_type);
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn not_found() -> Answer {
    error(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// Whether everything that requests need has been read.
pub type Ready = watch::Receiver<bool>;
