//! The harness itself: what other tests rely on.

use serde_json::json;
use testkit::{Cluster, cluster, cluster::User, path};

#[test]
fn garbage_collection_knows_sealed_secrets_from_the_start() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace();
    let owner = cluster.api.create(
        &path::sealed_secrets(&namespace),
        &json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "owner"},
            "spec": {"encryptedData": {}},
        }),
    );
    let reference = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "owner", "uid": owner["metadata"]["uid"],
    });
    cluster.api.create(
        &path::secrets(&namespace),
        &json!({"metadata": {"name": "owned", "ownerReferences": [reference]}}),
    );
    cluster
        .api
        .delete(&path::sealed_secret(&namespace, "owner"));
    cluster.wait_gone(&path::secret(&namespace, "owned"));
}

#[test]
fn people_and_service_accounts_may_do_what_they_were_granted() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace();
    let account = User::ServiceAccount {
        namespace: namespace.clone(),
        name: "reader".into(),
    };
    for user in [User::Person("alice"), account] {
        let api = cluster.api_as(&user);
        let read = || {
            api.send("GET", &path::secrets(&namespace), "application/json", b"")
                .expect("it answers")
                .status
        };
        assert_eq!(read(), 403);
        cluster.grant(
            &user,
            Some(&namespace),
            "read-secrets",
            &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
        );
        testkit::wait_until("the grant holds", testkit::PATIENCE, || {
            if read() == 200 { Ok(()) } else { Err("403") }
        });
    }
}

#[test]
fn data_outlives_a_restart_of_every_server() {
    let cluster = Cluster::start();
    let namespace = cluster.namespace();
    cluster.api.create(
        &path::secrets(&namespace),
        &json!({"metadata": {"name": "kept"}}),
    );
    cluster.restart_etcd();
    cluster.restart_apiserver();
    assert!(cluster.secret(&namespace, "kept").is_some());
}
