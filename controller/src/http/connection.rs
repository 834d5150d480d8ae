//! Taking connections, as many as are bearable, and ending them when the process ends.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::limit::peer_network;
use super::stall::Stall;
use super::{Routes, Timeouts};

/// Connections at once, in all and from one address. One address alone cannot shut out the kubelet's probes.
const MOST: usize = 256;
const MOST_FROM_ONE: usize = 64;
const MOST_HEADERS: usize = 64;
const HEAD_BUFFER: usize = 16 * 1024;
/// How long running requests may take to end after the process was asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Answers connections until `shutdown` becomes true; then lets running requests end.
pub async fn serve<R: Routes>(
    listener: TcpListener,
    routes: Arc<R>,
    timeouts: Timeouts,
    mut shutdown: watch::Receiver<bool>,
) {
    let counts = Arc::new(Counts::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until_true(&mut shutdown) => break,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot accept a connection"
                );
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = counts.enter(peer.ip()) else {
            debug!(%peer, "too many connections, closing one");
            continue;
        };
        let (routes, shutdown) = (Arc::clone(&routes), shutdown.clone());
        connections.spawn(async move {
            let _place = place;
            one(stream, peer, routes, timeouts, shutdown).await;
        });
    }
    drop(listener);
    let ended = timeout(FAREWELL, async {
        while connections.join_next().await.is_some() {}
    });
    if ended.await.is_err() {
        warn!("some requests were cut off");
    }
}

async fn until_true(asked: &mut watch::Receiver<bool>) {
    drop(asked.wait_for(|asked| *asked).await);
}

async fn one<R: Routes>(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Arc<R>,
    timeouts: Timeouts,
    mut shutdown: watch::Receiver<bool>,
) {
    // A response is written at once; waiting to fill a packet would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Arc::clone(&routes).answer(request, peer));
    let stream = TokioIo::new(Stall::new(stream, timeouts.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.read)
        .max_headers(MOST_HEADERS)
        .max_buf_size(HEAD_BUFFER)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until_true(&mut shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%peer, error = &error as &dyn std::error::Error, "a connection ended badly");
    }
}

/// How many connections there are, by address.
#[derive(Default)]
struct Counts(Mutex<HashMap<IpAddr, usize>>);

/// The right to have a connection; given back when dropped.
struct Place {
    counts: Arc<Counts>,
    network: IpAddr,
}

impl Counts {
    fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let network = peer_network(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let from_one = counts.entry(network).or_default();
        if all >= MOST || *from_one >= MOST_FROM_ONE {
            if *from_one == 0 {
                counts.remove(&network);
            }
            return None;
        }
        *from_one += 1;
        Some(Place {
            counts: Arc::clone(self),
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_every_place() {
        let counts = Arc::new(Counts::default());
        let (greedy, other) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let places: Vec<_> = (0..MOST).filter_map(|_| counts.enter(greedy)).collect();
        assert_eq!(places.len(), MOST_FROM_ONE);
        assert!(counts.enter(other).is_some());
        drop(places);
        assert!(counts.0.lock().expect("not poisoned").is_empty());
        let many = |n: usize| IpAddr::from([10, 1, (n / 250) as u8, (n % 250) as u8]);
        let places: Vec<_> = (0..MOST + 5)
            .filter_map(|n| counts.enter(many(n)))
            .collect();
        assert_eq!(places.len(), MOST);
        assert_eq!(counts.0.lock().expect("not poisoned").len(), MOST);
    }
}
