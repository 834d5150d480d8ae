//! The API server as the core uses it: JSON out, JSON in, and errors told apart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};

use crate::backoff;

/// No answer takes longer; a watch is not bound by it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often one call is sent again because the API server is too busy.
const BUSY_TRIES: u32 = 4;
/// Who waited until the API server has time comes back within so long.
const SPREAD: Duration = Duration::from_secs(1);
/// No more of a single answer is read into memory; a stored object is smaller by far.
const LARGEST_ANSWER: usize = 32 << 20;
/// Asks for metadata only, so that an answer does not repeat what a Secret holds.
const METADATA_ONLY: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// A client that pauses as a whole when the API server asks for it.
pub(crate) struct Api {
    client: Client,
    pause: Mutex<Option<Instant>>,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The API server says why.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The reason in one word, as in `AlreadyExists`.
        reason: String,
        /// The reason in a sentence.
        message: String,
        /// The token with which a list that has expired goes on.
        next: Option<String>,
    },
    /// No answer came, or none that can be read.
    #[error("{0}")]
    Unreachable(String),
}

impl ApiError {
    fn has(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.has(404)
    }

    /// Somebody else changed or made the object in between.
    pub(crate) fn is_conflict(&self) -> bool {
        self.has(409)
    }

    /// The version asked for is no longer kept.
    pub(crate) fn is_expired(&self) -> bool {
        self.has(410)
    }

    /// The namespace is being deleted, and everything in it.
    pub(crate) fn is_end_of_namespace(&self) -> bool {
        matches!(self, Self::Refused { code: 403, message, .. } if message.contains("because it is being terminated"))
    }

    /// A field may not change: of an immutable Secret, or one such as `type`.
    pub(crate) fn is_immutable_field(&self) -> bool {
        matches!(self, Self::Refused { code: 422, message, .. } if message.contains("field is immutable"))
    }

    fn unreadable(what: impl std::fmt::Display) -> Self {
        Self::Unreachable(format!("the API server's answer cannot be read: {what}"))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    message: String,
    reason: String,
    metadata: StatusMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

impl Api {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            pause: Mutex::default(),
        }
    }

    /// The object at `path`. Returns `None` if there is none.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Bytes>, ApiError> {
        let answer = self.call(Method::GET, path, None, Bytes::new()).await;
        match answer {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an object in the collection at `path`; answers with its metadata.
    pub(crate) async fn create(&self, path: &str, body: Bytes) -> Result<Bytes, ApiError> {
        self.call(Method::POST, path, Some("application/json"), body)
            .await
    }

    /// Replaces the object at `path`; answers with its metadata.
    pub(crate) async fn replace(&self, path: &str, body: Bytes) -> Result<Bytes, ApiError> {
        self.call(Method::PUT, path, Some("application/json"), body)
            .await
    }

    /// Changes the object at `path` by a JSON merge patch; answers with its metadata.
    pub(crate) async fn patch(&self, path: &str, body: Bytes) -> Result<Bytes, ApiError> {
        let content = Some("application/merge-patch+json");
        self.call(Method::PATCH, path, content, body).await
    }

    /// Deletes the object at `path` under the preconditions in `body`.
    pub(crate) async fn delete(&self, path: &str, body: Bytes) -> Result<Bytes, ApiError> {
        self.call(Method::DELETE, path, Some("application/json"), body)
            .await
    }

    /// Begins to read a list or a watch; its bytes come as they are asked for.
    pub(crate) async fn open(&self, request: Request<Vec<u8>>) -> Result<Response<Body>, ApiError> {
        let (parts, _) = request.into_parts();
        for _ in 0..BUSY_TRIES {
            let mut request = Request::new(Body::empty());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = parts.uri.clone();
            *request.headers_mut() = parts.headers.clone();
            match self.send(request).await? {
                Sent::Answer(response) => return Ok(response),
                Sent::Busy => {}
            }
        }
        Err(busy())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        content: Option<&str>,
        body: Bytes,
    ) -> Result<Bytes, ApiError> {
        let accept = if method == Method::GET {
            "application/json"
        } else {
            METADATA_ONLY
        };
        for _ in 0..BUSY_TRIES {
            let mut request = Request::builder()
                .method(method.clone())
                .uri(path)
                .header(ACCEPT, accept);
            if let Some(content) = content {
                request = request.header(CONTENT_TYPE, content);
            }
            let request = request
                .body(Body::from(body.clone()))
                .map_err(|error| ApiError::Unreachable(error.to_string()))?;
            match self.send(request).await? {
                Sent::Answer(response) => return read(response).await,
                Sent::Busy => {}
            }
        }
        Err(busy())
    }

    async fn send(&self, request: Request<Body>) -> Result<Sent, ApiError> {
        self.pause().await;
        let response = timeout(PATIENCE, self.client.send(request))
            .await
            .map_err(|_| ApiError::Unreachable("the API server did not answer in time".into()))?
            .map_err(|error| ApiError::Unreachable(error.to_string()))?;
        if response.status() == 429 {
            self.busy_for(retry_after(&response));
            return Ok(Sent::Busy);
        }
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Ok(Sent::Answer(response))
    }

    /// Waits as long as the API server last asked everybody to, and a little longer, so that not all come back at once.
    async fn pause(&self) {
        let until = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until.filter(|until| *until > Instant::now()) {
            sleep_until(until + SPREAD.mul_f64(f64::from(backoff::spread()) / 256.0)).await;
        }
    }

    fn busy_for(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut known = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(until, |known| known.max(until)));
    }
}

