//! kubectl's flags: how to reach the API server, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kube::config::{AuthInfo, Cluster};
use serde_json::json;

use super::values::{self, given};
use crate::cluster::{Connection, Controller};
use crate::namespace::Namespaces;

/// Flags about the cluster.
#[derive(Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ConnectionFlags {
    /// Namespace of the controller's Service
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    controller_namespace: String,
    /// Name of the controller's Service; the chart of sealed-secrets calls it sealed-secrets
    #[arg(long, value_name = "NAME", default_value = "sealed-secrets-controller")]
    controller_name: String,
    /// Namespace for Secrets that declare none
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Kubeconfig file, instead of $KUBECONFIG and ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Address of the API server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Bearer token
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<String>,
    /// Group to impersonate; may be repeated
    #[arg(long, value_name = "GROUP")]
    as_group: Vec<String>,
    /// UID to impersonate
    #[arg(long, value_name = "UID")]
    as_uid: Option<String>,
    /// Certificate file of the API server's authority
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<String>,
    /// Certificate file to log in with
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<String>,
    /// Key file to log in with
    #[arg(long, value_name = "FILE")]
    client_key: Option<String>,
    /// Do not check the API server's certificate: anybody on the way can read and change everything
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// Name that the API server's certificate must have
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Proxy on the way to the API server
    #[arg(long, value_name = "URL")]
    proxy_url: Option<String>,
    /// How long one request may take, such as 30s; 0 for any time
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = values::duration)]
    request_timeout: Duration,
    /// User name for basic authentication
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Password for basic authentication
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
}

impl ConnectionFlags {
    /// The controller to talk to.
    pub(super) fn controller(&self) -> Controller {
        Controller {
            connection: self.connection(),
            namespace: self.controller_namespace.clone(),
            name: self.controller_name.clone(),
        }
    }

    /// Which namespace Secrets are sealed for.
    pub(super) fn namespaces(&self) -> Namespaces {
        Namespaces {
            asked: given(&self.namespace),
            connection: self.connection(),
        }
    }

    fn connection(&self) -> Connection {
        Connection {
            kubeconfig: given(&self.kubeconfig).map(PathBuf::from),
            context: given(&self.context),
            cluster: given(&self.cluster),
            user: given(&self.user),
            cluster_fields: Cluster {
                server: given(&self.server),
                insecure_skip_tls_verify: Some(self.insecure_skip_tls_verify),
                certificate_authority: given(&self.certificate_authority),
                proxy_url: given(&self.proxy_url),
                tls_server_name: given(&self.tls_server_name),
                ..Cluster::default()
            },
            user_fields: self.user_fields(),
            timeout: Some(self.request_timeout).filter(|timeout| !timeout.is_zero()),
        }
    }

    fn user_fields(&self) -> AuthInfo {
        // Tokens and passwords are of a type that can only be made by reading them.
        let secrets = json!({"token": given(&self.token), "password": given(&self.password)});
        AuthInfo {
            username: given(&self.username),
            client_certificate: given(&self.client_certificate),
            client_key: given(&self.client_key),
            impersonate: given(&self.as_user),
            impersonate_uid: given(&self.as_uid),
            impersonate_groups: Some(self.as_group.clone()).filter(|groups| !groups.is_empty()),
            ..serde_json::from_value(secrets).unwrap_or_default()
        }
    }
}
