//! The way to the API server: from inside a cluster, or as a kubeconfig says.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tower::limit::RateLimitLayer;

use crate::fence::Fence;

/// The name that API servers know this controller's requests and writes by.
///
/// It must not begin with `controller/`: that is how the original's writes are told from ours.
pub const AGENT: &str = concat!("kubeseal-rs/", env!("CARGO_PKG_VERSION"));

const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// How to connect.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A kubeconfig file; none means the service account of the pod.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; none means its current one.
    pub context: Option<String>,
    /// Requests per second, and how many at once; none for no limit.
    pub limit: Option<Limit>,
}

/// A limit on requests to the API server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Requests per second in the long run.
    pub per_second: f32,
    /// Requests at once.
    pub burst: u64,
}

impl Limit {
    /// What `--kubeclient-qps` and `--kubeclient-burst` mean; zeroes mean client-go's defaults.
    pub fn of_flags(qps: f32, burst: i64) -> Option<Self> {
        let per_second = if qps == 0.0 { 5.0 } else { qps };
        let burst = u64::try_from(burst).ok().filter(|burst| *burst > 0);
        (per_second > 0.0).then_some(Self {
            per_second,
            burst: burst.unwrap_or(10),
        })
    }
}

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The pod has no service account, or this is no pod.
    #[error(
        "there is no service account to reach the API server with\nhint: outside a cluster, say --kubeconfig FILE"
    )]
    NotInCluster(#[source] kube::config::InClusterError),
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] KubeconfigError),
    /// TLS or credentials cannot be set up.
    #[error("the connection to the API server cannot be prepared")]
    Client(#[source] kube::Error),
}

/// A client of the API server, and the namespace that is the controller's own.
///
/// What the client writes passes `fence`.
pub async fn connect(options: Options, fence: &Fence) -> Result<(Client, String), ConnectError> {
    let Options {
        kubeconfig,
        context,
        limit,
    } = options;
    let outside = kubeconfig.is_some() || context.is_some();
    let mut config = if outside {
        from_kubeconfig(kubeconfig, context)
            .await
            .map_err(ConnectError::Kubeconfig)?
    } else {
        Config::incluster().map_err(ConnectError::NotInCluster)?
    };
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(AGENT)));
    // A write that was put off is decided on anew: by then another may lead.
    config.default_retry = false;
    let namespace = own_namespace().unwrap_or_else(|| config.default_namespace.clone());
    let client = build(config, limit, fence).map_err(ConnectError::Client)?;
    Ok((client, namespace))
}

async fn from_kubeconfig(
    file: Option<PathBuf>,
    context: Option<String>,
) -> Result<Config, KubeconfigError> {
    let options = KubeConfigOptions {
        context,
        ..KubeConfigOptions::default()
    };
    match file {
        Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await,
        None => Config::from_kubeconfig(&options).await,
    }
}

fn build(config: Config, limit: Option<Limit>, fence: &Fence) -> Result<Client, kube::Error> {
    let builder = ClientBuilder::try_from(config)?.with_layer(fence);
    let Some(Limit { per_second, burst }) = limit else {
        return Ok(builder.build());
    };
    let window = Duration::try_from_secs_f32(burst as f32 / per_second).unwrap_or(Duration::MAX);
    Ok(builder
        .with_layer(&RateLimitLayer::new(burst, window))
        .build())
}

/// `POD_NAMESPACE`, else that of the service account. Returns `None` outside a cluster.
fn own_namespace() -> Option<String> {
    let variable = env::var("POD_NAMESPACE").ok();
    let mounted = || fs::read_to_string(NAMESPACE_FILE).ok();
    let is_name = |name: &String| !name.is_empty();
    variable
        .filter(is_name)
        .or_else(|| mounted().map(|name| name.trim().to_owned()).filter(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_rate_is_no_limit_and_zero_is_the_default_of_client_go() {
        for (qps, burst, expected) in [
            (-1.0, 10, None),
            (20.0, 40, Some((20.0, 40))),
            (0.0, 0, Some((5.0, 10))),
        ] {
            let limit = Limit::of_flags(qps, burst).map(|limit| (limit.per_second, limit.burst));
            assert_eq!(limit, expected, "{qps} {burst}");
        }
    }
}