enum Sent {
    Answer(Response<Body>),
    Busy,
}

fn busy() -> ApiError {
    ApiError::Refused {
        code: 429,
        reason: "TooManyRequests".into(),
        message: "the API server is too busy".into(),
        next: None,
    }
}

/// What `Retry-After` says, within reason.
fn retry_after(response: &Response<Body>) -> Duration {
    let header = response.headers().get(RETRY_AFTER);
    let seconds = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(1u64);
    Duration::from_secs(seconds.clamp(1, 30))
}

async fn read(response: Response<Body>) -> Result<Bytes, ApiError> {
    let body = http_body_util::Limited::new(response.into_body(), LARGEST_ANSWER);
    match timeout(PATIENCE, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => Err(ApiError::unreadable(error)),
        Err(_) => Err(ApiError::unreadable("it stopped halfway")),
    }
}

async fn refusal(response: Response<Body>) -> ApiError {
    let code = response.status().as_u16();
    let body = match read(response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    refusal_of(code, &body)
}

/// The error that a `Status` object says.
pub(crate) fn refusal_of(code: u16, body: &[u8]) -> ApiError {
    let status: Status = serde_json::from_slice(body).unwrap_or_default();
    let message = if status.message.is_empty() {
        format!("the API server answered {code}")
    } else {
        status.message
    };
    ApiError::Refused {
        code,
        reason: status.reason,
        message,
        next: status.metadata.next,
    }
}

/// Paths of the objects that the core reads and writes.
pub(crate) mod path {
    /// The SealedSecrets of a namespace, or of all.
    pub(crate) fn sealed_secrets(namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => {
                format!("/apis/bitnami.com/v1alpha1/namespaces/{namespace}/sealedsecrets")
            }
            None => "/apis/bitnami.com/v1alpha1/sealedsecrets".into(),
        }
    }

    /// One SealedSecret.
    pub(crate) fn sealed_secret(namespace: &str, name: &str) -> String {
        format!("{}/{name}", sealed_secrets(Some(namespace)))
    }

    /// The Secrets of a namespace, or of all.
    pub(crate) fn secrets(namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/secrets"),
            None => "/api/v1/secrets".into(),
        }
    }

    /// One Secret.
    pub(crate) fn secret(namespace: &str, name: &str) -> String {
        format!("{}/{name}", secrets(Some(namespace)))
    }

    /// The events of a namespace.
    pub(crate) fn events(namespace: &str) -> String {
        format!("/api/v1/namespaces/{namespace}/events")
    }
}
