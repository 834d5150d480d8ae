//! Our client, as a person uses it: side by side with the original where both have an answer.

mod certificates;
mod choices;
mod cluster;
mod compare;
mod crossing;
mod https;
mod in_place;
mod keyring;
mod login;
mod manual;
mod our_controller;
mod recovery;
mod refusals;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use jiff::{SignedDuration, Timestamp};
use keys::sealing::{KeySize, NewKey};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{cli, run_folder};

const HINT: &str = "kubeseal-rs.io/sealed-with";

/// A key pair in files.
pub(crate) struct Pair {
    pub(crate) key: PathBuf,
    pub(crate) cert: PathBuf,
}

impl Pair {
    /// A pair whose certificate began at `begin` and is valid for `lifetime`.
    fn valid(name: &str, begin: Timestamp, lifetime: SignedDuration) -> Self {
        let new =
            NewKey::generate(KeySize::Rsa2048, "", begin, lifetime).expect("a key can be made");
        let folder = run_folder().join(format!("client-{name}"));
        fs::create_dir_all(&folder).expect("the folder can be made");
        let pair = Self {
            key: folder.join("tls.key"),
            cert: folder.join("tls.crt"),
        };
        fs::write(&pair.key, new.key_pem.as_bytes()).expect("written");
        fs::write(&pair.cert, &new.cert_pem).expect("written");
        pair
    }

    fn new(name: &str) -> Self {
        Self::valid(name, Timestamp::now(), SignedDuration::from_hours(24 * 365))
    }

    fn ours(&self) -> cli::Run {
        ours().arg("--cert").arg(&self.cert)
    }

    fn theirs(&self) -> cli::Run {
        theirs().arg("--cert").arg(&self.cert)
    }
}

/// The pair that most tests use.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::new("shared"))
}

/// Another one.
fn other_pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::new("other"))
}

/// A kubeconfig that leads nowhere: what works with it needs no cluster.
fn nowhere() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let config = "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
             users: [{name: u, user: {token: canary-token}}]\n\
             contexts: [{name: c, context: {cluster: c, user: u, namespace: from-context}}]\n";
        let path = run_folder().join("client-nowhere.kubeconfig");
        fs::write(&path, config).expect("written");
        path
    })
}

fn ours() -> cli::Run {
    cli::ours().kubeconfig(nowhere())
}

fn theirs() -> cli::Run {
    cli::theirs().kubeconfig(nowhere())
}

fn folder() -> TempDir {
    tempfile::tempdir_in(run_folder()).expect("the folder can be made")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("the file can be read")
}

fn secret(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\nstringData: {{password: hunter2}}\n"
    )
}
