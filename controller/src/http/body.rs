//! Reading request bodies, as long as they are bearable. Like `task`, it uses nothing else of this crate.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// All bodies that are held at once may have this many times the longest one's length.
const BODIES: usize = 8;

/// Memory for bodies.
pub(super) struct Bodies {
    longest: usize,
    patience: Duration,
    memory: Arc<Semaphore>,
}

/// A body, with its claim on memory.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLong,
    Broken,
    Busy,
}

impl Bodies {
    pub(super) fn new(longest: usize, patience: Duration) -> Self {
        let longest = longest.min(Semaphore::MAX_PERMITS / BODIES);
        Self {
            longest,
            patience,
            memory: Arc::new(Semaphore::new(longest * BODIES)),
        }
    }

    /// Reads a body in time. Memory is claimed as bytes come, not by what the request says of its length.
    pub(super) async fn read<B: Body<Data = Bytes> + Unpin>(
        &self,
        body: B,
    ) -> Result<Held, Unread> {
        if body.size_hint().lower() > self.longest as u64 {
            return Err(Unread::TooLong);
        }
        match timeout(self.patience, self.collect(body)).await {
            Ok(read) => read,
            Err(_) => Err(Unread::Broken),
        }
    }

    async fn collect<B: Body<Data = Bytes> + Unpin>(&self, mut body: B) -> Result<Held, Unread> {
        let mut held = Held {
            bytes: Vec::new(),
            _memory: None,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Unread::Broken)?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if held.bytes.len() + chunk.len() > self.longest {
                return Err(Unread::TooLong);
            }
            let length = u32::try_from(chunk.len()).map_err(|_| Unread::TooLong)?;
            let memory = Arc::clone(&self.memory).try_acquire_many_owned(length);
            let memory = memory.map_err(|_| Unread::Busy)?;
            match &mut held._memory {
                Some(known) => known.merge(memory),
                none => *none = Some(memory),
            }
            held.bytes.extend_from_slice(&chunk);
        }
        Ok(held)
    }
}
