//! SealedSecrets that no definition would let in: each is told what is wrong with it, and the others go on.

use serde_json::{Value, json};
use testkit::{Cluster, path};

use crate::stand::{Stand, condition};

const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sealedsecrets.bitnami.com";

const TOO_DEEP: &str = "nested";

/// Specs that cannot be read, by name.
fn unreadable() -> Vec<(&'static str, Value)> {
    let mut nested = json!("end");
    for _ in 0..200 {
        nested = json!([nested]);
    }
    vec![
        ("spec-text", json!("x")),
        ("items-list", json!({"encryptedData": ["AgA="]})),
        (
            "template-number",
            json!({"encryptedData": {}, "template": 7}),
        ),
        (
            "template-data-list",
            json!({"encryptedData": {}, "template": {"data": ["x"]}}),
        ),
        (
            "label-number",
            json!({"encryptedData": {}, "template": {"metadata": {"labels": {"a": 1}}}}),
        ),
        (
            "immutable-text",
            json!({"encryptedData": {}, "template": {"immutable": "yes"}}),
        ),
        ("data-number", json!({"encryptedData": {}, "data": 7})),
        (
            TOO_DEEP,
            json!({"encryptedData": {}, "template": {"metadata": {"x": nested}}}),
        ),
    ]
}

/// Lets any spec and status in.
fn loosen(cluster: &Cluster) -> Value {
    let definition = cluster.api.get(DEFINITION).expect("it is defined");
    let versions = definition["spec"]["versions"].clone();
    let mut loose = versions.clone();
    let anything = json!({"x-kubernetes-preserve-unknown-fields": true});
    for part in ["spec", "status"] {
        loose[0]["schema"]["openAPIV3Schema"]["properties"][part] = anything.clone();
    }
    cluster
        .api
        .patch(DEFINITION, &json!({"spec": {"versions": loose}}));
    versions
}

fn object(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    })
}

#[test]
fn what_cannot_be_read_is_named_and_disturbs_nobody() {
    let stand = Stand::start_on(Cluster::start(), |launch| launch);
    let strict = loosen(&stand.cluster);
    for (name, spec) in unreadable() {
        let object = object(&stand.namespace, name, &spec).to_string();
        let collection = path::sealed_secrets(&stand.namespace);
        // The new definition takes a moment to count.
        let api = &stand.cluster.api;
        testkit::wait_until(name, testkit::PATIENCE, || {
            let reply = api.send("POST", &collection, "application/json", object.as_bytes())?;
            match reply.status {
                201 => Ok(()),
                _ => Err(reply.body.to_string()),
            }
        });
        stand.wait_event(name, "ErrUnsealFailed", "a field is not of the type");
        assert!(stand.secret(name).is_none());
        if name == TOO_DEEP {
            // These tests cannot read it either.
            continue;
        }
        let said = stand.wait_synced(name, "False");
        let message = condition(&said)["message"].as_str().unwrap_or_default();
        assert!(message.contains("a field is not of the type"), "{message}");
    }
    // Values that are no text fail one by one, as with the original.
    let good = stand.sealed("values", &[("good", "1")]);
    let mut items = good["spec"]["encryptedData"].clone();
    items["number"] = json!(7);
    items["object"] = json!({"a": 1});
    stand.apply(&object(
        &stand.namespace,
        "values",
        &json!({"encryptedData": items}),
    ));
    let said = stand.wait_synced("values", "False");
    let message = condition(&said)["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("(number, object)"), "{message}");
    // A status that cannot be read is written anew.
    stand.apply(&stand.sealed("status", &[("foo", "bar")]));
    stand.wait_synced("status", "True");
    stand.cluster.api.patch(
        &format!("{}/status", stand.sealed_path("status")),
        &json!({"status": {"conditions": 7, "mark": ["x"]}}),
    );

    // They stand there when a controller starts, under the definition that would not let them in.
    let stand = stand.restart(|stand| {
        let versions = json!({"spec": {"versions": strict}});
        stand.cluster.api.patch(DEFINITION, &versions);
    });
    stand.settle();
    stand.wait_data("status", &[("foo", "bar")]);
    stand.wait_synced("status", "True");
    for number in 0..4 {
        let name = format!("good-{number}");
        stand.apply(&stand.sealed(&name, &[("foo", "bar")]));
        stand.wait_data(&name, &[("foo", "bar")]);
        stand.wait_synced(&name, "True");
    }
    let errors = "sealed_secrets_controller_unseal_errors_total";
    let label = format!(
        "{errors}{{namespace=\"{}\",reason=\"unseal\"}}",
        stand.namespace
    );
    let odd = unreadable().len() + 1;
    testkit::wait_until("each was looked at", testkit::PATIENCE, || {
        match stand.controller.metric(&label) as usize {
            count if count == odd => Ok(()),
            count => Err(format!("{count} of {odd}")),
        }
    });
    assert!(stand.controller.process.exited().is_none());
}
