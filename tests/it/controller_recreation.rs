//! A Secret is deleted: who may rely on it coming back, and who not.

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::{MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES};
use keys::Scope;
use serde_json::{Value, json};

use crate::stand::{Stand, condition};

/// Seals `name` with these annotations, all `true`, in its template.
fn annotated(stand: &Stand, name: &str, annotations: &[&str]) -> Value {
    let mut sealed = stand.sealed(name, &[("foo", "bar")]);
    for annotation in annotations {
        sealed["spec"]["template"]["metadata"]["annotations"][*annotation] = json!("true");
    }
    sealed
}

#[test]
fn only_owned_and_managed_secrets_come_back() {
    let stand = Stand::start();
    stand.create_secret("patch", &[PATCH], &[("old", "1")]);
    stand.apply(&annotated(&stand, "owned", &[]));
    stand.apply(&annotated(
        &stand,
        "managed",
        &[SKIP_SET_OWNER_REFERENCES, MANAGED],
    ));
    stand.apply(&annotated(&stand, "unowned", &[SKIP_SET_OWNER_REFERENCES]));
    stand.apply(&annotated(&stand, "patch", &[]));
    for name in ["owned", "managed", "unowned", "patch"] {
        let sealed = stand.wait_synced(name, "True");
        assert_eq!(condition(&sealed)["message"], Value::Null, "{name}");
    }
    for name in ["unowned", "managed"] {
        let secret = stand.secret(name).expect("it was made");
        assert_eq!(secret["metadata"]["ownerReferences"], Value::Null);
    }
    for name in ["unowned", "patch", "owned", "managed"] {
        stand.cluster.api.delete(&stand.secret_path(name));
    }
    let owned = stand.wait_data("owned", &[("foo", "bar")]);
    assert_eq!(owned["metadata"]["ownerReferences"][0]["name"], "owned");
    stand.wait_data("managed", &[("foo", "bar")]);
    // The controller has had its hands on what was deleted later.
    assert!(stand.secret("unowned").is_none());
    assert!(stand.secret("patch").is_none());
    // Another spec is another wish.
    let mut sealed = annotated(&stand, "unowned", &[SKIP_SET_OWNER_REFERENCES]);
    sealed["spec"]["template"]["metadata"]["labels"] = json!({"a": "b"});
    stand.apply(&sealed);
    stand.wait_data("unowned", &[("foo", "bar")]);
}

#[test]
fn recreation_and_the_format_of_old_can_be_turned_off() {
    let stand = Stand::start_with(&[], |launch| {
        launch.args(["--skip-recreate", "--accept-deprecated-v1-data=false"])
    });
    stand.apply(&stand.sealed("db", &[("foo", "bar")]));
    stand.wait_synced("db", "True");
    stand.cluster.api.delete(&stand.secret_path("db"));
    stand.settle();
    assert!(stand.secret("db").is_none());
    stand.apply(&stand.sealed("db", &[("foo", "baz")]));
    stand.wait_data("db", &[("foo", "baz")]);

    let mut old = stand.sealed("old", &[]);
    let text = json!({"kind": "Secret", "apiVersion": "v1", "data": {"k": "dg=="}}).to_string();
    let label = Scope::Strict.label(&stand.namespace, "old");
    old["spec"]["encryptedData"] = json!({});
    old["spec"]["data"] = json!(STANDARD.encode(stand.cert.seal(text.as_bytes(), &label)));
    stand.apply(&old);
    let said = stand.wait_synced("old", "False");
    let message = condition(&said)["message"].as_str().unwrap_or_default();
    assert!(message.contains("deprecated"), "{message}");
    assert!(stand.secret("old").is_none());
}

#[test]
fn a_secret_without_owner_follows_its_sealed_secret_and_outlives_it() {
    let stand = Stand::start();
    stand.apply(&annotated(&stand, "db", &[SKIP_SET_OWNER_REFERENCES]));
    stand.wait_synced("db", "True");
    let mut changed = annotated(&stand, "db", &[SKIP_SET_OWNER_REFERENCES]);
    changed["spec"]["encryptedData"] =
        stand.sealed("db", &[("foo", "baz")])["spec"]["encryptedData"].clone();
    stand.apply(&changed);
    stand.wait_data("db", &[("foo", "baz")]);
    stand.wait_synced("db", "True");

    let owned = stand.apply(&annotated(&stand, "owned", &[]));
    stand.wait_synced("owned", "True");
    assert!(owned["metadata"]["uid"].is_string());
    stand.cluster.api.delete(&stand.sealed_path("db"));
    stand.cluster.api.delete(&stand.sealed_path("owned"));
    stand.cluster.wait_gone(&stand.secret_path("owned"));
    stand.wait_data("db", &[("foo", "baz")]);
    testkit::wait_until(
        "the conditions are forgotten",
        testkit::PATIENCE,
        || match stand.controller.metrics().contains("condition_info{") {
            true => Err(stand.controller.metrics()),
            false => Ok(()),
        },
    );
}

#[test]
fn what_is_being_deleted_is_let_go_and_what_it_held_up_comes_back() {
    let stand = Stand::start();
    let mut ending = stand.sealed("ending", &[("foo", "bar")]);
    ending["metadata"]["finalizers"] = json!(["example.com/wait"]);
    stand.apply(&ending);
    stand.apply(&stand.sealed("held", &[("foo", "bar")]));
    stand.wait_synced("ending", "True");
    stand.wait_synced("held", "True");
    let api = &stand.cluster.api;
    // As in a deletion in the foreground: the SealedSecret is there until its Secret is gone.
    api.delete(&stand.sealed_path("ending"));
    api.delete(&stand.secret_path("ending"));
    // A Secret whose deletion waits for somebody.
    let finalizers = |names: Value| {
        let patch = json!({"metadata": {"finalizers": names}});
        api.patch(&stand.secret_path("held"), &patch);
    };
    finalizers(json!(["example.com/wait"]));
    api.delete(&stand.secret_path("held"));
    stand.settle();
    assert!(stand.secret("ending").is_none());
    let held = stand.secret("held").expect("it waits");
    assert!(held["metadata"]["deletionTimestamp"].is_string());

    finalizers(json!(null));
    let again = stand
        .cluster
        .wait_for(&stand.secret_path("held"), "it is made anew", |secret| {
            secret["metadata"]["uid"] != held["metadata"]["uid"]
        });
    assert_eq!(again["data"], held["data"]);
    assert!(stand.secret("ending").is_none());
    let patch = json!({"metadata": {"finalizers": null}});
    api.patch(&stand.sealed_path("ending"), &patch);
    stand.cluster.wait_gone(&stand.sealed_path("ending"));
}
