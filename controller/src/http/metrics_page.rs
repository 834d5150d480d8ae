//! `/metrics`, on its own port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use jiff::Timestamp;
use keys::KeyRing;
use tokio::sync::watch;

use super::{Answer, Routes, not_found, with_type};
use crate::metrics::Metrics;

/// Serves the metrics and nothing else.
pub struct MetricsPage {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The keys, which count their uses themselves.
    pub ring: watch::Receiver<KeyRing>,
}

impl Routes for MetricsPage {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        _: SocketAddr,
    ) -> Result<Answer, Infallible> {
        if request.uri().path() != "/metrics" {
            return Ok(not_found());
        }
        let ring = self.ring.borrow().clone();
        let text = self.metrics.render(&ring, Timestamp::now());
        Ok(with_type("text/plain; version=0.0.4; charset=utf-8", text))
    }
}
