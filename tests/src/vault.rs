//! A Vault server in development mode: everything in memory, open at once, with an engine for keys.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};

use crate::{peer, ports, process::Process, run_folder, wait_until};

/// A running server.
pub struct Vault {
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    process: Process,
    folder: PathBuf,
}

/// The token that may do everything.
pub const ROOT: &str = "root-of-tests";

/// One for all tests that need no server of their own: each makes keys and policies of its own names.
pub fn shared() -> &'static Vault {
    static SHARED: OnceLock<Vault> = OnceLock::new();
    SHARED.get_or_init(Vault::start)
}

impl Vault {
    /// Starts a server with a transit engine at `transit/`.
    pub fn start() -> Self {
        Self::start_as("http", |_| Vec::new())
    }

    /// As [`Vault::start`], with a certificate of an authority of its own.
    pub fn start_with_certificate() -> Self {
        Self::start_as("https", |folder| {
            let folder = folder.display();
            vec!["-dev-tls".to_owned(), format!("-dev-tls-cert-dir={folder}")]
        })
    }

    fn start_as(scheme: &str, flags: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let port = ports::free();
        let folder: PathBuf = run_folder().join(format!("vault-{port}"));
        let plugins = folder.join("plugins");
        fs::create_dir_all(&plugins).expect("the run folder can be written");
        fs::copy(peer::VAULT_KUBERNETES.path(), plugins.join("kubernetes")).expect("a plugin");
        let mut command = Command::new(peer::VAULT.path());
        command
            .env("HOME", &folder)
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .arg(format!("-dev-plugin-dir={}", plugins.display()))
            .args(flags(&folder));
        let vault = Self {
            address: format!("{scheme}://127.0.0.1:{port}"),
            process: Process::start("vault", command, &folder.join("vault.log")),
            folder,
        };
        wait_until("Vault answers", crate::PATIENCE, || {
            match vault.send("GET", "sys/health", ROOT, &Value::Null) {
                (200, _) => Ok(()),
                (status, answer) => Err(format!("{status} {answer}\n{}", vault.process.tail())),
            }
        });
        let log = json!({"type": "file", "options": {"file_path": vault.audit_log()}});
        vault.ask("PUT", "sys/audit/file", &log);
        vault.ask("POST", "sys/mounts/transit", &json!({"type": "transit"}));
        vault
    }

    fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// How often a path was asked for, as the server's own log has it: it is written before the answer.
    pub fn calls(&self, path: &str) -> usize {
        let log = fs::read_to_string(self.audit_log()).expect("the server writes it");
        let entries = log.lines().map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap_or_default();
            entry["type"] == "request" && entry["request"]["path"] == path
        });
        entries.filter(|counts| *counts).count()
    }

    /// The certificate of the authority of a server with one.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("vault-ca.pem")
    }

    /// What a key is called in SOPS documents.
    pub fn key(&self, name: &str) -> String {
        format!("{}/v1/transit/keys/{name}", self.address)
    }

    /// Asks as root, and must be obeyed.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(method, path, ROOT, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// Sends JSON, and returns the status and the answer. Status 0 is no answer.
    pub fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("X-Vault-Token", token)
            .body(body.to_string())
            .expect("a request");
        // A server of our own, on loopback: whoever it is, it answers to tests only.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .disable_verification(true);
        let agent = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .proxy(None)
            .http_status_as_error(false)
            .build()
            .new_agent();
        match agent.run(request) {
            Ok(mut answer) => {
                let text = answer.body_mut().read_to_string().unwrap_or_default();
                (
                    answer.status().as_u16(),
                    serde_json::from_str(&text).unwrap_or(Value::Null),
                )
            }
            Err(error) => (0, Value::from(error.to_string())),
        }
    }

    /// A token with one policy: these paths, and what may be done there.
    pub fn token(&self, policy: &str, rules: &[(&str, &str)]) -> String {
        let rule = |(path, may): &(&str, &str)| {
            format!("path \"{path}\" {{ capabilities = [\"{may}\"] }}\n")
        };
        let text: String = rules.iter().map(rule).collect();
        self.ask(
            "PUT",
            &format!("sys/policies/acl/{policy}"),
            &json!({"policy": text}),
        );
        let answer = self.ask(
            "POST",
            "auth/token/create",
            &json!({"policies": [policy], "no_default_policy": true}),
        );
        answer["auth"]["client_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Its process, for signals.
    pub fn process(&self) -> &Process {
        &self.process
    }
}
