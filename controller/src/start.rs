//! Everything put together: from the command line to a running controller, and to its end.

mod settings;

use std::error::Error;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use crate::args::Args;
use crate::client::{self, ConnectError};
use crate::fence::Fence;
use crate::http::{self, BindError, MetricsPage, SealedRoutes};
use crate::key_store::KeyStore;
use crate::lease::{self, BadTimes};
use crate::log::Log;
use crate::metrics::Metrics;
use crate::run::{self, Core, RunError};
use crate::{VERSION, own_memory, renewal};

/// How long the core may take to put away what it has in hand.
const FAREWELL: Duration = Duration::from_secs(8);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Why the controller ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no runtime, or no signals can be received.
    #[error("the system gives no threads or no signals")]
    System(#[source] io::Error),
    /// There is no way to the API server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A port is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The flags of the lease do not fit together.
    #[error(transparent)]
    Lease(#[from] BadTimes),
    /// Flags exclude each other.
    #[error(
        "--namespace-selector and --additional-namespaces exclude each other\nhint: label those namespaces too, or list all of them"
    )]
    Namespaces,
    /// The sealing keys may not be read.
    #[error(
        "the sealing keys in namespace {namespace:?} cannot be read\nhint: the service account needs get, list, create and watch on Secrets there"
    )]
    Keys {
        /// The controller's namespace.
        namespace: String,
        /// What the API server says.
        #[source]
        source: kube::Error,
    },
    /// The core ended.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A part of the controller ended.
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// The whole program.
pub fn main() -> ExitCode {
    own_memory::keep();
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            // There is nowhere to complain if that fails.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if args.version {
        let written = writeln!(io::stdout(), "controller version: {VERSION}");
        return ExitCode::from(u8::from(written.is_err()));
    }
    let log = Log {
        level: args.log_level,
        format: args.log_format,
        info_to_stdout: args.log_info_stdout,
    };
    // Both fail only where they are set already.
    let _ = tracing::subscriber::set_global_default(log);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(StartError::System)
        .and_then(|runtime| runtime.block_on(run_until_told(&args)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Logs an error with all its causes, and its hint as a field of its own.
fn complain(error: &StartError) {
    let text = error.to_string();
    let (message, hint) = match text.split_once("\nhint: ") {
        Some((message, hint)) => (message.to_owned(), Some(hint)),
        None => (text.clone(), None),
    };
    let mut message = message;
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    error!(hint, "{message}");
}

/// The signals that this process listens to, from before anything is begun.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    renew: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            renew: signal(SignalKind::user_defined1())?,
        })
    }
}

async fn run_until_told(args: &Args) -> Result<(), StartError> {
    info!(version = VERSION, "Starting sealed-secrets controller");
    let Signals {
        mut terminate,
        mut interrupt,
        renew,
    } = Signals::listen().map_err(StartError::System)?;
    let (shutdown_tx, shutdown) = watch::channel(false);
    let running = async {
        let pages = http::bind(&args.listen_addr, "--listen-addr").await?;
        let metrics_pages = http::bind(&args.listen_metrics_addr, "--listen-metrics-addr").await?;
        let (leader_tx, leader) = watch::channel(false);
        let (ready_tx, ready) = watch::channel(false);
        let shared = Shared::connect(args, leader, shutdown).await?;
        let mut servers = shared.serve(args, ready, pages, metrics_pages);
        tokio::select! {
            read = shared.read_keys() => read?,
            _ = servers.join_next() => return Err(StartError::Ended("HTTP server")),
        }
        Ok(Running {
            core: shared.run_core(args, ready_tx)?,
            keepers: shared.keep_up(args, renew),
            election: shared.elect(args, leader_tx)?,
            servers,
        })
    };
    let told = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let mut told = pin!(told);
    let mut running: Running = tokio::select! {
        running = running => running?,
        () = told.as_mut() => return Ok(()),
    };
    let ended = tokio::select! {
        () = told => Ok(()),
        error = running.broken() => Err(error),
    };
    info!("Shutting down");
    shutdown_tx.send_replace(true);
    running.end().await;
    ended
}

/// What the parts share.
struct Shared {
    client: Client,
    namespace: String,
    fence: Fence,
    metrics: Arc<Metrics>,
    store: Arc<KeyStore>,
    leader: watch::Receiver<bool>,
    shutdown: watch::Receiver<bool>,
}

impl Shared {
    async fn connect(
        args: &Args,
        leader: watch::Receiver<bool>,
        shutdown: watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let fence = Fence::new();
        let (client, namespace) = client::connect(settings::client(args), &fence).await?;
        let keys = settings::keys(args, &namespace);
        Ok(Self {
            metrics: Arc::new(Metrics::new(VERSION, args.metrics_omit_secret_labels)),
            store: Arc::new(KeyStore::new(client.clone(), keys)),
            client,
            namespace,
            fence,
            leader,
            shutdown,
        })
    }

