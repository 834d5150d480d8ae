//! A signal ends work on many files between two of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CommandError;

/// Whether a signal has come.
pub(crate) struct Stop {
    /// Its number, or zero.
    signal: Arc<AtomicU8>,
}

impl Stop {
    /// Listens to nothing: a signal ends the program at once, which does no harm as long as nothing is written.
    pub(crate) fn never() -> Self {
        Self {
            signal: Arc::default(),
        }
    }

    /// Listens from now on, to the end of the process. A second signal does not wait for anything.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let failed = |e| CommandError::new("cannot listen to signals").because(e);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let (mut interrupt, mut terminate, mut hangup) = {
            let _inside = runtime.enter();
            let catch = |kind| signal(kind).map_err(failed);
            (
                catch(SignalKind::interrupt())?,
                catch(SignalKind::terminate())?,
                catch(SignalKind::hangup())?,
            )
        };
        let stop = Self::never();
        let told = Arc::clone(&stop.signal);
        thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    let number = tokio::select! {
                        _ = interrupt.recv() => 2,
                        _ = terminate.recv() => 15,
                        _ = hangup.recv() => 1,
                    };
                    if told.swap(number, Ordering::SeqCst) != 0 {
                        std::process::exit(exit_code(number).into());
                    }
                }
            });
        });
        Ok(stop)
    }

    /// The exit code that the signal asks for. Returns `None` if there was none.
    pub(crate) fn asked(&self) -> Option<u8> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            number => Some(exit_code(number)),
        }
    }
}

/// As a shell gives it.
fn exit_code(signal: u8) -> u8 {
    128 + signal
}
