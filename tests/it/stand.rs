//! Our controller in a namespace of a test's own, and SealedSecrets for it.

use std::{collections::BTreeMap, fs, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::{PlainSecret, seal};
use keys::{Scope, SealingCert};
use serde_json::{Value, json};
use testkit::{
    Cluster, cluster, controller,
    controller::{Controller, Launch},
    ours, path,
};

/// Our controller, in a namespace of its own and for that one only.
pub(crate) struct Stand {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) namespace: String,
    pub(crate) controller: Controller,
    pub(crate) cert: SealingCert,
}

impl Stand {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], |launch| launch)
    }

    /// With flags, and in more namespaces than its own.
    pub(crate) fn start_with(namespaces: &[&str], more: impl FnOnce(Launch) -> Launch) -> Self {
        Self::start_on(cluster::shared(), |launch| {
            more(launch.only_namespaces(namespaces))
        })
    }

    /// On a cluster of the test's own, for all namespaces if nothing else is said.
    pub(crate) fn start_on(cluster: Arc<Cluster>, more: impl FnOnce(Launch) -> Launch) -> Self {
        let namespace = cluster.namespace();
        let launch = controller::ours(&cluster)
            .namespace(&namespace)
            .args(["--key-size=2048"]);
        let controller = more(launch).start();
        let pem = controller.certificate();
        let cert = SealingCert::from_pem(pem.as_bytes()).expect("it offers a certificate");
        Self {
            cluster,
            namespace,
            controller,
            cert,
        }
    }

    /// Freezes the controller, lets `meanwhile` happen, kills it and starts it again.
    pub(crate) fn restart(self, meanwhile: impl FnOnce(&Self)) -> Self {
        self.restart_with(meanwhile, |launch| launch)
    }

    /// The same, started again in another way.
    pub(crate) fn restart_with(
        self,
        meanwhile: impl FnOnce(&Self),
        more: impl FnOnce(Launch) -> Launch,
    ) -> Self {
        self.controller.pause();
        meanwhile(&self);
        let controller = more(self.controller.kill()).start();
        Self { controller, ..self }
    }

    /// A SealedSecret in the controller's namespace.
    pub(crate) fn sealed(&self, name: &str, data: &[(&str, &str)]) -> Value {
        self.sealed_for(&self.namespace, name, data, Scope::Strict)
    }

    pub(crate) fn sealed_for(
        &self,
        namespace: &str,
        name: &str,
        data: &[(&str, &str)],
        scope: Scope,
    ) -> Value {
        sealed_with(&self.cert, namespace, name, data, scope)
    }

    /// Creates or changes a SealedSecret.
    pub(crate) fn apply(&self, sealed: &Value) -> Value {
        let metadata = &sealed["metadata"];
        let text = |field: &str| metadata[field].as_str().expect("it is set").to_owned();
        self.cluster.api.apply(
            &path::sealed_secret(&text("namespace"), &text("name")),
            sealed,
        )
    }

    /// Creates a Secret that is nobody's.
    pub(crate) fn create_secret(
        &self,
        name: &str,
        annotations: &[&str],
        data: &[(&str, &str)],
    ) -> Value {
        let annotations: BTreeMap<_, _> = annotations.iter().map(|name| (*name, "true")).collect();
        let data: BTreeMap<_, _> = data.iter().copied().collect();
        self.cluster.api.create(
            &path::secrets(&self.namespace),
            &json!({"metadata": {"name": name, "annotations": annotations, "labels": {"foreign": "1"}}, "stringData": data}),
        )
    }

    pub(crate) fn secret_path(&self, name: &str) -> String {
        path::secret(&self.namespace, name)
    }

    pub(crate) fn sealed_path(&self, name: &str) -> String {
        path::sealed_secret(&self.namespace, name)
    }

    /// Waits until the Secret holds exactly these values.
    pub(crate) fn wait_data(&self, name: &str, data: &[(&str, &str)]) -> Value {
        wait_data(&self.cluster, &self.namespace, name, data)
    }

    /// Waits until the present spec of the SealedSecret was acted on, as the condition `Synced` says.
    pub(crate) fn wait_synced(&self, name: &str, status: &str) -> Value {
        self.cluster.wait_for(
            &self.sealed_path(name),
            &format!("{name} is Synced={status}"),
            |sealed| {
                condition(sealed)["status"] == status
                    && sealed["status"]["observedGeneration"] == sealed["metadata"]["generation"]
            },
        )
    }

    /// Waits for an event about the SealedSecret.
    pub(crate) fn wait_event(&self, name: &str, reason: &str, text: &str) -> Value {
        let events = || self.cluster.events(&self.namespace, name);
        testkit::wait_until(
            &format!("an event {reason} about {name}"),
            testkit::PATIENCE,
            || {
                let events = events();
                let found = events.iter().find(|event| {
                    event["reason"] == reason
                        && event["message"]
                            .as_str()
                            .is_some_and(|message| message.contains(text))
                });
                found
                    .cloned()
                    .ok_or_else(|| format!("{events:#?}\n{}", self.controller.process.tail()))
            },
        )
    }

    /// Waits until the controller has found all there was to find: what is applied last is done.
    pub(crate) fn settle(&self) {
        let name = format!("last{}", self.controller.process.pid());
        self.apply(&self.sealed(&name, &[]));
        self.wait_synced(&name, "True");
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Value> {
        self.cluster.secret(&self.namespace, name)
    }

    /// How many private-key operations the controller has done.
    pub(crate) fn operations(&self) -> f64 {
        self.controller
            .metric("sealed_secrets_controller_private_key_operations_total")
    }
}

/// A sealing key that no controller made, as a Secret of this name, and its certificate: older, of an odd size, PKCS#8.
pub(crate) fn brought_key(name: &str) -> (Value, SealingCert) {
    let read = |file: &str| {
        let path = ours::workspace().join("keys/testdata").join(file);
        fs::read(path).expect("the file is in the checkout")
    };
    let (key, cert) = (read("rsa2056-pkcs8.pem"), read("rsa2056.crt"));
    let secret = json!({
        "metadata": {"name": name, "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"}},
        "type": "kubernetes.io/tls",
        "data": {"tls.key": STANDARD.encode(key), "tls.crt": STANDARD.encode(&cert)},
    });
    (secret, SealingCert::from_pem(&cert).expect("a certificate"))
}

pub(crate) fn sealed_with(
    cert: &SealingCert,
    namespace: &str,
    name: &str,
    data: &[(&str, &str)],
    scope: Scope,
) -> Value {
    let data: BTreeMap<_, _> = data.iter().copied().collect();
    let metadata = json!({"name": name, "namespace": namespace});
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data});
    let secret = PlainSecret::from_value(&secret).expect("it is a Secret");
    serde_json::to_value(seal(&secret, cert, scope)).expect("an object")
}

pub(crate) fn wait_data(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    data: &[(&str, &str)],
) -> Value {
    let data: BTreeMap<_, _> = data
        .iter()
        .map(|(key, text)| (*key, STANDARD.encode(text)))
        .collect();
    let data = json!(data);
    cluster.wait_for(
        &path::secret(namespace, name),
        "the Secret holds what it must",
        |secret| secret["data"] == data || (secret["data"].is_null() && data == json!({})),
    )
}

pub(crate) fn condition(sealed: &Value) -> &Value {
    &sealed["status"]["conditions"][0]
}