    fn serve(
        &self,
        args: &Args,
        ready: watch::Receiver<bool>,
        pages: TcpListener,
        metrics_pages: TcpListener,
    ) -> JoinSet<()> {
        let (bounds, timeouts) = settings::http(args);
        let metrics = Arc::clone(&self.metrics);
        let routes = SealedRoutes::new(self.store.ring(), ready, metrics, bounds, timeouts);
        let metrics_page = MetricsPage {
            metrics: Arc::clone(&self.metrics),
            ring: self.store.ring(),
        };
        info!(addr = args.listen_addr, "HTTP server serving");
        info!(
            addr = args.listen_metrics_addr,
            "HTTP metrics server serving"
        );
        let (routes, metrics_page) = (Arc::new(routes), Arc::new(metrics_page));
        let shutdown = || self.shutdown.clone();
        let mut servers = JoinSet::new();
        servers.spawn(http::serve(pages, routes, timeouts, shutdown()));
        servers.spawn(http::serve(
            metrics_pages,
            metrics_page,
            timeouts,
            shutdown(),
        ));
        servers
    }

    /// Reads the sealing keys for the first time. An API server that is away is waited for; one that forbids it is not.
    async fn read_keys(&self) -> Result<(), StartError> {
        info!("Searching for existing private keys");
        let mut pause = FIRST_PAUSE;
        while let Err(source) = self.store.refresh().await {
            if let kube::Error::Api(status) = &source
                && matches!(status.code, 401 | 403)
            {
                let namespace = self.namespace.clone();
                return Err(StartError::Keys { namespace, source });
            }
            let error = &source as &dyn Error;
            warn!(error, "cannot read the sealing keys yet, trying again");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn run_core(
        &self,
        args: &Args,
        ready: watch::Sender<bool>,
    ) -> Result<JoinHandle<Result<(), RunError>>, StartError> {
        Ok(tokio::spawn(run::run(Core {
            client: self.client.clone(),
            settings: settings::core(args, &self.namespace)?,
            ring: self.store.ring(),
            leader: self.leader.clone(),
            metrics: Arc::clone(&self.metrics),
            ready,
            shutdown: self.shutdown.clone(),
            clock: Timestamp::now,
        })))
    }

    /// Follows the keys, renews them, and shows who leads.
    fn keep_up(&self, args: &Args, renew: Signal) -> JoinSet<()> {
        let mut keepers = JoinSet::new();
        keepers.spawn(Arc::clone(&self.store).follow());
        let rules = settings::renewal(args);
        let (store, leader) = (Arc::clone(&self.store), self.leader.clone());
        keepers.spawn(renewal::run(store, rules, leader, renew));
        let (metrics, mut leader) = (Arc::clone(&self.metrics), self.leader.clone());
        keepers.spawn(async move {
            loop {
                metrics.leader(*leader.borrow_and_update());
                if leader.changed().await.is_err() {
                    return;
                }
            }
        });
        keepers
    }

    fn elect(&self, args: &Args, leader: watch::Sender<bool>) -> Result<Election, StartError> {
        let (release, released) = watch::channel(false);
        let lease = settings::lease(args, &self.namespace);
        lease.check()?;
        let (client, fence, elect) = (self.client.clone(), self.fence.clone(), args.leader_elect);
        let standing = tokio::spawn(async move {
            if elect {
                lease::run(client, lease, leader, fence, released).await;
            } else {
                fence.open();
                leader.send_replace(true);
                let mut released = released;
                let _ = released.wait_for(|asked| *asked).await;
            }
        });
        Ok(Election { standing, release })
    }
}

struct Election {
    standing: JoinHandle<()>,
    release: watch::Sender<bool>,
}

/// A controller at work. Dropping it ends what is left of it.
struct Running {
    core: JoinHandle<Result<(), RunError>>,
    keepers: JoinSet<()>,
    election: Election,
    servers: JoinSet<()>,
}

impl Running {
    /// Waits until a part ends that should not.
    async fn broken(&mut self) -> StartError {
        tokio::select! {
            core = &mut self.core => match core {
                Ok(Err(error)) => error.into(),
                _ => StartError::Ended("core"),
            },
            _ = self.keepers.join_next() => StartError::Ended("watch on sealing keys"),
            _ = &mut self.election.standing => StartError::Ended("leader election"),
            _ = self.servers.join_next() => StartError::Ended("HTTP server"),
        }
    }

    /// Lets everything end in order: the lease is given back only when nothing writes any more.
    async fn end(self) {
        let Self {
            core,
            keepers,
            election,
            mut servers,
        } = self;
        drop(keepers);
        if !core.is_finished() && timeout(FAREWELL, core).await.is_err() {
            warn!("work in hand was cut off");
        }
        election.release.send_replace(true);
        if !election.standing.is_finished() {
            let _ = election.standing.await;
        }
        while servers.join_next().await.is_some() {}
    }
}
