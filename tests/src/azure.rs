//! Azure Key Vault as its contract has it: a challenge, real RSA-OAEP with SHA-256, and faults on demand.
//!
//! There is no server to be had. What keeps this one honest is that the original program talks to it in the same tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use crate::pki::Authority;
use crate::stub::{Reply, Request, Stub};

/// The token that may do everything.
pub const TOKEN: &str = "eyJ0.token-of-tests";
/// The directory that the vault belongs to.
pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// Where that directory's login is said to be.
pub const LOGIN: &str = "https://login.test";

/// A running vault.
pub struct Azure {
    /// Where it listens, and what was asked.
    pub stub: Stub,
    /// The certificate of its authority.
    pub authority: String,
    state: Arc<Mutex<State>>,
}

/// What a test sets.
struct State {
    key: PrivateDecryptingKey,
    /// The newest versions of keys.
    versions: HashMap<String, String>,
    /// What is said of a key, whatever is asked.
    refused: HashMap<String, (u16, String)>,
    /// Where tokens come from, as it says.
    login: String,
    /// The address, as in the identifiers of its keys.
    address: String,
}

/// The version of a key that was not rotated.
pub const FIRST: &str = "0123456789abcdef0123456789abcdef";

impl Azure {
    /// Starts a vault that knows [`TOKEN`].
    pub fn start() -> Self {
        let authority = Authority::new("azure");
        let state = Arc::new(Mutex::new(State {
            key: PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key"),
            versions: HashMap::new(),
            refused: HashMap::new(),
            login: LOGIN.to_owned(),
            address: String::new(),
        }));
        let known = state.clone();
        let stub = Stub::start_with(&authority.server(&[]), move |asked| {
            known.lock().expect("no panic").answer(asked)
        });
        stub.address
            .clone_into(&mut state.lock().expect("no panic").address);
        Self {
            stub,
            authority: authority.certificate(),
            state,
        }
    }

    /// What a key is called, without a version.
    pub fn key(&self, name: &str) -> String {
        format!("{}/keys/{name}", self.stub.address)
    }

    /// From now on a key is refused with a status and a reason.
    pub fn refuse(&self, name: &str, status: u16, reason: &str) {
        let mut state = self.state.lock().expect("no panic");
        state
            .refused
            .insert(name.to_owned(), (status, reason.to_owned()));
    }

    /// From now on a key has a newer version.
    pub fn rotate(&self, name: &str, version: &str) {
        let mut state = self.state.lock().expect("no panic");
        state.versions.insert(name.to_owned(), version.to_owned());
    }

    /// From now on it says that tokens come from there.
    pub fn log_in_at(&self, login: &str) {
        login.clone_into(&mut self.state.lock().expect("no panic").login);
    }

    /// How often an action of a key was done, whatever its version.
    pub fn calls(&self, name: &str, action: &str) -> usize {
        let seen = self.stub.seen();
        let counts = |asked: &&Request| {
            let is_key = asked.path.starts_with(&format!("/keys/{name}/"));
            is_key && asked.path.ends_with(action) && !asked.header("authorization").is_empty()
        };
        seen.iter().filter(counts).count()
    }
}

impl State {
    fn answer(&self, asked: &Request) -> Reply {
        let token = asked.header("authorization");
        if token.is_empty() {
            // A host of numbers has no name above it; its last three do.
            let port = self.address.rsplit(':').next().unwrap_or_default();
            let challenge = format!(
                "Bearer authorization=\"{}/{TENANT}\", resource=\"https://0.0.1:{port}\"",
                self.login
            );
            return Reply::Answer(401, vec![("WWW-Authenticate", challenge)], String::new());
        }
        if token != format!("Bearer {TOKEN}") {
            return refusal(401, "Error validating token: IDX10223");
        }
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let ["keys", name, rest @ ..] = parts.as_slice() else {
            return refusal(404, "no such resource");
        };
        if let Some((status, reason)) = self.refused.get(*name) {
            return refusal(*status, reason);
        }
        if !asked.query.contains("api-version=") {
            return refusal(400, "api-version is missing");
        }
        let newest = self.versions.get(*name).map_or(FIRST, String::as_str);
        let known = [FIRST, newest];
        let kid = |version: &str| format!("{}/keys/{name}/{version}", self.address);
        match (asked.method.as_str(), rest) {
            ("GET", []) => {
                let key =
                    json!({"kid": kid(newest), "kty": "RSA", "key_ops": ["encrypt", "decrypt"]});
                Reply::json(200, &json!({"key": key, "attributes": {"enabled": true}}))
            }
            ("POST", [version, action]) if known.contains(version) => {
                match self.act(action, &asked.json()) {
                    Some(value) => {
                        let value = BASE64_URL_SAFE_NO_PAD.encode(value);
                        Reply::json(200, &json!({"kid": kid(version), "value": value}))
                    }
                    None => refusal(400, "The parameter is incorrect."),
                }
            }
            _ => refusal(404, "A key with (name/id) was not found in this key vault."),
        }
    }

    fn act(&self, action: &str, asked: &Value) -> Option<Vec<u8>> {
        if asked["alg"] != "RSA-OAEP-256" {
            return None;
        }
        let value = BASE64_URL_SAFE_NO_PAD
            .decode(asked["value"].as_str()?)
            .ok()?;
        let algorithm = &OAEP_SHA256_MGF1SHA256;
        let mut bytes = vec![0; self.key.key_size_bytes()];
        let done = match action {
            "encrypt" => {
                let key = OaepPublicEncryptingKey::new(self.key.public_key()).ok()?;
                key.encrypt(algorithm, &value, &mut bytes, None).ok()?.len()
            }
            "decrypt" => {
                let key = OaepPrivateDecryptingKey::new(self.key.clone()).ok()?;
                key.decrypt(algorithm, &value, &mut bytes, None).ok()?.len()
            }
            _ => return None,
        };
        bytes.truncate(done);
        Some(bytes)
    }
}

fn refusal(status: u16, message: &str) -> Reply {
    let error = json!({"code": "Refused", "message": message});
    Reply::json(status, &json!({"error": error}))
}
