//! Who may do what: users, service accounts, kubeconfig files.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::Cluster;
use crate::{
    api::{Api, Credential},
    path,
    pki::Identity,
};

/// Someone who talks to the API server.
#[derive(Clone, Debug)]
pub enum User {
    /// A cluster administrator.
    Admin,
    /// A person with a client certificate: in no group but `system:authenticated`, with no rights of their own.
    Person(&'static str),
    /// A service account, made if it is not there.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Cluster {
    /// A client of the API server for `user`.
    pub fn api_as(&self, user: &User) -> Api {
        Api::new(
            &self.server(),
            &self.authority.certificate(),
            &self.credential(user),
        )
    }

    /// A kubeconfig file for `user`, with the namespace `default`.
    pub fn kubeconfig(&self, user: &User) -> PathBuf {
        self.write_kubeconfig(&self.credential(user))
    }

    /// The address of the API server.
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The port of the API server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that the API server is trusted by, PEM.
    pub fn ca_certificate(&self) -> String {
        self.authority.certificate()
    }

    /// Makes the service account if it is not there.
    pub fn service_account(&self, namespace: &str, name: &str) {
        self.api.apply(
            &path::core(namespace, &format!("serviceaccounts/{name}")),
            &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}),
        );
    }

    /// A token of the service account.
    pub fn service_account_token(&self, namespace: &str, name: &str) -> String {
        let path = path::core(namespace, &format!("serviceaccounts/{name}/token"));
        let reply = self
            .api
            .create(&path, &json!({"spec": {"expirationSeconds": 36_000}}));
        reply["status"]["token"]
            .as_str()
            .expect("a token was asked for")
            .to_owned()
    }

    /// Lets `user` do what `rules` (of RBAC) say, in `namespace` or everywhere.
    ///
    /// `name` names the role and its binding; the same name again replaces the rules.
    pub fn grant(&self, user: &User, namespace: Option<&str>, name: &str, rules: &Value) {
        let (role, api_version) = (
            if namespace.is_some() {
                "Role"
            } else {
                "ClusterRole"
            },
            "rbac.authorization.k8s.io/v1",
        );
        let subject = match user {
            User::Admin => return,
            User::Person(person) => {
                json!({"kind": "User", "name": person, "apiGroup": "rbac.authorization.k8s.io"})
            }
            User::ServiceAccount { namespace, name } => {
                json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
            }
        };
        let kind = role.to_lowercase();
        self.api.apply(
            &path::rbac(namespace, &format!("{kind}s/{name}")),
            &json!({"apiVersion": api_version, "kind": role, "metadata": {"name": name}, "rules": rules}),
        );
        self.api.apply(
            &path::rbac(namespace, &format!("{kind}bindings/{name}")),
            &json!({
                "apiVersion": api_version, "kind": format!("{role}Binding"), "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
                "subjects": [subject],
            }),
        );
    }

    pub(super) fn write_kubeconfig(&self, credential: &Credential) -> PathBuf {
        let user = match credential {
            Credential::Token(token) => json!({"token": token}),
            Credential::Identity(Identity { certificate, key }) => json!({
                "client-certificate-data": base64(certificate), "client-key-data": base64(key),
            }),
        };
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": self.server(), "certificate-authority-data": base64(&self.authority.certificate()),
            }}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}],
        });
        let file = self.new_file("kubeconfig");
        fs::write(&file, config.to_string())
            .unwrap_or_else(|e| panic!("cannot write {}: {e}", file.display()));
        file
    }

    fn credential(&self, user: &User) -> Credential {
        match user {
            User::Admin => {
                Credential::Identity(self.authority.client("admin", &["system:masters"]))
            }
            User::Person(name) => Credential::Identity(self.authority.client(name, &[])),
            User::ServiceAccount { namespace, name } => {
                self.service_account(namespace, name);
                Credential::Token(self.service_account_token(namespace, name))
            }
        }
    }
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}
