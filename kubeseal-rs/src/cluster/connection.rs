//! How to reach the API server: kubeconfig files and the flags that overrule them, as kubectl reads them.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo,
    NamedCluster, NamedContext,
};
use kube::{Client, Config};

use super::login;
use crate::error::CommandError;

const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What was said on the command line about the cluster. Whatever is not said comes from kubeconfig files.
#[derive(Clone, Default)]
pub(crate) struct Connection {
    /// A kubeconfig file, instead of those that the environment names.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context to use.
    pub(crate) context: Option<String>,
    /// The cluster to use instead of the context's.
    pub(crate) cluster: Option<String>,
    /// The user to use instead of the context's.
    pub(crate) user: Option<String>,
    /// Overrules fields of the cluster.
    pub(crate) cluster_fields: Cluster,
    /// Overrules fields of the user.
    pub(crate) user_fields: AuthInfo,
    /// How long one request may take.
    pub(crate) timeout: Option<Duration>,
}

impl Connection {
    /// A client of the API server, and how long one request may take.
    pub(super) async fn client(&self) -> Result<(Client, Option<Duration>), CommandError> {
        let mut config = self.config().await?;
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|e| {
            CommandError::new("cannot connect to the API server").because(describe(&e))
        })?;
        Ok((client, self.timeout))
    }

    async fn config(&self) -> Result<Config, CommandError> {
        let kubeconfig = self.merged_kubeconfig()?;
        if self.is_silent(&kubeconfig) {
            return Config::incluster().map_err(|_| {
                CommandError::new("no configuration of a cluster has been provided")
                    .hint("name a kubeconfig file with --kubeconfig or $KUBECONFIG; it is also looked for in ~/.kube/config")
            });
        }
        let kubeconfig = self.overrule(kubeconfig)?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|e| {
                CommandError::new("cannot use the kubeconfig").because(describe_kubeconfig(&e))
            })
    }

    /// Whether neither a file nor a flag says where the API server is.
    fn is_silent(&self, kubeconfig: &Kubeconfig) -> bool {
        kubeconfig.contexts.is_empty()
            && kubeconfig.clusters.is_empty()
            && self.context.is_none()
            && self.cluster_fields.server.is_none()
    }

    /// The namespace that the current context says. Returns `None` if there is no usable kubeconfig.
    pub(crate) fn default_namespace(&self) -> Option<String> {
        let kubeconfig = self.merged_kubeconfig().ok()?;
        let (context, _) = self.context(&kubeconfig).ok()?;
        let cluster = self.cluster.as_ref().unwrap_or(&context.cluster);
        let has_server = self.cluster_fields.server.is_some()
            || kubeconfig
                .clusters
                .iter()
                .any(|known| known.name == *cluster);
        let in_context = context.namespace.filter(|text| !text.is_empty());
        match in_context {
            Some(namespace) => has_server.then_some(namespace),
            None if in_cluster() => Some(namespace_of_pod()),
            None => has_server.then(|| "default".to_owned()),
        }
    }

    /// The kubeconfig files, merged: what the first one says counts. Files that do not exist are passed over, but not one
    /// named by a flag.
    fn merged_kubeconfig(&self) -> Result<Kubeconfig, CommandError> {
        let read = |path: &PathBuf| {
            Kubeconfig::read_from(path).map_err(|e| {
                CommandError::new(format!("cannot read the kubeconfig {}", path.display()))
                    .because(describe_kubeconfig(&e))
            })
        };
        if let Some(path) = &self.kubeconfig {
            return read(path);
        }
        let mut merged = Kubeconfig::default();
        for path in paths_of_environment() {
            if path.exists() {
                merged = merged.merge(read(&path)?).map_err(|e| {
                    CommandError::new("cannot merge the kubeconfig files").because(e)
                })?;
            }
        }
        Ok(merged)
    }

    /// The context to use and its name; an empty one if none is named at all.
    fn context(&self, kubeconfig: &Kubeconfig) -> Result<(Context, String), CommandError> {
        let current = kubeconfig
            .current_context
            .clone()
            .filter(|name| !name.is_empty());
        let Some(name) = self.context.clone().or(current) else {
            return Ok((Context::default(), String::new()));
        };
        let known = kubeconfig.contexts.iter().find(|known| known.name == name);
        match known.and_then(|known| known.context.clone()) {
            Some(context) => Ok((context, name)),
            None => Err(
                CommandError::new(format!("context {name:?} does not exist"))
                    .hint("`kubectl config get-contexts` lists those that do"),
            ),
        }
    }

    /// A kubeconfig of one context, one cluster and one user, with what the flags say put over what the files say.
    fn overrule(&self, kubeconfig: Kubeconfig) -> Result<Kubeconfig, CommandError> {
        let (context, _) = self.context(&kubeconfig)?;
        let cluster_name = self
            .cluster
            .clone()
            .unwrap_or_else(|| context.cluster.clone());
        let user_name = self
            .user
            .clone()
            .or_else(|| context.user.clone())
            .unwrap_or_default();
        let find_cluster = kubeconfig
            .clusters
            .into_iter()
            .find(|known| known.name == cluster_name);
        if find_cluster.is_none() && self.cluster.is_some() {
            return Err(CommandError::new(format!(
                "cluster {cluster_name:?} does not exist"
            )));
        }
        let find_user = kubeconfig
            .auth_infos
            .into_iter()
            .find(|known| known.name == user_name);
        if find_user.is_none() && self.user.is_some() {
            return Err(CommandError::new(format!(
                "auth info {user_name:?} does not exist"
            )));
        }
        let cluster = find_cluster
            .and_then(|known| known.cluster)
            .unwrap_or_default();
        let user = find_user
            .and_then(|known| known.auth_info)
            .unwrap_or_default();
        let cluster = overrule_cluster(cluster, &self.cluster_fields);
        let user = login::complete(overrule_user(user, &self.user_fields), &cluster)?;
        let only = "only".to_owned();
        let context = Context {
            cluster: only.clone(),
            user: Some(only.clone()),
            ..context
        };
        Ok(Kubeconfig {
            clusters: vec![NamedCluster {
                name: only.clone(),
                cluster: Some(cluster),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: only.clone(),
                auth_info: Some(user),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: only.clone(),
                context: Some(context),
                ..NamedContext::default()
            }],
            current_context: Some(only),
            ..Kubeconfig::default()
        })
    }
}

