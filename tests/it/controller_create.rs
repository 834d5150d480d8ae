//! A SealedSecret becomes a Secret, and follows it from then on.

use serde_json::json;

use crate::stand::{Stand, condition};

#[test]
fn a_sealed_secret_becomes_a_secret_and_follows_its_changes() {
    let stand = Stand::start();
    let mut sealed = stand.sealed("db", &[("foo", "bar")]);
    sealed["spec"]["template"]["metadata"]["labels"] = json!({"mylabel": "myvalue"});
    stand.apply(&sealed);
    let secret = stand.wait_data("db", &[("foo", "bar")]);
    assert_eq!(secret["metadata"]["labels"], json!({"mylabel": "myvalue"}));
    let first = stand.wait_synced("db", "True");
    let owner = json!([{
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "db", "controller": true,
        "uid": first["metadata"]["uid"],
    }]);
    assert_eq!(secret["metadata"]["ownerReferences"], owner);
    let said = condition(&first);
    assert_eq!(said["lastTransitionTime"], said["lastUpdateTime"]);
    assert_eq!(
        (&said["type"], &said["reason"]),
        (&json!("Synced"), &json!(null))
    );
    let event = stand.wait_event("db", "Unsealed", "SealedSecret unsealed successfully");
    assert_eq!(event["source"]["component"], "sealed-secrets");
    assert_eq!(event["type"], "Normal");
    let about = &event["involvedObject"];
    assert_eq!(
        (&about["apiVersion"], &about["kind"], &about["uid"]),
        (
            &json!("bitnami.com/v1alpha1"),
            &json!("SealedSecret"),
            &first["metadata"]["uid"]
        )
    );

    // Appended and changed items.
    let changed = stand.sealed("db", &[("foo", "baz"), ("foo2", "bar2")]);
    stand.cluster.api.patch(
        &stand.sealed_path("db"),
        &json!({"spec": {"encryptedData": changed["spec"]["encryptedData"]}}),
    );
    stand.wait_data("db", &[("foo", "baz"), ("foo2", "bar2")]);
    let second = stand.wait_synced("db", "True");
    assert_eq!(second["status"]["observedGeneration"], 2);
    // Renamed items.
    let renamed = stand.sealed("db", &[("foo3", "baz")]);
    let mut items = renamed["spec"]["encryptedData"].clone();
    items["foo"] = json!(null);
    items["foo2"] = json!(null);
    stand.cluster.api.patch(
        &stand.sealed_path("db"),
        &json!({"spec": {"encryptedData": items}}),
    );
    stand.wait_data("db", &[("foo3", "baz")]);
}
