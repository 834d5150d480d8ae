//! The originals work with each other here: what every comparison with them stands on.

use serde_json::{Value, json};
use testkit::{cli, cluster, cluster::User, controller, path, peer};

#[test]
fn their_client_seals_through_their_controller_and_deletion_follows_the_owner() {
    let cluster = cluster::shared();
    let (home, namespace) = (cluster.namespace(), cluster.namespace());
    let _controller = controller::theirs(&cluster)
        .namespace(&home)
        .only_namespaces(&[&namespace])
        .args(["--key-size=2048"])
        .start();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": namespace},
        "stringData": {"password": "correct horse"},
    });
    let sealed = cli::theirs()
        .args(["--controller-namespace", &home])
        .kubeconfig(&cluster.kubeconfig(&User::Admin))
        .stdin(secret.to_string())
        .ok();
    let sealed: Value =
        serde_json::from_str(&sealed).expect("kubeseal prints JSON if not told otherwise");
    let created = cluster
        .api
        .create(&path::sealed_secrets(&namespace), &sealed);
    let secret = cluster.wait_for(
        &path::secret(&namespace, "db"),
        "the Secret appears",
        |_| true,
    );
    assert_eq!(secret["data"]["password"], "Y29ycmVjdCBob3JzZQ==");
    assert_eq!(
        secret["metadata"]["ownerReferences"][0]["uid"],
        created["metadata"]["uid"]
    );
    cluster.api.delete(&path::sealed_secret(&namespace, "db"));
    cluster.wait_gone(&path::secret(&namespace, "db"));
}

#[test]
fn every_peer_says_its_version() {
    for (program, args, version) in [
        (
            &peer::KUBESEAL,
            &["--version"][..],
            "kubeseal version: 0.40.0",
        ),
        (
            &peer::CONTROLLER,
            &["--version"],
            "controller version: 0.40.0",
        ),
        (
            &peer::HELM,
            &["version", "--template", "{{.Version}}"],
            "v3.19.5",
        ),
        (&peer::KUSTOMIZE, &["version"], "v5.8.2"),
        (&peer::KUBE_APISERVER, &["--version"], "Kubernetes v1.34.4"),
        (
            &peer::SOPS,
            &["--version", "--disable-version-check"],
            "sops 3.13.3",
        ),
        (&peer::AGE, &["--version"], "v1.3.2"),
        (&peer::AGE_KEYGEN, &["--version"], "v1.3.2"),
    ] {
        assert_eq!(
            cli::run(program.path())
                .args(args.iter().copied())
                .ok()
                .trim(),
            version
        );
    }
}

#[test]
fn the_original_brings_its_chart() {
    let chart = peer::sealed_secrets_source().join("helm/sealed-secrets");
    let shown = cli::run(peer::HELM.path())
        .args(["show", "chart"])
        .arg(chart)
        .ok();
    assert!(shown.contains("name: sealed-secrets\n"), "{shown}");
}

#[test]
fn a_controller_that_was_killed_comes_back_behind_the_same_service() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let kubeconfig = cluster.kubeconfig(&User::Admin);
    let fetch = || {
        cli::theirs()
            .args(["--fetch-cert", "--controller-namespace", &home])
            .kubeconfig(&kubeconfig)
    };
    let first = controller::theirs(&cluster)
        .namespace(&home)
        .only_namespaces(&[])
        .args(["--key-size=2048"])
        .start();
    let certificate = first.certificate();
    assert_eq!(fetch().ok(), certificate);
    let launch = first.kill();
    assert_ne!(fetch().output().code(), 0, "nobody is there to answer");
    let second = launch.start();
    assert_eq!(fetch().ok(), certificate);
    assert!(
        second
            .metrics()
            .contains("sealed_secrets_controller_build_info")
    );
    second.stop();
}
