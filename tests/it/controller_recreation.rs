//! A Secret is deleted: who may rely on it coming back, and who not.

use decryptor::sealed::{MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES};
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
