//! A fence in the way to the API server: only who leads now writes Secrets and SealedSecrets.
//!
//! A process may be frozen for a minute just before it writes, and go on without knowing that another leads by now. So the
//! last look at the clock is here, where a request leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use futures::future::{Either, Ready, ready};
use http::{Method, Request};
use tower::{BoxError, Layer, Service};

/// Says until when this process leads. Clones are the same fence.
#[derive(Clone, Debug)]
pub struct Fence {
    start: Instant,
    /// Nanoseconds after `start`.
    open_until: Arc<AtomicU64>,
}

/// A write was held back: another process may lead.
#[derive(Debug, thiserror::Error)]
#[error("not leading: nothing was written")]
pub struct NotLeading;

impl Fence {
    /// A closed fence.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            open_until: Arc::default(),
        }
    }

    /// Opens it up to `deadline`.
    pub fn open_until(&self, deadline: Instant) {
        let nanoseconds = deadline.saturating_duration_since(self.start).as_nanos();
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        self.open_until.store(nanoseconds, Ordering::Release);
    }

    /// Opens it for good: there is nobody else.
    pub fn open(&self) {
        self.open_until.store(u64::MAX, Ordering::Release);
    }

    /// Closes it.
    pub fn close(&self) {
        self.open_until.store(0, Ordering::Release);
    }

    /// Whether writes pass now.
    pub fn is_open(&self) -> bool {
        let open_until = self.open_until.load(Ordering::Acquire);
        self.start.elapsed().as_nanos() < u128::from(open_until)
    }

    fn lets<B>(&self, request: &Request<B>) -> bool {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let guarded = |segment| segment == "secrets" || segment == "sealedsecrets";
        reads || !request.uri().path().split('/').any(guarded) || self.is_open()
    }
}

impl Default for Fence {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for Fence {
    type Service = Fenced<S>;

    fn layer(&self, inner: S) -> Fenced<S> {
        Fenced {
            inner,
            fence: self.clone(),
        }
    }
}

/// A service behind a fence.
#[derive(Clone, Debug)]
pub struct Fenced<S> {
    inner: S,
    fence: Fence,
}

impl<S, B> Service<Request<B>> for Fenced<S>
where
    S: Service<Request<B>, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<Ready<Result<S::Response, BoxError>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.fence.lets(&request) {
            Either::Right(self.inner.call(request))
        } else {
            Either::Left(ready(Err(NotLeading.into())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_writes_of_secrets_and_sealed_secrets_are_held_back() {
        let fence = Fence::new();
        let lets = |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(());
            fence.lets(&request.expect("a request"))
        };
        let sealed = "/apis/bitnami.com/v1alpha1/namespaces/n/sealedsecrets/s/status";
        for (method, path, held) in [
            ("GET", "/api/v1/secrets?watch=1", false),
            ("POST", "/api/v1/namespaces/n/secrets", true),
            ("PUT", "/api/v1/namespaces/n/secrets/s?x=y", true),
            ("DELETE", "/api/v1/namespaces/n/secrets/s", true),
            ("PATCH", sealed, true),
            ("POST", "/api/v1/namespaces/n/events", false),
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/n/leases/l",
                false,
            ),
        ] {
            fence.close();
            assert_eq!(lets(method, path), !held, "{method} {path}");
            fence.open();
            assert!(lets(method, path), "{method} {path}");
        }
    }

    #[test]
    fn it_closes_by_itself() {
        let fence = Fence::new();
        assert!(!fence.is_open());
        fence.open_until(Instant::now() + Duration::from_secs(60));
        assert!(fence.is_open());
        fence.open_until(Instant::now());
        assert!(!fence.is_open());
    }
}
