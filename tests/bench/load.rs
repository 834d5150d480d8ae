//! What the controllers are given: a sealing key, and many SealedSecrets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use decryptor::sealed::{PlainSecret, SealedSecret, seal};
use keys::sealing::{KeySize, NewKey};
use keys::{Scope, SealingCert};
use serde_json::{Value, json};
use testkit::{Cluster, path};

/// Callers that write at the same time.
pub(crate) const WRITERS: usize = 8;
/// Objects in a namespace.
const PER_NAMESPACE: usize = 200;
/// Sealed values in an object.
pub(crate) const VALUES: usize = 3;

/// One sealing key and what is sealed with it.
pub(crate) struct Load {
    /// The key, for whoever opens without a controller.
    pub(crate) key: NewKey,
    /// Its certificate.
    pub(crate) cert: SealingCert,
    /// How many SealedSecrets.
    pub(crate) objects: usize,
}

impl Load {
    /// A load of `objects` SealedSecrets with three values each, under one RSA-4096 key.
    pub(crate) fn new(objects: usize) -> Self {
        let now = jiff::Timestamp::now();
        let key = NewKey::generate(
            KeySize::Rsa4096,
            "",
            now,
            jiff::SignedDuration::from_hours(87_600),
        )
        .expect("a key can be made");
        let cert = SealingCert::from_pem(key.cert_pem.as_bytes()).expect("our own certificate");
        Self { key, cert, objects }
    }

    /// The namespace of an object.
    pub(crate) fn namespace(at: usize) -> String {
        format!("load-{}", at / PER_NAMESPACE)
    }

    /// One of the SealedSecrets.
    pub(crate) fn object(&self, at: usize) -> SealedSecret {
        let values: Value = (0..VALUES)
            .map(|key| (format!("key{key}"), json!(format!("value {key} of {at}"))))
            .collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "stringData": values,
            "metadata": {"name": format!("object-{at}"), "namespace": Self::namespace(at), "labels": {"app": "load"}},
        });
        let secret = PlainSecret::from_value(&secret).expect("a Secret");
        let mut sealed = seal(&secret, &self.cert, Scope::Strict);
        sealed.metadata.annotations.clear();
        sealed
    }

    /// Puts the sealing key into the cluster.
    pub(crate) fn install_key(&self, cluster: &Cluster) {
        let key = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {
                "name": "sealed-secrets-keybench",
                "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
            },
            "stringData": {"tls.key": *self.key.key_pem, "tls.crt": self.key.cert_pem},
        });
        cluster.api.create(&path::secrets("kube-system"), &key);
    }

    /// Puts SealedSecrets `from..self.objects` into the cluster.
    pub(crate) fn apply(&self, cluster: &Cluster, from: usize) {
        for at in (from..self.objects).step_by(PER_NAMESPACE) {
            let name = Self::namespace(at);
            if cluster.api.get(&path::namespace(&name)).is_none() {
                cluster
                    .api
                    .create("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
            }
        }
        each(from..self.objects, |at| {
            let object = serde_json::to_value(self.object(at)).expect("an object");
            cluster
                .api
                .create(&path::sealed_secrets(&Self::namespace(at)), &object);
        });
    }
}

/// Does something for each number, several at a time.
pub(crate) fn each(range: std::ops::Range<usize>, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(range.start);
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= range.end {
                        break;
                    }
                    work(at);
                }
            });
        }
    });
}