fn overrule_cluster(mut cluster: Cluster, flags: &Cluster) -> Cluster {
    let over = |field: &mut Option<String>, flag: &Option<String>| {
        if flag.is_some() {
            field.clone_from(flag);
        }
    };
    over(&mut cluster.server, &flags.server);
    over(&mut cluster.tls_server_name, &flags.tls_server_name);
    over(&mut cluster.proxy_url, &flags.proxy_url);
    if flags.certificate_authority.is_some() {
        cluster.certificate_authority_data = None;
        cluster
            .certificate_authority
            .clone_from(&flags.certificate_authority);
        cluster.insecure_skip_tls_verify = None;
    }
    if flags.insecure_skip_tls_verify == Some(true) {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    cluster
}

/// A way to log in that a flag names takes the place of the user's others; client certificates stay beside it.
fn overrule_user(mut user: AuthInfo, flags: &AuthInfo) -> AuthInfo {
    if flags.token.is_some() || flags.username.is_some() {
        user.token = flags.token.clone();
        user.token_file = None;
        user.username = flags.username.clone();
        user.password = flags.password.clone();
        user.exec = None;
        user.auth_provider = None;
    }
    if flags.client_certificate.is_some() {
        user.client_certificate
            .clone_from(&flags.client_certificate);
        user.client_certificate_data = None;
    }
    if flags.client_key.is_some() {
        user.client_key.clone_from(&flags.client_key);
        user.client_key_data = None;
    }
    if flags.impersonate.is_some() {
        user.impersonate.clone_from(&flags.impersonate);
    }
    if flags.impersonate_uid.is_some() {
        user.impersonate_uid.clone_from(&flags.impersonate_uid);
    }
    if flags.impersonate_groups.is_some() {
        user.impersonate_groups
            .clone_from(&flags.impersonate_groups);
    }
    user
}

fn paths_of_environment() -> Vec<PathBuf> {
    let listed = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    match listed {
        Some(list) => std::env::split_paths(&list)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        None => std::env::home_dir()
            .map(|home| home.join(".kube/config"))
            .into_iter()
            .collect(),
    }
}

fn in_cluster() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("KUBERNETES_SERVICE_HOST")
        && is_set("KUBERNETES_SERVICE_PORT")
        && std::path::Path::new(SERVICE_ACCOUNT_TOKEN).is_file()
}

fn namespace_of_pod() -> String {
    let named = std::env::var("POD_NAMESPACE")
        .ok()
        .filter(|text| !text.is_empty());
    let mounted = || {
        let path = std::path::Path::new(SERVICE_ACCOUNT_TOKEN).with_file_name("namespace");
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    named
        .or_else(mounted)
        .unwrap_or_else(|| "default".to_owned())
}

/// An error of the client with its reasons, in one line.
pub(super) fn describe(error: &kube::Error) -> String {
    let mut next = std::error::Error::source(error);
    if matches!(error, kube::Error::Service(_)) {
        // What lies between is about the library, not about the network.
        let innermost = std::iter::successors(next, |reason| reason.source()).last();
        let reason = innermost.map(|reason| match reason.downcast_ref() {
            Some(error) => crate::error::io_reason(error),
            None => reason.to_string(),
        });
        return format!(
            "cannot reach the API server: {}",
            reason.unwrap_or_else(|| error.to_string())
        );
    }
    let mut text = error.to_string();
    while let Some(reason) = next {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text = format!("{text}: {reason_text}");
        }
        next = reason.source();
    }
    text
}

/// The parser's own message shows a piece of the file, and that may be a token.
fn describe_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "it is not the YAML of a kubeconfig".to_owned(),
        KubeconfigError::ReadConfig(error, _) => crate::error::io_reason(error),
        other => other.to_string(),
    }
}
