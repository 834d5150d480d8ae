//! What cannot become a Secret, and how that is said.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use keys::{
    Scope, SealingCert,
    sealing::{KeySize, NewKey},
};
use serde_json::{Value, json};

use crate::stand::{Stand, condition, sealed_with, wait_data};

#[test]
fn a_value_opens_where_its_scope_says_and_nowhere_else() {
    let stand = Stand::start();
    let elsewhere = stand.cluster.namespace();
    let stranger = NewKey::generate(
        KeySize::Rsa2048,
        "",
        Timestamp::now(),
        SignedDuration::from_hours(1),
    );
    let stranger = stranger.expect("a key can be made").cert_pem;
    let stranger = SealingCert::from_pem(stranger.as_bytes()).expect("a certificate");
    let data = [("foo", "bar")];
    let moved = |namespace: &str, name: &str, to: &str, scope| {
        let mut sealed = stand.sealed_for(namespace, name, &data, scope);
        sealed["metadata"]["namespace"] = json!(stand.namespace);
        sealed["metadata"]["name"] = json!(to);
        sealed
    };
    let here = stand.namespace.as_str();
    for (name, sealed) in [
        (
            "wrong-key",
            sealed_with(&stranger, here, "wrong-key", &data, Scope::Strict),
        ),
        (
            "wrong-name",
            moved(here, "right-name", "wrong-name", Scope::Strict),
        ),
        (
            "wrong-namespace",
            moved(
                &elsewhere,
                "wrong-namespace",
                "wrong-namespace",
                Scope::Strict,
            ),
        ),
        (
            "namespace-elsewhere",
            moved(&elsewhere, "a", "namespace-elsewhere", Scope::NamespaceWide),
        ),
    ] {
        stand.apply(&sealed);
        let said = stand.wait_synced(name, "False");
        assert_eq!(
            condition(&said)["message"],
            "no key could decrypt secret (foo)"
        );
        stand.wait_event(
            name,
            "ErrUnsealFailed",
            "Failed to unseal: no key could decrypt secret (foo)",
        );
        assert!(stand.secret(name).is_none());
    }
    for (name, sealed) in [
        (
            "cluster-name",
            moved(here, "a", "cluster-name", Scope::ClusterWide),
        ),
        (
            "cluster-elsewhere",
            moved(&elsewhere, "a", "cluster-elsewhere", Scope::ClusterWide),
        ),
        (
            "namespace-name",
            moved(here, "a", "namespace-name", Scope::NamespaceWide),
        ),
    ] {
        stand.apply(&sealed);
        wait_data(&stand.cluster, here, name, &data);
    }
    // The scope is put right later: that is noticed although the spec is the same.
    let mut fixed = moved(here, "a", "fixed-later", Scope::ClusterWide);
    let annotations = fixed["metadata"]["annotations"].take();
    fixed["metadata"]["annotations"] = json!({});
    stand.apply(&fixed);
    stand.wait_synced("fixed-later", "False");
    stand.cluster.api.patch(
        &stand.sealed_path("fixed-later"),
        &json!({"metadata": {"annotations": annotations}}),
    );
    stand.wait_data("fixed-later", &data);
    assert_eq!(
        condition(&stand.wait_synced("fixed-later", "True"))["message"],
        Value::Null
    );
}

#[test]
fn each_reason_is_said_with_the_keys_it_is_for() {
    let stand = Stand::start();
    let good = stand.sealed("odd", &[("good", "1")]);
    let mut items: BTreeMap<String, Value> = BTreeMap::new();
    items.insert("a".into(), json!("AgA="));
    items.insert("b".into(), json!("!!!"));
    items.insert("c".into(), json!(""));
    items.insert("good".into(), good["spec"]["encryptedData"]["good"].clone());
    let mut odd = good;
    odd["spec"]["encryptedData"] = json!(items);
    stand.apply(&odd);
    let said = stand.wait_synced("odd", "False");
    assert_eq!(
        condition(&said)["message"],
        "illegal base64 data (b)\nno key could decrypt secret (a, c)"
    );
    assert!(stand.secret("odd").is_none());
    // Another reason for the same spec and status is said too, and nothing of it stays.
    stand.apply(&stand.sealed("odd", &[("good", "1")]));
    stand.wait_data("odd", &[("good", "1")]);
    assert_eq!(
        condition(&stand.wait_synced("odd", "True"))["message"],
        Value::Null
    );
}

