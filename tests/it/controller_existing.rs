//! A Secret of the same name is there already: whose it is decides what happens to it.

use std::time::Instant;

use decryptor::sealed::{MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES};
use serde_json::{Value, json};
use testkit::path;

use crate::stand::{Stand, condition};

fn owners(secret: &Value) -> usize {
    secret["metadata"]["ownerReferences"]
        .as_array()
        .map_or(0, Vec::len)
}

#[test]
fn annotations_on_the_secret_decide_what_happens_to_it() {
    let stand = Stand::start();
    let there = [("old", "1"), ("foo", "old")];
    stand.create_secret("managed", &[MANAGED], &there);
    stand.create_secret("both", &[MANAGED, PATCH], &there);
    stand.create_secret("patch", &[PATCH], &there);
    stand.create_secret("empty", &[PATCH], &[]);
    for name in ["managed", "both", "patch", "empty"] {
        let mut sealed = stand.sealed(name, &[("foo", "bar")]);
        sealed["spec"]["template"]["metadata"]["labels"] = json!({"mine": "2"});
        stand.apply(&sealed);
    }
    let all = [("old", "1"), ("foo", "bar")];

    let managed = stand.wait_data("managed", &[("foo", "bar")]);
    assert_eq!(managed["metadata"]["annotations"], Value::Null);
    assert_eq!(managed["metadata"]["labels"], json!({"mine": "2"}));
    assert_eq!(owners(&managed), 1);

    let both = stand.wait_data("both", &all);
    assert_eq!(
        both["metadata"]["labels"],
        json!({"foreign": "1", "mine": "2"})
    );
    assert_eq!(
        both["metadata"]["annotations"],
        json!({MANAGED: "true", PATCH: "true"})
    );
    assert_eq!(owners(&both), 1);

    let patch = stand.wait_data("patch", &all);
    assert_eq!(
        patch["metadata"]["labels"],
        json!({"foreign": "1", "mine": "2"})
    );
    assert_eq!(patch["metadata"]["annotations"], json!({PATCH: "true"}));
    assert_eq!(owners(&patch), 0);

    assert_eq!(owners(&stand.wait_data("empty", &[("foo", "bar")])), 0);
    for name in ["managed", "both", "patch", "empty"] {
        stand.wait_synced(name, "True");
    }
}

#[test]
fn a_secret_of_somebody_else_is_left_alone_until_it_may_be_touched() {
    let stand = Stand::start();
    let text = "already exists and is not managed by SealedSecret";
    for name in ["blocker", "granted"] {
        stand.create_secret(name, &[], &[("old", "1")]);
        stand.apply(&stand.sealed(name, &[("foo", "bar")]));
        let refused = stand.wait_synced(name, "False");
        let said = condition(&refused)["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(said, format!("failed update: Resource {name:?} {text}"));
        assert_eq!(stand.wait_event(name, "ErrUpdateFailed", text)["count"], 1);
        stand.wait_data(name, &[("old", "1")]);
    }
    let errors = || {
        stand
            .controller
            .metric("sealed_secrets_controller_unseal_errors_total{namespace=")
    };
    assert_eq!(errors(), 2.0, "{}", stand.controller.metrics());

    // Each was opened once, to create the Secret. Now that it is known whose it is, nothing is opened to be refused.
    testkit::wait_until("both are tried again", testkit::PATIENCE, || {
        let errors = errors();
        if errors >= 4.0 { Ok(()) } else { Err(errors) }
    });
    assert_eq!(stand.operations(), 2.0);

    // Its owner allows it: noticed at once, and the condition loses its message.
    stand.cluster.api.patch(
        &stand.secret_path("granted"),
        &json!({"metadata": {"annotations": {MANAGED: "true"}}}),
    );
    stand.wait_data("granted", &[("foo", "bar")]);
    assert_eq!(
        condition(&stand.wait_synced("granted", "True"))["message"],
        Value::Null
    );

    // It goes away: nobody is taken by surprise at once, and others do not wait for it.
    stand.cluster.api.delete(&stand.secret_path("blocker"));
    let deleted = Instant::now();
    stand.apply(&stand.sealed("other", &[("foo", "bar")]));
    stand.wait_data("other", &[("foo", "bar")]);
    assert!(deleted.elapsed().as_secs() >= 2 || stand.secret("blocker").is_none());
    stand.wait_data("blocker", &[("foo", "bar")]);
    assert!(deleted.elapsed().as_millis() > 2000);
    stand.wait_synced("blocker", "True");
}

#[test]
fn nothing_in_a_sealed_secret_gives_it_the_secret_of_somebody_else() {
    let stand = Stand::start();
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0", "controller": true}]);
    for (name, annotations) in [
        ("managed", &[MANAGED][..]),
        ("patch", &[PATCH]),
        ("skip", &[SKIP_SET_OWNER_REFERENCES]),
        ("all", &[MANAGED, PATCH, SKIP_SET_OWNER_REFERENCES]),
    ] {
        let before = stand.create_secret(name, &[], &[("old", "1")]);
        let mut sealed = stand.sealed(name, &[("foo", "bar")]);
        for annotation in annotations {
            sealed["metadata"]["annotations"][annotation] = json!("true");
            sealed["spec"]["template"]["metadata"]["annotations"][annotation] = json!("true");
        }
        sealed["spec"]["template"]["metadata"]["ownerReferences"] = owner.clone();
        sealed["spec"]["template"]["metadata"]["uid"] = before["metadata"]["uid"].clone();
        stand.apply(&sealed);
        let said = stand.wait_synced(name, "False");
        let message = condition(&said)["message"].as_str().unwrap_or_default();
        assert!(message.contains("already exists"), "{name}: {message}");
        assert_eq!(stand.secret(name), Some(before), "{name}");
    }
}

#[test]
fn a_sealed_secret_made_anew_inherits_the_secret_of_its_forerunner() {
    let stand = Stand::start();
    stand.apply(&stand.sealed("db", &[("foo", "bar")]));
    stand.wait_synced("db", "True");
    let uid = stand.secret("db").expect("it was made")["metadata"]["uid"].clone();
    // As `kubectl delete --cascade=orphan` would, but with the reference to the old owner still in place.
    let gone = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "heir", "controller": true,
        "uid": "00000000-0000-4000-8000-000000000000",
    });
    stand.cluster.api.create(
        &path::secrets(&stand.namespace),
        &json!({
            "metadata": {"name": "heir", "ownerReferences": [gone]}, "stringData": {"old": "1"},
        }),
    );
    let sealed = stand.apply(&stand.sealed("heir", &[("foo", "bar")]));
    // Garbage collection may have been quicker; then it is made anew.
    stand.cluster.wait_for(
        &stand.secret_path("heir"),
        "the new one owns it",
        |secret| secret["metadata"]["ownerReferences"][0]["uid"] == sealed["metadata"]["uid"],
    );
    stand.wait_data("heir", &[("foo", "bar")]);
    stand.wait_synced("heir", "True");

    // Deleted and created in one go, as Argo CD replaces.
    stand.cluster.api.delete(&stand.sealed_path("db"));
    let again = stand.apply(&stand.sealed("db", &[("foo", "baz")]));
    stand
        .cluster
        .wait_for(&stand.secret_path("db"), "the new one owns it", |secret| {
            secret["metadata"]["ownerReferences"][0]["uid"] == again["metadata"]["uid"]
        });
    stand.wait_data("db", &[("foo", "baz")]);
    stand.wait_synced("db", "True");
    drop(uid);
}
