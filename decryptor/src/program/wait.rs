//! The one runtime of this process, on which keys behind a network are waited for.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// The system gives this process nothing to wait with.
#[derive(Debug, thiserror::Error)]
#[error("cannot wait for keys")]
pub struct CannotWait;

/// Waits. Several threads may, at the same time.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CannotWait> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| Builder::new_current_thread().enable_all().build().ok());
    let runtime = runtime.as_ref().ok_or(CannotWait)?;
    Ok(runtime.block_on(work))
}
