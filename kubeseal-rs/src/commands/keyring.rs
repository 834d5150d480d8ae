//! Makes, lists and shows the keys of a local keyring.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::manifest;
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::files;
use crate::keyring::{Keyring, NewPair, Pair};
use crate::ui::Ui;

/// Which keyring, and what to do with it.
pub(crate) struct Args {
    /// The keyring.
    pub(crate) keyring: Keyring,
    /// What to do.
    pub(crate) action: Action,
}

/// What can be done with a keyring.
pub(crate) enum Action {
    /// Make a key pair.
    New(NewPair),
    /// Show what is there; never a key.
    List,
    /// Show a certificate.
    Cert {
        /// The beginning of its fingerprint; empty for the newest.
        key: String,
    },
    /// Write a key pair as the Secret that a controller reads.
    Export {
        /// The beginning of its fingerprint; empty for the newest.
        key: String,
        /// The namespace of the controller.
        namespace: String,
        /// The file, which must not be there yet.
        path: PathBuf,
    },
}

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { keyring, action } = args;
    match action {
        Action::New(new) => {
            let pair = keyring.create(&new)?;
            ui.note(format!(
                "made a sealing key in {}",
                keyring.folder().display()
            ));
            ui.print(line(&pair).as_bytes())
        }
        Action::List => {
            let lines: Vec<_> = keyring.pairs()?.iter().map(line).collect();
            if lines.is_empty() {
                ui.note(format!(
                    "the keyring {} has no key; make one with `kubeseal keyring new`",
                    keyring.folder().display()
                ));
            }
            ui.print(lines.concat().as_bytes())
        }
        Action::Cert { key } => ui.print(keyring.find(&key)?.cert.pem().as_bytes()),
        Action::Export {
            key,
            namespace,
            path,
        } => {
            let pair = keyring.find(&key)?;
            let key = keyring.key_text(&pair, ui)?;
            let secret = key_secret(&pair, &key, &namespace);
            files::create_secret(&path, &secret).map_err(|e| {
                CommandError::new(format!("cannot write {}", path.display())).because(e)
            })?;
            ui.warn(format!(
                "{} holds the private key in clear: `kubectl create -f` it, then delete it",
                path.display()
            ));
            Ok(())
        }
    }
}

fn line(pair: &Pair) -> String {
    let cert = &pair.cert;
    let protection = match pair.has_passphrase {
        true => "passphrase",
        false => "plain",
    };
    format!(
        "{} {} bits, made {}, until {}, {protection}\n",
        cert.fingerprint(),
        cert.key_bits(),
        cert.not_before().strftime("%Y-%m-%d"),
        cert.not_after().strftime("%Y-%m-%d"),
    )
}

/// The Secret in which controllers, the original's and ours, keep a sealing key.
fn key_secret(pair: &Pair, key: &[u8], namespace: &str) -> Zeroizing<Vec<u8>> {
    let mut secret = json!({
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {
            "generateName": "sealed-secrets-key",
            "namespace": namespace,
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
        },
        "data": {"tls.crt": STANDARD.encode(pair.cert.pem()), "tls.key": STANDARD.encode(key)},
        "type": "kubernetes.io/tls",
    });
    let text = Zeroizing::new(manifest::write_json(&secret));
    manifest::wipe(&mut secret);
    text
}
