//! A controller as a process: the original's or ours, in its namespace, behind its Service.

mod launch;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use ureq::Agent;

pub use self::launch::Launch;
use crate::{
    api::Reply,
    cluster::Cluster,
    ours, peer,
    process::{Process, Signal},
    wait::PATIENCE,
};

/// The original controller, on `cluster`.
pub fn theirs(cluster: &Arc<Cluster>) -> Launch {
    Launch::new(
        cluster,
        "their controller",
        peer::CONTROLLER.path(),
        launch::rules_of_theirs(),
    )
}

/// Our controller, on `cluster`.
pub fn ours(cluster: &Arc<Cluster>) -> Launch {
    Launch::new(
        cluster,
        "our controller",
        ours::controller(),
        launch::rules_of_ours(),
    )
}

/// A running controller; it ends when dropped.
pub struct Controller {
    /// Its process, for signals.
    pub process: Process,
    launch: Launch,
    port: u16,
    metrics_port: u16,
}

impl Controller {
    /// Asks its HTTP endpoint directly: `request("POST", "/v1/verify", body)`.
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Result<Reply, String> {
        request(self.port, method, path, body)
    }

    /// The certificate it offers for sealing, PEM.
    pub fn certificate(&self) -> String {
        let reply = self
            .request("GET", "/v1/cert.pem", b"")
            .unwrap_or_else(|e| panic!("{e}"));
        match reply {
            Reply {
                status: 200,
                body: Value::String(pem),
            } => pem,
            reply => panic!("no certificate: {reply:?}"),
        }
    }

    /// All its metrics, as text. Returns `None` if it does not answer yet.
    pub fn try_metrics(&self) -> Option<String> {
        let reply = request(self.metrics_port, "GET", "/metrics", b"").ok()?;
        reply.body.as_str().map(str::to_owned)
    }

    /// All its metrics, as text.
    pub fn metrics(&self) -> String {
        self.try_metrics()
            .unwrap_or_else(|| panic!("no metrics\n{}", self.process.tail()))
    }

    /// The sum of the samples whose line begins with `series`: a name, perhaps with the beginning of its labels.
    pub fn metric(&self, series: &str) -> f64 {
        let lines = self.metrics();
        let samples = lines.lines().filter(|line| line.starts_with(series));
        samples
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// The local port of its endpoints.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The local port of its metrics.
    pub fn metrics_port(&self) -> u16 {
        self.metrics_port
    }

    /// All it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it as a kubelet would, with SIGTERM; it must end by itself within ten seconds, and well.
    pub fn stop(self) {
        self.process.signal(Signal::TERM);
        let ended = crate::wait::poll(Duration::from_secs(10), || self.process.exited().ok_or(()));
        let tail = || self.process.tail();
        match ended {
            Ok(status) => assert!(status.success(), "SIGTERM: {status}\n{}", tail()),
            Err(()) => panic!("the controller goes on after SIGTERM\n{}", tail()),
        }
    }

    /// Ends it at once, with SIGKILL; returns what starts the same again, in the same place.
    pub fn kill(self) -> Launch {
        self.process.kill();
        self.launch
    }

    /// Lets it generate a new sealing key, as SIGUSR1 does.
    pub fn renew_key(&self) {
        self.process.signal(Signal::USR1);
    }

    /// Freezes it until [`Controller::resume`].
    pub fn pause(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on after [`Controller::pause`].
    pub fn resume(&self) {
        self.process.signal(Signal::CONT);
    }

    /// Waits until it is ready. Returns whether it is; else a stranger has taken one of its ports.
    fn is_ready(&self) -> bool {
        let cluster = self.launch.cluster();
        cluster.wait_until("the controller is ready", PATIENCE, || {
            match self.process.exited() {
                Some(_) if self.log().contains("address already in use") => Ok(false),
                Some(status) => panic!("the controller ended: {status}\n{}", self.process.tail()),
                None => match self.request("GET", "/readyz", b"")? {
                    Reply { status: 200, .. } => Ok(true),
                    reply => Err(format!("{reply:?}")),
                },
            }
        })
    }
}

fn request(port: u16, method: &str, path: &str, body: &[u8]) -> Result<Reply, String> {
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false);
    let agent: Agent = config
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:{port}{path}"));
    let mut response = agent
        .run(request.body(body).map_err(|e| e.to_string())?)
        .map_err(|e| e.to_string())?;
    let text = response
        .body_mut()
        .read_to_string()
        .map_err(|e| e.to_string())?;
    Ok(Reply {
        status: response.status().as_u16(),
        body: Value::String(text),
    })
}
