//! Shows the whole way once, without a cluster: a local key stands in for the cluster's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decryptor::manifest;
use decryptor::sealed::unseal::Options;
use decryptor::sealed::{PlainSecret, seal, unseal};
use jiff::SignedDuration;
use keys::Scope;
use keys::sealing::KeySize;
use serde_json::{Value, json};

use crate::error::CommandError;
use crate::keyring::{Keyring, NewPair};
use crate::ui::Ui;

/// Which keyring stands in for the cluster's keys.
pub(crate) struct Args {
    /// The keyring; a key is made in it if it has none.
    pub(crate) keyring: Keyring,
}

/// The one password that may be shown: it is written here for all to read.
const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: database
  namespace: shop
stringData:
  username: shop
  password: correct horse battery staple
";

const NEXT: &str = "
Next, without a cluster, with a Secret of your own:
    kubeseal --keyring '' -f secret.yaml -w sealed.yaml     seal it with the local key
    kubeseal unseal -f sealed.yaml                          open it again
Next, with a cluster:
    docker build -t registry.example/kubeseal-rs/controller:0.1.0 .     and push it where the nodes can pull it
    helm install sealed-secrets charts/kubeseal-rs -n kube-system --set image.registry=registry.example
    kubeseal -f secret.yaml -w sealed.yaml                  seal it for that cluster; commit sealed.yaml
    kubectl apply -f sealed.yaml                            the controller makes the Secret from it
";

pub(crate) fn run(args: Args, ui: &mut Ui) -> Result<(), CommandError> {
    let Args { keyring } = args;
    if keyring.pairs()?.is_empty() {
        keyring.create(&NewPair {
            size: KeySize::default(),
            common_name: String::new(),
            lifetime: SignedDuration::from_hours(87_600),
            with_passphrase: false,
        })?;
    }
    let cert = keyring.newest()?.cert;
    let folder = keyring.folder().display();
    ui.print(
        format!(
            "# A sealing key in the local keyring, {folder}:\n{}\n",
            cert.fingerprint()
        )
        .as_bytes(),
    )?;
    ui.print(format!("\n# A Secret, as people write it:\n{SECRET}").as_bytes())?;
    let unreadable = || CommandError::new("the example cannot be read");
    let documents = manifest::read(SECRET.as_bytes()).map_err(|e| unreadable().because(e))?;
    let example = documents
        .first()
        .map_or(&Value::Null, |document| document.value());
    let secret = PlainSecret::from_value(example).map_err(|e| unreadable().because(e))?;
    let sealed = seal(&secret, &cert, Scope::Strict);
    let shown = serde_json::to_value(&sealed).map_err(|e| unreadable().because(e))?;
    ui.print(b"\n# The same, sealed: safe to commit.\n")?;
    ui.print(&manifest::write_yaml(&shown))?;
    let opened = unseal(&sealed, &keyring.ring(ui)?, &Options::default())
        .map_err(|e| CommandError::new("the example cannot be opened again").because(e))?;
    let data = opened
        .data
        .iter()
        .map(|(key, value)| (key.clone(), json!(STANDARD.encode(value.expose_secret()))));
    let again = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": opened.name, "namespace": opened.namespace},
        "data": data.collect::<Value>(),
    });
    ui.print(b"\n# Opened again with the private key; this is what a cluster's controller does with it:\n")?;
    ui.print(&manifest::write_yaml(&again))?;
    ui.print(NEXT.as_bytes())
}
