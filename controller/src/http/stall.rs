//! A stream that fails when its reader takes too long to take what was written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Counts from the first write that had to wait until everything is written: a trickle does not start it anew.
pub(super) struct Stall<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Stall<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
        }
    }

    fn stalled<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.stalled(context),
            written => written,
        }
    }

    /// Called by hyper when it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(context));
        self.stalled = None;
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_trickle_of_reading_is_not_enough() {
        let (stream, mut reader) = duplex(16);
        let mut stream = Stall::new(stream, Duration::from_secs(10));
        let slow = async {
            for _ in 0..5 {
                sleep(Duration::from_secs(4)).await;
                let _ = reader.read_u8().await;
            }
        };
        let write = async { stream.write_all(&[0; 100]).await };
        let (written, ()) = futures::join!(write, slow);
        assert_eq!(
            written.expect_err("too slow").kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_response_has_all_the_time_again() {
        let (stream, mut reader) = duplex(16);
        let mut stream = Stall::new(stream, Duration::from_secs(10));
        for _ in 0..4 {
            let mut taken = [0; 32];
            let slow = async {
                sleep(Duration::from_secs(8)).await;
                reader.read_exact(&mut taken).await
            };
            let write = async {
                stream.write_all(&[0; 32]).await?;
                stream.flush().await
            };
            let (written, read) = futures::join!(write, slow);
            assert!(written.is_ok() && read.is_ok());
        }
    }
}
