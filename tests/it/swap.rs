//! One controller takes over from the other in place, and back: nothing is lost, nothing is made again.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::{PlainSecret, seal};
use keys::{Scope, SealingCert};
use serde_json::{Map, Value, json};
use testkit::{
    Cluster, PATIENCE, cluster,
    controller::{self, Controller, Launch},
    path,
};

const MANAGED: &str = "sealedsecrets.bitnami.com/managed";
const PATCH: &str = "sealedsecrets.bitnami.com/patch";
const SKIP_OWNER: &str = "sealedsecrets.bitnami.com/skip-set-owner-references";

/// A cluster's corner with one controller's home and a namespace full of SealedSecrets.
struct Place {
    cluster: Arc<Cluster>,
    home: String,
    namespace: String,
}

impl Place {
    fn new() -> Self {
        let cluster = cluster::shared();
        let (home, namespace) = (cluster.namespace(), cluster.namespace());
        Self {
            cluster,
            home,
            namespace,
        }
    }

    fn at_home(&self, launch: Launch) -> Launch {
        launch
            .namespace(&self.home)
            .only_namespaces(&[&self.namespace])
            .args(["--key-size=2048"])
    }

    fn theirs(&self) -> Controller {
        let launch = controller::theirs(&self.cluster).args(["--kubeclient-qps=-1"]);
        self.at_home(launch).start()
    }

    fn ours(&self) -> Controller {
        self.at_home(controller::ours(&self.cluster)).start()
    }

    /// What must not change when the controllers are swapped.
    fn snapshot(&self) -> BTreeMap<String, Value> {
        let secrets = self.cluster.api.list(&path::secrets(&self.namespace));
        let keep = |mut secret: Value| {
            let metadata = secret["metadata"].as_object_mut().expect("an object");
            metadata.remove("managedFields");
            let name = metadata["name"].as_str().expect("a name").to_owned();
            (name, secret)
        };
        secrets.into_iter().map(keep).collect()
    }

    fn synced(&self) -> BTreeMap<String, Value> {
        let objects = self
            .cluster
            .api
            .list(&path::sealed_secrets(&self.namespace));
        let status = |object: Value| {
            let name = object["metadata"]["name"]
                .as_str()
                .expect("a name")
                .to_owned();
            (name, object["status"]["conditions"][0]["status"].clone())
        };
        objects.into_iter().map(status).collect()
    }

    fn events(&self) -> usize {
        self.cluster
            .api
            .list(&path::core(&self.namespace, "events"))
            .len()
    }

    fn apply(&self, object: &Value) {
        self.cluster
            .api
            .create(&path::sealed_secrets(&self.namespace), object);
    }
}

/// Waits until the controller has an opinion about each of the objects.
fn settle(place: &Place, controller: &Controller, objects: usize) {
    place
        .cluster
        .wait_until("every object was looked at", PATIENCE, || {
            let metrics = controller.metrics();
            let known = metrics.lines().filter(|line| {
                line.starts_with("sealed_secrets_controller_condition_info{")
                    && line.contains(&place.namespace)
            });
            let known = known.count();
            if known == objects {
                Ok(())
            } else {
                Err(format!("{known} of {objects} are known"))
            }
        });
}

