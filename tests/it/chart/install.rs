//! The chart installed by Helm: its controller with its account, its rights and its Service, and nothing more than those.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{
    Cluster, cli,
    cluster::{Crd, Options, User},
    path,
};

use super::{folder, helm, monitoring, values_file};
use crate::pod::{self, Place};

const HOME: &str = "kube-system";
const NAME: &str = "sealed-secrets-controller";
const LEASE: &str = "sealed-secrets-key-leader";

#[test]
fn an_installed_controller_unseals_with_the_rights_of_the_chart() {
    let cluster = without_sealed_secrets();
    let alice = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]);
    let values = json!({"keySize": 2048, "rbac": {"serviceProxier": {"subjects": alice}}});
    let notes = install(&cluster, &values);
    assert!(notes.contains("kubeseal finds it by itself"), "{notes}");
    let pod = pod::start(&cluster, &installed(&cluster, NAME), &Place::Machine);
    cluster.expose(HOME, NAME, "http", 8080, pod.port);
    let namespace = cluster.namespace();

    for (name, client) in [("ours", cli::ours()), ("theirs", cli::theirs())] {
        let sealed = client
            .kubeconfig(&cluster.kubeconfig(&User::Person("alice")))
            .stdin(secret(&namespace, name).to_string())
            .ok();
        let sealed: Value = serde_json::from_str(&sealed).expect("kubeseal prints JSON");
        cluster
            .api
            .create(&path::sealed_secrets(&namespace), &sealed);
        cluster.wait_for(
            &path::secret(&namespace, name),
            "the Secret appears",
            |secret| secret["data"]["a"] == "Yg==",
        );
        cluster.wait_for(
            &path::sealed_secret(&namespace, name),
            "the status is written",
            |sealed| sealed["status"]["conditions"][0]["status"] == "True",
        );
    }
    others_may_not_call_it(&cluster, &namespace);
    what_fails_is_told(&cluster, &namespace);
    assert_eq!(monitoring::missing(&pod.metrics()), Vec::<String>::new());
    the_account_may_do_no_more(&cluster, &namespace);
    assert_eq!(forbidden(&pod.process.log()), Vec::<&str>::new());
}

/// Lines of a controller's log that say that it lacks a right.
fn forbidden(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains("forbidden"))
        .collect()
}

fn others_may_not_call_it(cluster: &Cluster, namespace: &str) {
    for client in [cli::ours(), cli::theirs()] {
        let output = client
            .kubeconfig(&cluster.kubeconfig(&User::Person("bob")))
            .stdin(secret(namespace, "x").to_string())
            .output();
        assert_eq!(output.code(), 1, "{}", output.stderr);
        assert!(output.stderr.contains("forbidden"), "{}", output.stderr);
    }
    let bob = cluster.api_as(&User::Person("bob"));
    let certificate = format!(
        "{}/services/http:{NAME}:http/proxy/v1/cert.pem",
        path::namespace(HOME)
    );
    let reply = bob.send("GET", &certificate, "application/json", b"");
    assert_eq!(reply.expect("it answers").status, 403);
}

/// A SealedSecret that cannot be opened: an event, a condition, a metric.
fn what_fails_is_told(cluster: &Cluster, namespace: &str) {
    let bad = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "bad"},
        "spec": {"encryptedData": {"a": "AgBi"}},
    });
    cluster.api.create(&path::sealed_secrets(namespace), &bad);
    cluster.wait_until("an event says what fails", testkit::PATIENCE, || {
        let events = cluster.events(namespace, "bad");
        let told = events
            .iter()
            .any(|event| event["reason"] == "ErrUnsealFailed");
        told.then_some(()).ok_or(format!("{events:?}"))
    });
}

