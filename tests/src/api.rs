//! A blocking client of the API server: JSON values by path.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use ureq::{
    Agent,
    http::Request,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig},
};

use crate::{
    pki::Identity,
    wait::{PATIENCE, poll},
};

/// What a caller shows to say who it is.
pub enum Credential {
    /// A client certificate.
    Identity(Identity),
    /// A bearer token.
    Token(String),
}

/// What the API server answered.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON where it is JSON, else a JSON string.
    pub body: Value,
}

/// The API server as one caller.
///
/// Paths are those of the Kubernetes API, see [`crate::path`]. Methods panic on what a test does not expect; to look at a
/// refusal, use [`Api::send`].
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    server: String,
    token: Option<String>,
}

impl Api {
    /// A client of `server` (`https://…`), trusted through the authority's certificate `ca`.
    pub fn new(server: &str, ca: &str, credential: &Credential) -> Self {
        let ca = Certificate::from_pem(ca.as_bytes()).expect("the authority made it");
        let mut tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::new_with_certs(&[ca]));
        let mut token = None;
        match credential {
            Credential::Token(text) => token = Some(text.clone()),
            Credential::Identity(Identity { certificate, key }) => {
                let chain = [
                    Certificate::from_pem(certificate.as_bytes()).expect("the authority made it")
                ];
                let key = PrivateKey::from_pem(key.as_bytes()).expect("the authority made it");
                tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
            }
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        Self {
            agent: config.build().into(),
            server: server.to_owned(),
            token,
        }
    }

    /// Sends one request; `Err` if no answer came.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Reply, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server));
        request = request
            .header("accept", "application/json")
            .header("content-type", content_type);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(|e| e.to_string())?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|e| format!("{method} {path}: {e}"))?;
        let text = response
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string();
        let text = text.map_err(|e| format!("{method} {path}: {e}"))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Reply {
            status: response.status().as_u16(),
            body,
        })
    }

    /// The object at `path`. Returns `None` if there is none.
    ///
    /// Asks again while the API server is away, starting or too busy.
    pub fn get(&self, path: &str) -> Option<Value> {
        let reply = poll(PATIENCE, || match self.send("GET", path, JSON, b"")? {
            Reply {
                status: 429 | 500..,
                body,
            } => Err(format!("GET {path}: {body}")),
            reply => Ok(reply),
        });
        match reply.unwrap_or_else(|e| panic!("{e}")) {
            Reply { status: 404, .. } => None,
            Reply { status: 200, body } => Some(body),
            reply => panic!("GET {path}: {} {}", reply.status, reply.body),
        }
    }

    /// The items of the list at `path`.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let mut list = self
            .get(path)
            .unwrap_or_else(|| panic!("GET {path}: 404, is it a list?"));
        match list["items"].take() {
            Value::Array(items) => items,
            _ => panic!("GET {path}: no list: {list}"),
        }
    }

    /// Creates `object` in the collection at `path`.
    pub fn create(&self, path: &str, object: &Value) -> Value {
        self.done("POST", path, JSON, &object.to_string())
    }

    /// Creates or changes the object at `path` by server-side apply, taking over what others have set.
    pub fn apply(&self, path: &str, object: &Value) -> Value {
        self.apply_yaml(path, &object.to_string())
    }

    /// Like [`Api::apply`], from YAML text.
    pub fn apply_yaml(&self, path: &str, yaml: &str) -> Value {
        self.done(
            "PATCH",
            &format!("{path}?fieldManager=testkit&force=true"),
            "application/apply-patch+yaml",
            yaml,
        )
    }

    /// Changes the object at `path` by a JSON merge patch.
    pub fn patch(&self, path: &str, patch: &Value) -> Value {
        self.done(
            "PATCH",
            path,
            "application/merge-patch+json",
            &patch.to_string(),
        )
    }

    /// Replaces the object at `path`.
    pub fn replace(&self, path: &str, object: &Value) -> Value {
        self.done("PUT", path, JSON, &object.to_string())
    }

    /// Deletes the object at `path`; dependants are left to garbage collection.
    pub fn delete(&self, path: &str) {
        self.done(
            "DELETE",
            path,
            JSON,
            r#"{"propagationPolicy":"Background"}"#,
        );
    }

    fn done(&self, method: &str, path: &str, content_type: &str, body: &str) -> Value {
        match self.send(method, path, content_type, body.as_bytes()) {
            Ok(Reply {
                status: 200..=299,
                body,
            }) => body,
            Ok(reply) => panic!(
                "{method} {path}: {} {}\nsent: {body}",
                reply.status, reply.body
            ),
            Err(e) => panic!("{e}"),
        }
    }
}

const JSON: &str = "application/json";
