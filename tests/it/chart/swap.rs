//! One chart's release upgraded to the other's, in place, and back.

use std::{fs, path::Path};

use serde_json::{Value, json};
use testkit::{Cluster, cli, cluster::User, controller, path, peer};

use super::{
    folder, helm,
    install::{installed, secret},
    values_file,
};
use crate::pod::{self, Place};

const HOME: &str = "kube-system";
/// What the original's chart calls everything in a release of this name.
const NAME: &str = "sealed-secrets";

#[test]
fn a_release_of_the_originals_chart_is_upgraded_to_ours_and_back() {
    let cluster = Cluster::start();
    let namespace = cluster.namespace();
    let theirs = peer::sealed_secrets_source().join("helm/sealed-secrets");
    upgrade(&cluster, &theirs, &json!({}));
    let selector = installed(&cluster, NAME)["spec"]["selector"].clone();
    let their_controller = controller::theirs(&cluster)
        .account(NAME)
        .service(Some(NAME))
        .rules(None)
        .args(["--key-size=2048"])
        .start();
    let keys = keys(&cluster);
    assert_eq!(keys.len(), 1);
    seal(&cluster, &namespace, "before");
    let before = cluster.wait_for(
        &path::secret(&namespace, "before"),
        "the Secret appears",
        |_| true,
    );
    their_controller.stop();

    // The names stay, so people's --controller-name stays right.
    upgrade(
        &cluster,
        &folder(),
        &json!({"fullnameOverride": "", "keySize": 2048}),
    );
    let deployment = installed(&cluster, NAME);
    assert_eq!(deployment["spec"]["selector"], selector);
    let pod = pod::start(&cluster, &deployment, &Place::Machine);
    cluster.expose(HOME, NAME, "http", 8080, pod.port);
    seal(&cluster, &namespace, "with-ours");
    cluster.wait_for(
        &path::secret(&namespace, "with-ours"),
        "the Secret appears",
        |_| true,
    );
    let after = cluster.secret(&namespace, "before").expect("it stays");
    assert_eq!(
        (&after["metadata"]["uid"], &after["data"]),
        (&before["metadata"]["uid"], &before["data"])
    );
    assert_eq!(self::keys(&cluster), keys);
    drop(pod);

    upgrade(&cluster, &theirs, &json!({}));
    assert_eq!(installed(&cluster, NAME)["spec"]["selector"], selector);
    let _back = controller::theirs(&cluster)
        .account(NAME)
        .service(Some(NAME))
        .rules(None)
        .args(["--key-size=2048"])
        .start();
    seal(&cluster, &namespace, "after");
    cluster.wait_for(
        &path::secret(&namespace, "after"),
        "the Secret appears",
        |_| true,
    );
    assert_eq!(self::keys(&cluster), keys);
}

fn upgrade(cluster: &Cluster, chart: &Path, values: &Value) {
    helm()
        .args([
            "upgrade",
            "--install",
            NAME,
            "--namespace",
            HOME,
            "--reset-values",
            "--values",
        ])
        .arg(values_file(values))
        .arg(chart)
        .kubeconfig(&cluster.kubeconfig(&User::Admin))
        .ok();
}

/// Seals for the controller that runs, as it says, and applies the result.
fn seal(cluster: &Cluster, namespace: &str, name: &str) {
    let sealed = cli::ours()
        .args(["--controller-name", NAME])
        .kubeconfig(&cluster.kubeconfig(&User::Admin))
        .stdin(secret(namespace, name).to_string())
        .ok();
    let file = cluster.new_file("sealed.json");
    fs::write(&file, &sealed).expect("the cluster's folder can be written");
    let sealed: Value = serde_json::from_str(&sealed).expect("kubeseal prints JSON");
    cluster
        .api
        .create(&path::sealed_secrets(namespace), &sealed);
}

/// Names and versions of the sealing keys.
fn keys(cluster: &Cluster) -> Vec<String> {
    let labelled = "?labelSelector=sealedsecrets.bitnami.com/sealed-secrets-key";
    let keys = cluster
        .api
        .list(&format!("{}{labelled}", path::secrets(HOME)));
    let describe = |key: &Value| format!("{} {}", key["metadata"]["name"], key["metadata"]["uid"]);
    keys.iter().map(describe).collect()
}