/// Odd and ordinary SealedSecrets, by what is odd about them; the flag says whether they unseal.
fn menagerie(namespace: &str, cert: &SealingCert) -> Vec<(Value, bool)> {
    let sealed = |name: &str, scope: Scope, extra: Value| {
        let mut secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "data": {"binary": STANDARD.encode([0, 159, 146, 150])}, "stringData": {"text": format!("of {name}")},
        });
        merge(&mut secret, extra);
        let secret = PlainSecret::from_value(&secret).expect("a Secret");
        serde_json::to_value(seal(&secret, cert, scope)).expect("an object")
    };
    let with = |mut object: Value, extra: Value| {
        merge(&mut object, extra);
        object
    };
    let plain = |name: &str| sealed(name, Scope::Strict, json!({}));
    let annotated = |name: &str, names: &[&str]| {
        let annotations: Map<String, Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!("true")))
            .collect();
        sealed(
            name,
            Scope::Strict,
            json!({"metadata": {"annotations": annotations}}),
        )
    };
    let templated = json!({"spec": {"template": {"data": {
        "url": "db://{{ .text }}@host/{{ .plain | upper }}", "plain": "word",
    }}}});
    let only_template =
        json!({"spec": {"encryptedData": Value::Null, "template": {"data": {"a": "b"}}}});
    let mut bare = with(plain("template-only"), only_template);
    bare["spec"]["encryptedData"] = json!({});
    let old =
        json!({"kind": "Secret", "apiVersion": "v1", "data": {"k": "dg=="}, "type": "Opaque"})
            .to_string();
    let label = Scope::Strict.label(namespace, "from-before-2018");
    let mut deprecated = plain("from-before-2018");
    deprecated["spec"] =
        json!({"encryptedData": {}, "data": STANDARD.encode(cert.seal(old.as_bytes(), &label))});
    let mut elsewhere = plain("sealed-for-another-name");
    elsewhere["metadata"]["name"] = json!("wrong-name");
    vec![
        (plain("plain"), true),
        (
            sealed("namespace-wide", Scope::NamespaceWide, json!({})),
            true,
        ),
        (sealed("cluster-wide", Scope::ClusterWide, json!({})), true),
        (
            sealed(
                "labelled",
                Scope::Strict,
                json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}),
            ),
            true,
        ),
        (
            sealed("immutable", Scope::Strict, json!({"immutable": true})),
            true,
        ),
        (
            sealed(
                "typed",
                Scope::Strict,
                json!({"type": "kubernetes.io/basic-auth", "stringData": {"username": "u", "password": "p"}}),
            ),
            true,
        ),
        (with(plain("templated"), templated), true),
        (bare, true),
        (deprecated, true),
        (annotated("no-owner", &[SKIP_OWNER, MANAGED]), true),
        (annotated("patched", &[PATCH]), true),
        (annotated("taken-over", &[]), true),
        (annotated("somebody-elses", &[]), false),
        (elsewhere, false),
    ]
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Secrets that stood there before any SealedSecret.
fn earlier_secrets(place: &Place) {
    for (name, annotations) in [
        ("patched", json!({PATCH: "true"})),
        ("taken-over", json!({MANAGED: "true"})),
        ("somebody-elses", json!({})),
    ] {
        let secret = json!({
            "metadata": {"name": name, "annotations": annotations, "labels": {"here": "first"}},
            "stringData": {"earlier": "value"},
        });
        place
            .cluster
            .api
            .create(&path::secrets(&place.namespace), &secret);
    }
}

fn populate(place: &Place, first: &Controller) -> usize {
    earlier_secrets(place);
    let cert = SealingCert::from_pem(first.certificate().as_bytes()).expect("a certificate");
    let objects = menagerie(&place.namespace, &cert);
    objects.iter().for_each(|(object, _)| place.apply(object));
    let expected: BTreeMap<String, Value> = objects
        .iter()
        .map(|(object, unseals)| {
            let status = if *unseals { "True" } else { "False" };
            (
                object["metadata"]["name"]
                    .as_str()
                    .expect("a name")
                    .to_owned(),
                json!(status),
            )
        })
        .collect();
    place
        .cluster
        .wait_until("every object has its status", PATIENCE, || {
            let synced = place.synced();
            if synced == expected {
                Ok(())
            } else {
                Err(format!("{synced:?}"))
            }
        });
    objects.len()
}

fn swap(first: fn(&Place) -> Controller, second: fn(&Place) -> Controller) {
    let place = Place::new();
    let controller = first(&place);
    let objects = populate(&place, &controller);
    let certificate = controller.certificate();
    controller.stop();
    let (before, synced, events) = (place.snapshot(), place.synced(), place.events());
    let controller = second(&place);
    settle(&place, &controller, objects);
    assert_eq!(
        controller.certificate(),
        certificate,
        "the sealing key is taken over"
    );
    assert_eq!(
        place.snapshot(),
        before,
        "no Secret changes, not even its version"
    );
    assert_eq!(place.synced(), synced);
    // The original says `Unsealed` of each object again, and fails again where it failed.
    assert!(
        place.events() <= events + 2 * objects,
        "{} events, {events} before",
        place.events()
    );
    let cert = SealingCert::from_pem(certificate.as_bytes()).expect("a certificate");
    let (mut changed, _) = menagerie(&place.namespace, &cert).swap_remove(0);
    changed["spec"]["template"]["metadata"]["labels"] = json!({"new": "label"});
    place.cluster.api.patch(
        &path::sealed_secret(&place.namespace, "plain"),
        &json!({"spec": changed["spec"]}),
    );
    let secret = place.cluster.wait_for(
        &path::secret(&place.namespace, "plain"),
        "the change arrives",
        |secret| secret["metadata"]["labels"]["new"] == "label",
    );
    assert_eq!(
        secret["metadata"]["uid"],
        before["plain"]["metadata"]["uid"]
    );
    place
        .cluster
        .api
        .delete(&path::sealed_secret(&place.namespace, "labelled"));
    place
        .cluster
        .wait_gone(&path::secret(&place.namespace, "labelled"));
    controller.stop();
}

#[test]
fn ours_takes_over_from_theirs() {
    swap(Place::theirs, Place::ours);
}

#[test]
fn theirs_takes_over_from_ours() {
    swap(Place::ours, Place::theirs);
}

#[test]
fn theirs_takes_over_from_theirs() {
    swap(Place::theirs, Place::theirs);
}
