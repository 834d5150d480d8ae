//! Vault servers as this environment may reach them: certificates, limits, a session for each.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use reqwest::{
    Certificate, ClientBuilder, Identity, Method, Proxy, StatusCode, Url,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::allowed::Allowed;
use super::login::{self, Login, Session};
use crate::remote::{Answer, Call, Limits, Service, reason, secret_header};
use crate::{env::Env, master_key::KeyError};

/// No file of certificates is longer.
const LONGEST_PEM: u64 = 4 << 20;

/// A variable of Vault's client, or of OpenBao's. Set to nothing, it is not set.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    ["VAULT_", "BAO_"].iter().find_map(|prefix| {
        let value = env.variable(&format!("{prefix}{name}"))?.to_string_lossy();
        (!value.is_empty()).then(|| value.into_owned())
    })
}

/// All servers of an environment.
pub(super) struct Server {
    ready: Result<Ready, KeyError>,
    sessions: std::sync::Mutex<HashMap<String, Slot>>,
}

/// The session with an origin. Its lock is held while somebody logs in.
type Slot = Arc<Mutex<Option<Arc<Session>>>>;

struct Ready {
    service: Service,
    allowed: Allowed,
    namespace: Option<HeaderValue>,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

impl Server {
    pub(super) fn new(env: &Env) -> Self {
        Self {
            ready: Ready::new(env),
            sessions: std::sync::Mutex::default(),
        }
    }

    /// Sends JSON to `ADDRESS/v1/PATH` with a token, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        address: &str,
        path: &str,
        body: Zeroizing<Vec<u8>>,
        env: &Env,
    ) -> Result<T, KeyError> {
        let ready = self.ready.as_ref().map_err(KeyError::clone)?;
        let url = Url::parse(address).map_err(|e| KeyError(e.to_string()))?;
        if !ready.allowed.has(&url) {
            return Err(Allowed::refusal(&url));
        }
        let session = self.session(ready, &url, None, env).await?;
        let answer = ready
            .send(&url, path, Some(&session), body.clone(), env)
            .await?;
        if answer.status != StatusCode::FORBIDDEN || !session.is_login {
            return read(path, &answer);
        }
        // The token may have been taken back; another login shows it.
        let session = self.session(ready, &url, Some(&session), env).await?;
        let answer = ready.send(&url, path, Some(&session), body, env).await?;
        read(path, &answer)
    }

    /// The session with a server: one login however many ask. Not `refused`, if there is one.
    async fn session(
        &self,
        ready: &Ready,
        url: &Url,
        refused: Option<&Arc<Session>>,
        env: &Env,
    ) -> Result<Arc<Session>, KeyError> {
        let slot = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let origin = url.origin().ascii_serialization();
            sessions.entry(origin).or_default().clone()
        };
        let mut slot = slot.lock().await;
        let known = slot.as_ref().filter(|known| {
            known.is_fresh() && refused.is_none_or(|refused| !Arc::ptr_eq(known, refused))
        });
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let session = match Login::of(env)? {
            Login::Token(token) => Session::given(token),
            Login::Call { path, body } => {
                let answer = ready.send(url, &path, None, body, env).await?;
                Session::of_login(read::<login::Reply>(&path, &answer)?)
            }
        };
        Ok(slot.insert(Arc::new(session)).clone())
    }
}

impl Ready {
    fn new(env: &Env) -> Result<Self, KeyError> {
        if variable(env, "TLS_SERVER_NAME").is_some() {
            return Err(KeyError(
                "VAULT_TLS_SERVER_NAME is not supported: use the server's name in its address"
                    .to_owned(),
            ));
        }
        let allowed = Allowed::of(env)?;
        let may_follow = allowed.clone();
        let service = Service::new(
            limits(env)?,
            move |url| may_follow.has(url),
            certificates(env)?,
        )?;
        let namespace = variable(env, "NAMESPACE").map(|name| HeaderValue::from_str(&name));
        let namespace = namespace.transpose();
        let namespace = namespace.map_err(|_| {
            KeyError("VAULT_NAMESPACE holds characters that no header takes".to_owned())
        })?;
        Ok(Self {
            service,
            allowed,
            namespace,
        })
    }

