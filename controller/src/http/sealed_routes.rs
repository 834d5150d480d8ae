//! `/v1/cert.pem`, `/v1/verify`, `/v1/rotate`, `/healthz` and `/readyz`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use hyper::body::Incoming;
use keys::KeyRing;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tracing::debug;

use super::body::{Bodies, Unread};
use super::task::{Intake, Task};
use super::{Answer, Limits, Ready, Routes, Timeouts, empty, error, not_found, text, with_type};
use crate::metrics::Metrics;

/// A request that does not get its turn for so long is turned away.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What requests may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest body, in bytes.
    pub body: usize,
    /// The most sealed values in one request.
    pub items: usize,
    /// Requests per second of one client.
    pub rate: u32,
    /// Requests by which a client may exceed that at once.
    pub burst: u32,
    /// Whether `spec.data` is verified too.
    pub accept_deprecated_data: bool,
}

/// Serves what clients of the controller need.
pub struct SealedRoutes {
    ring: watch::Receiver<KeyRing>,
    ready: Ready,
    metrics: Arc<Metrics>,
    intake: Intake,
    verify: Limits,
    rotate: Limits,
    bodies: Bodies,
    /// Private-key operations for strangers leave room for the controller's own work.
    work: Arc<Semaphore>,
}

impl SealedRoutes {
    /// Routes that answer with `ring`'s newest certificate and open with all its keys.
    pub fn new(
        ring: watch::Receiver<KeyRing>,
        ready: Ready,
        metrics: Arc<Metrics>,
        bounds: Bounds,
        timeouts: Timeouts,
    ) -> Self {
        let Bounds {
            body,
            items,
            rate,
            burst,
            accept_deprecated_data,
        } = bounds;
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            ring,
            ready,
            metrics,
            intake: Intake {
                items,
                deprecated_data: accept_deprecated_data,
            },
            verify: Limits::new(rate, burst),
            rotate: Limits::new(rate, burst),
            bodies: Bodies::new(body, timeouts.read),
            work: Arc::new(Semaphore::new(cores.div_ceil(2))),
        }
    }

    fn health(&self, is_well: bool) -> Answer {
        if is_well {
            text(StatusCode::OK, "ok\n")
        } else {
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }

    fn is_ready(&self) -> bool {
        *self.ready.borrow() && !self.ring.borrow().is_empty()
    }

    fn certificate(&self) -> Answer {
        match self.ring.borrow().newest_cert() {
            Some(cert) => with_type("application/x-pem-file", cert.pem().to_owned()),
            None => error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "cannot get certificate\n",
            ),
        }
    }

    async fn limited(&self, task: Task, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let limits = match task {
            Task::Verify => &self.verify,
            Task::Rotate => &self.rotate,
        };
        let verdict = limits.count(peer.ip(), request.headers());
        let mut answer = if verdict.passes {
            self.work(task, request).await
        } else {
            error(StatusCode::TOO_MANY_REQUESTS, "limit exceeded\n")
        };
        verdict.write(answer.headers_mut());
        answer
    }

    async fn work(&self, task: Task, request: Request<Incoming>) -> Answer {
        let body = match self.bodies.read(request.into_body()).await {
            Ok(body) => body,
            Err(Unread::TooLong) => return empty(StatusCode::PAYLOAD_TOO_LARGE),
            Err(Unread::Broken) => return empty(StatusCode::BAD_REQUEST),
            Err(Unread::Busy) => return empty(StatusCode::SERVICE_UNAVAILABLE),
        };
        let Some(permit) = turn(&self.work).await else {
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        };
        let ring = self.ring.borrow().clone();
        let intake = self.intake;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let reply = task.run(&body.bytes, &ring, intake);
            drop(body);
            match reply.json {
                Some(json) => with_type("application/json", json),
                None => empty(reply.status),
            }
        });
        done.await
            .unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

impl Routes for SealedRoutes {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Answer, Infallible> {
        let begin = Instant::now();
        let method = request.method().clone();
        let (path, answer) = match request.uri().path() {
            "/healthz" => return Ok(self.health(true)),
            "/readyz" => return Ok(self.health(self.is_ready())),
            "/v1/cert.pem" => ("/v1/cert.pem", self.certificate()),
            "/v1/verify" => (
                "/v1/verify",
                self.limited(Task::Verify, request, peer).await,
            ),
            "/v1/rotate" => (
                "/v1/rotate",
                self.limited(Task::Rotate, request, peer).await,
            ),
            _ => return Ok(not_found()),
        };
        let status = answer.status().as_u16();
        debug!(path, status, %peer, "answered");
        self.metrics
            .http_request(path, status, method.as_str(), begin.elapsed());
        Ok(answer)
    }
}

/// Waits for a place to work in. Returns `None` if that takes too long.
async fn turn(work: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let turn = timeout(LONGEST_WAIT, Arc::clone(work).acquire_owned());
    turn.await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_turn_without_end() {
        let work = Arc::new(Semaphore::new(1));
        let first = turn(&work).await;
        assert!(first.is_some());
        assert!(turn(&work).await.is_none());
        drop(first);
        assert!(turn(&work).await.is_some());
    }
}
