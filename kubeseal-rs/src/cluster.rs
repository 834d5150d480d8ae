//! The controller of a cluster, reached through the API server's service proxy.

mod connection;
mod login;
mod reply;

use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) use connection::Connection;
use reply::Reply;

use crate::error::CommandError;

/// The largest answer that is read, in bytes.
const MOST_BYTES: usize = 64 << 20;
/// How often a request is sent again when the controller says that it has too much to do.
const MOST_RETRIES: usize = 20;
/// The longest wait before one of these.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Which controller, in which cluster.
#[derive(Clone)]
pub(crate) struct Controller {
    /// How to reach the API server.
    pub(crate) connection: Connection,
    /// The namespace of the controller's Service.
    pub(crate) namespace: String,
    /// The name of the controller's Service.
    pub(crate) name: String,
}

/// A controller that can be talked to.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    timeout: Option<Duration>,
    /// The path under which the API server passes requests on to the controller.
    proxy: String,
}

/// What a controller says about a SealedSecret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It can be opened.
    Opens,
    /// It cannot.
    DoesNotOpen,
}

impl Controller {
    /// Connects to the API server and looks the controller's Service up. `otherwise` is the way without a cluster.
    pub(crate) fn connect(&self, otherwise: &str) -> Result<Session, CommandError> {
        self.session().map_err(|e| e.hint(otherwise))
    }

    fn session(&self) -> Result<Session, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| CommandError::new("cannot start the network").because(e))?;
        let (client, timeout) = runtime.block_on(self.connection.client())?;
        let mut session = Session {
            runtime,
            client,
            timeout,
            proxy: String::new(),
        };
        let port = session.service_port(self)?;
        session.proxy = format!(
            "/api/v1/namespaces/{}/services/http:{}:{port}/proxy",
            self.namespace, self.name
        );
        Ok(session)
    }

    fn not_found(&self, reason: impl Into<String>) -> CommandError {
        cannot_look_up(reason)
            .hint(format!(
                "looked for the Service {}/{}: name another with --controller-namespace and --controller-name \
                 (the Helm chart of sealed-secrets calls it sealed-secrets)",
                self.namespace, self.name
            ))
    }
}

impl Session {
    /// The name of the first port of the controller's Service; it may be empty.
    fn service_port(&self, controller: &Controller) -> Result<String, CommandError> {
        let path = format!(
            "/api/v1/namespaces/{}/services/{}",
            controller.namespace, controller.name
        );
        let reply = self
            .send(Method::GET, &path, "application/json", Vec::new())
            .map_err(|reason| {
                cannot_look_up(reason)
                    .hint("is the cluster up, and the kubeconfig's context the one you mean? `kubectl cluster-info` asks the same server")
            })?;
        match reply.status {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                return Err(hint_on(cannot_look_up(reply.reason()), &reply));
            }
            _ => return Err(controller.not_found(reply.reason())),
        }
        let service: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match service["spec"]["ports"].get(0) {
            Some(port) => Ok(port["name"].as_str().unwrap_or_default().to_owned()),
            None => Err(controller.not_found("the Service has no port")),
        }
    }

    /// The certificate of the controller's newest sealing key, as PEM.
    pub(crate) fn certificate(&self) -> Result<Vec<u8>, CommandError> {
        let failed = |reason: String| CommandError::new("cannot fetch certificate").because(reason);
        let path = format!("{}/v1/cert.pem", self.proxy);
        let reply = self
            .send(
                Method::GET,
                &path,
                "application/x-pem-file, */*",
                Vec::new(),
            )
            .map_err(failed)?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            _ => Err(hint_on(failed(reply.reason()), &reply)),
        }
    }

    /// Asks whether a SealedSecret can be opened.
    pub(crate) fn verify(&self, sealed: &Value) -> Result<Verdict, CommandError> {
        let failed =
            |reason: String| CommandError::new("cannot validate sealed secret").because(reason);
        let reply = self.post("/v1/verify", sealed).map_err(failed)?;
        match reply.status {
            StatusCode::OK => Ok(Verdict::Opens),
            StatusCode::CONFLICT => Ok(Verdict::DoesNotOpen),
            _ => Err(hint_on(failed(reply.reason()), &reply)),
        }
    }

    /// Has a SealedSecret sealed anew with the newest sealing key.
    pub(crate) fn rotate(&self, sealed: &Value) -> Result<Value, CommandError> {
        let failed = |reason: String| CommandError::new("cannot re-encrypt secret").because(reason);
        let reply = self.post("/v1/rotate", sealed).map_err(failed)?;
        match reply.status {
            StatusCode::OK => serde_json::from_slice(&reply.body)
                .map_err(|_| failed("the controller's answer is not JSON".to_owned())),
            StatusCode::CONFLICT => Err(CommandError::new("unable to rotate secret")),
            StatusCode::INTERNAL_SERVER_ERROR => Err(failed(reply.reason())
                .hint("the controller says no more; `kubeseal --validate` tells whether it can open the values")),
            _ => Err(hint_on(failed(reply.reason()), &reply)),
        }
    }

    fn post(&self, endpoint: &str, object: &Value) -> Result<Reply, String> {
        let path = format!("{}{endpoint}", self.proxy);
        let body = object.to_string().into_bytes();
        self.send(Method::POST, &path, "application/json", body)
    }

    /// Sends a request, again and again while the answer is 429, after the time that it asks for.
    fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Result<Reply, String> {
        self.runtime.block_on(async {
            for _ in 0..MOST_RETRIES {
                let reply = self.send_once(&method, path, accept, body.clone()).await?;
                match reply.retry_after {
                    Some(wait) if reply.status == StatusCode::TOO_MANY_REQUESTS => {
                        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                    }
                    _ => return Ok(reply),
                }
            }
            Err("the controller has too much to do".to_owned())
        })
    }

    async fn send_once(
        &self,
        method: &Method,
        path: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Result<Reply, String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", accept)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .map_err(|e| e.to_string())?;
        let exchange = async {
            let response = self
                .client
                .send(request)
                .await
                .map_err(|e| connection::describe(&e))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES)
                .collect()
                .await
                .map_err(|e| e.to_string())?;
            Ok(Reply::new(&head, body.to_bytes().to_vec()))
        };
        match self.timeout {
            None => exchange.await,
            Some(limit) => tokio::time::timeout(limit, exchange)
                .await
                .unwrap_or_else(|_| {
                    Err(format!(
                        "no answer within {} s (--request-timeout)",
                        limit.as_secs_f64()
                    ))
                }),
        }
    }
}

fn cannot_look_up(reason: impl Into<String>) -> CommandError {
    CommandError::new("cannot get sealed secret service").because(reason.into())
}

fn hint_on(error: CommandError, reply: &Reply) -> CommandError {
    match reply.status {
        StatusCode::UNAUTHORIZED => error.hint(
            "the API server does not know who you are: log in again, or say it in the kubeconfig or with --token",
        ),
        StatusCode::FORBIDDEN => error.hint(
            "you need the rights to get services and to get and create services/proxy in the controller's namespace",
        ),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND => {
            error.hint("is the controller's pod running? `kubectl get pods` in its namespace tells")
        }
        _ => error,
    }
}