/// Asks the API server, as the controller's account.
fn the_account_may_do_no_more(cluster: &Cluster, namespace: &str) {
    let account = cluster.api_as(&User::ServiceAccount {
        namespace: HOME.into(),
        name: NAME.into(),
    });
    let may = |verb: &str, group: &str, resource: &str, namespace: &str, name: &str| {
        let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": sub, "namespace": namespace, "name": name,
        }}});
        let answer = account.create(
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            &review,
        );
        answer["status"]["allowed"] == true
    };
    for (verb, group, resource) in [
        ("watch", "bitnami.com", "sealedsecrets"),
        ("update", "bitnami.com", "sealedsecrets/status"),
        ("create", "", "secrets"),
        ("update", "", "secrets"),
        ("watch", "", "secrets"),
        ("create", "", "events"),
    ] {
        assert!(
            may(verb, group, resource, namespace, ""),
            "{verb} {resource}"
        );
    }
    for (verb, group, resource) in [
        ("update", "bitnami.com", "sealedsecrets"),
        ("create", "bitnami.com", "sealedsecrets"),
        ("delete", "bitnami.com", "sealedsecrets"),
        ("delete", "", "secrets"),
        ("deletecollection", "", "secrets"),
        ("list", "", "namespaces"),
        ("get", "", "configmaps"),
        ("get", "", "pods"),
        ("create", "", "pods/exec"),
        ("create", "", "serviceaccounts/token"),
        ("impersonate", "", "users"),
        ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
        ("get", "coordination.k8s.io", "leases"),
        ("*", "*", "*"),
    ] {
        assert!(
            !may(verb, group, resource, namespace, ""),
            "{verb} {resource}"
        );
    }
    let lease = |verb: &str, name: &str| may(verb, "coordination.k8s.io", "leases", HOME, name);
    assert!(
        lease("update", LEASE) && !lease("update", "kube-scheduler") && !lease("delete", LEASE)
    );
}

#[test]
fn a_namespaced_installation_reaches_its_namespaces_and_no_other() {
    let cluster = Cluster::start();
    let (inside, outside) = (cluster.namespace(), cluster.namespace());
    let values = json!({
        "keySize": 2048, "additionalNamespaces": [inside], "rbac": {"namespacedRoles": true, "clusterRole": false},
    });
    install(&cluster, &values);
    let pod = pod::start(&cluster, &installed(&cluster, NAME), &Place::Machine);
    let certificate = cluster.new_file("cert.pem");
    std::fs::write(&certificate, pod.get("/v1/cert.pem").expect("it serves"))
        .expect("it can be written");
    for namespace in [outside.as_str(), HOME, &inside] {
        let sealed = cli::ours()
            .arg("--cert")
            .arg(&certificate)
            .stdin(secret(namespace, "db").to_string())
            .ok();
        let sealed: Value = serde_json::from_str(&sealed).expect("kubeseal prints JSON");
        cluster
            .api
            .create(&path::sealed_secrets(namespace), &sealed);
    }
    for namespace in [HOME, &inside] {
        cluster.wait_for(&path::secret(namespace, "db"), "the Secret appears", |_| {
            true
        });
    }
    assert!(cluster.secret(&outside, "db").is_none());
    let account = cluster.api_as(&User::ServiceAccount {
        namespace: HOME.into(),
        name: NAME.into(),
    });
    let read = account.send("GET", &path::secrets(&outside), "application/json", b"");
    assert_eq!(read.expect("it answers").status, 403);
    assert_eq!(forbidden(&pod.process.log()), Vec::<&str>::new());
}

fn without_sealed_secrets() -> Arc<Cluster> {
    Cluster::start_with(&Options {
        crd: Crd::Absent,
        ..Options::default()
    })
}

/// Installs the chart as people do; returns what Helm prints.
fn install(cluster: &Cluster, values: &Value) -> String {
    helm()
        .args(["install", "sealed-secrets", "--namespace", HOME, "--values"])
        .arg(values_file(values))
        .arg(folder())
        .kubeconfig(&cluster.kubeconfig(&User::Admin))
        .ok()
}

pub(super) fn installed(cluster: &Cluster, name: &str) -> Value {
    let path = format!("/apis/apps/v1/namespaces/{HOME}/deployments/{name}");
    cluster.api.get(&path).expect("Helm made it")
}

pub(super) fn secret(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": {"a": "b"},
    })
}