#[test]
fn types_and_immutability_are_kept_and_said_when_they_stand_in_the_way() {
    let stand = Stand::start();
    let mut docker = stand.sealed("docker", &[(".dockerconfigjson", "{\"auths\":{}}")]);
    docker["spec"]["template"]["type"] = json!("kubernetes.io/dockerconfigjson");
    stand.apply(&docker);
    stand.wait_synced("docker", "True");
    let secret = stand.secret("docker").expect("it was made");
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    docker["spec"]["template"]["type"] = json!("Opaque");
    stand.apply(&docker);
    let said = stand.wait_synced("docker", "False");
    assert_eq!(said["status"]["observedGeneration"], 2);
    stand.wait_event(
        "docker",
        "ErrUpdateFailed",
        "the type of the target Secret is",
    );
    stand.cluster.api.delete(&stand.secret_path("docker"));
    let again = stand
        .cluster
        .wait_for(&stand.secret_path("docker"), "it has the new type", |s| {
            s["type"] == "Opaque"
        });
    assert_ne!(again["metadata"]["uid"], secret["metadata"]["uid"]);

    let mut fixed = stand.sealed("fixed", &[("foo", "bar")]);
    fixed["spec"]["template"]["immutable"] = json!(true);
    stand.apply(&fixed);
    stand.wait_synced("fixed", "True");
    assert_eq!(
        stand.secret("fixed").expect("it was made")["immutable"],
        true
    );
    let mut changed = stand.sealed("fixed", &[("foo", "baz")]);
    changed["spec"]["template"]["immutable"] = json!(true);
    stand.apply(&changed);
    stand.wait_event("fixed", "ErrUpdateFailed", "the target Secret is immutable");
    let said = stand.wait_synced("fixed", "False");
    assert_eq!(said["status"]["observedGeneration"], 2);
    let message = condition(&said)["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        message.ends_with("field is immutable when `immutable` is set"),
        "{message}"
    );
    stand.wait_data("fixed", &[("foo", "bar")]);

    // What was not immutable becomes so.
    let mut toggled = stand.sealed("toggled", &[("foo", "bar")]);
    stand.apply(&toggled);
    stand.wait_synced("toggled", "True");
    toggled["spec"]["template"]["immutable"] = json!(true);
    stand.apply(&toggled);
    stand
        .cluster
        .wait_for(&stand.secret_path("toggled"), "it is immutable", |secret| {
            secret["immutable"] == true
        });
    stand.wait_synced("toggled", "True");
}

#[test]
fn fields_that_do_not_belong_in_a_template_are_left_out_and_named() {
    let stand = Stand::start();
    let mut sealed = stand.sealed("db", &[("foo", "bar")]);
    sealed["spec"]["template"]["metadata"]["finalizers"] = json!(["example.com/stuck"]);
    sealed["metadata"]["labels"] = json!({"outer": "kept"});
    stand.apply(&sealed);
    stand.wait_event("db", "TemplateFieldsDropped", "finalizers");
    let secret = stand.wait_data("db", &[("foo", "bar")]);
    assert_eq!(secret["metadata"]["finalizers"], Value::Null);
    // Writing the status leaves everything else as it was.
    let synced = stand.wait_synced("db", "True");
    assert_eq!(synced["metadata"]["labels"], json!({"outer": "kept"}));
    assert_eq!(synced["spec"], stand.apply(&sealed)["spec"]);
    assert_eq!(synced["metadata"]["generation"], 1);
}