    async fn send(
        &self,
        url: &Url,
        path: &str,
        session: Option<&Session>,
        body: Zeroizing<Vec<u8>>,
        env: &Env,
    ) -> Result<Answer, KeyError> {
        let mut url = url.clone();
        url.set_path(&format!("v1/{path}"));
        let mut headers = HeaderMap::new();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            headers.insert("x-vault-namespace", namespace.clone());
        }
        if let Some(session) = session {
            headers.insert("x-vault-token", secret_header(&session.token)?);
        }
        let call = Call {
            method: Method::PUT,
            url: &url,
            headers,
            body: Some(body),
        };
        self.service.call(call, env).await
    }
}

/// Reads an answer, or says what the server says.
fn read<T: DeserializeOwned>(path: &str, answer: &Answer) -> Result<T, KeyError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body)
            .map_err(|_| KeyError(format!("{path}: the answer is not what Vault answers")));
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = reason(&refusal.errors.join("; "));
    let next = match answer.status.as_u16() {
        403 => " (the token is not valid there, or its policies do not allow this path)",
        404 => " (no such engine or key; is VAULT_NAMESPACE right?)",
        503 => " (the server is sealed or not ready)",
        _ => "",
    };
    Err(KeyError(format!("{path}: {}: {said}{next}", answer.status)))
}

fn limits(env: &Env) -> Result<Limits, KeyError> {
    let mut limits = Limits::default();
    let malformed =
        |name: &str, text: &str| KeyError(format!("VAULT_{name} is {text:?}, which is no number"));
    if let Some(text) = variable(env, "CLIENT_TIMEOUT") {
        let seconds = text.strip_suffix('s').unwrap_or(&text).parse();
        limits.call = Duration::from_secs(seconds.map_err(|_| malformed("CLIENT_TIMEOUT", &text))?);
    }
    if let Some(text) = variable(env, "MAX_RETRIES") {
        let retries: u32 = text.parse().map_err(|_| malformed("MAX_RETRIES", &text))?;
        limits.tries = retries.saturating_add(1);
    }
    Ok(limits)
}

type Settings = Box<dyn FnOnce(ClientBuilder) -> reqwest::Result<ClientBuilder>>;

/// What the variables say of certificates and proxies.
fn certificates(env: &Env) -> Result<Settings, KeyError> {
    let mut roots = Vec::new();
    if let Some(pem) = variable(env, "CACERT_BYTES") {
        roots.extend(bundle("VAULT_CACERT_BYTES", pem.as_bytes())?);
    } else if let Some(file) = variable(env, "CACERT") {
        roots.extend(bundle(&file, &read_file(env, Path::new(&file))?)?);
    } else if let Some(folder) = variable(env, "CAPATH") {
        let unreadable = |e| KeyError(format!("cannot read {folder}: {e}"));
        for file in std::fs::read_dir(&folder).map_err(unreadable)? {
            let file = file.map_err(unreadable)?.path();
            if file.is_file() {
                roots.extend(bundle(&file.to_string_lossy(), &read_file(env, &file)?)?);
            }
        }
    }
    let identity = match (variable(env, "CLIENT_CERT"), variable(env, "CLIENT_KEY")) {
        (None, None) => None,
        (Some(cert), Some(key)) => {
            let mut pem = read_file(env, Path::new(&key))?;
            pem.push(b'\n');
            pem.extend_from_slice(&read_file(env, Path::new(&cert))?);
            let identity = Identity::from_pem(&pem);
            Some(identity.map_err(|e| {
                KeyError(format!(
                    "{cert} and {key} are not a certificate and its key: {e}"
                ))
            })?)
        }
        _ => {
            return Err(KeyError(
                "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY go together".to_owned(),
            ));
        }
    };
    let proxy = variable(env, "PROXY_ADDR").or_else(|| variable(env, "HTTP_PROXY"));
    let skip = variable(env, "SKIP_VERIFY")
        .is_some_and(|text| matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True"));
    Ok(Box::new(move |mut builder| {
        if !roots.is_empty() {
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        if let Some(proxy) = proxy {
            builder = builder.proxy(Proxy::all(proxy)?);
        }
        Ok(builder.tls_danger_accept_invalid_certs(skip))
    }))
}

fn bundle(name: &str, pem: &[u8]) -> Result<Vec<Certificate>, KeyError> {
    let certificates = Certificate::from_pem_bundle(pem);
    let certificates = certificates.ok().filter(|found| !found.is_empty());
    certificates.ok_or_else(|| KeyError(format!("{name} holds no certificate in PEM")))
}

fn read_file(env: &Env, file: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = env.read(file, LONGEST_PEM);
    bytes.map_err(|e| KeyError(format!("cannot read {}: {e}", file.display())))
}
