//! An answer of the API server, or of the controller behind it.

use std::time::Duration;

use http::StatusCode;
use http::response::Parts;
use serde_json::Value;

/// An answer.
pub(super) struct Reply {
    /// Its status.
    pub(super) status: StatusCode,
    /// When to ask again, if it says so.
    pub(super) retry_after: Option<Duration>,
    /// Its body.
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(head: &Parts, body: Vec<u8>) -> Self {
        let header = head.headers.get("retry-after");
        let seconds = header
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        Self {
            status: head.status,
            retry_after: seconds.map(Duration::from_secs),
            body,
        }
    }

    /// Why it is no success: what the API server says, else the status.
    pub(super) fn reason(&self) -> String {
        let status: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match status["message"].as_str() {
            Some(message) if status["kind"] == "Status" => message.to_owned(),
            _ => format!("the answer is {}", self.status),
        }
    }
}
