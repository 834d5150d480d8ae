//! Somebody changes a Secret that a SealedSecret owns.

use std::time::Instant;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use testkit::path;

use crate::stand::Stand;

/// On a Secret: whose token it is.
const ACCOUNT: &str = "kubernetes.io/service-account.name";

#[test]
fn what_the_template_says_is_restored_and_what_others_add_is_left() {
    let stand = Stand::start();
    let mut sealed = stand.sealed("db", &[("foo", "bar")]);
    sealed["spec"]["template"]["metadata"]["labels"] = json!({"mine": "1"});
    stand.apply(&sealed);
    let good = stand.wait_data("db", &[("foo", "bar")]);
    stand.wait_synced("db", "True");
    let path = stand.secret_path("db");

    let foreign =
        json!({"metadata": {"labels": {"foreign": "1"}, "annotations": {"foreign": "2"}}});
    stand.cluster.api.patch(&path, &foreign);
    for change in [
        json!({"data": {"foo": "YmF6", "more": "YmF6"}}),
        json!({"metadata": {"labels": {"mine": "2"}}}),
        json!({"metadata": {"ownerReferences": null}, "data": null}),
    ] {
        // Each in its own time: healing waits longer from time to time.
        stand.cluster.api.patch(&path, &change);
        stand
            .cluster
            .wait_for(&path, &format!("{change} is undone"), |secret| {
                secret["data"] == good["data"]
                    && secret["metadata"]["ownerReferences"] == good["metadata"]["ownerReferences"]
                    && secret["metadata"]["labels"] == json!({"mine": "1", "foreign": "1"})
                    && secret["metadata"]["annotations"] == json!({"foreign": "2"})
            });
        // The owner is part of it: without one, the Secret belongs to nobody.
    }
    // A new spec replaces everything.
    sealed["spec"]["template"]["metadata"]["labels"] = json!({"mine": "3"});
    stand.apply(&sealed);
    let secret = stand
        .cluster
        .wait_for(&path, "the new label is there", |secret| {
            secret["metadata"]["labels"]["mine"] == "3"
        });
    assert_eq!(secret["metadata"]["labels"], json!({"mine": "3"}));
    assert_eq!(secret["metadata"]["annotations"], Value::Null);
    assert_eq!(secret["metadata"]["uid"], good["metadata"]["uid"]);
}

#[test]
fn a_secret_changed_again_and_again_is_healed_ever_later_with_one_event() {
    let stand = Stand::start();
    stand.apply(&stand.sealed("db", &[("foo", "bar")]));
    stand.wait_synced("db", "True");
    let mut times = Vec::new();
    for _ in 0..3 {
        let changed = Instant::now();
        stand
            .cluster
            .api
            .patch(&stand.secret_path("db"), &json!({"data": {"foo": "YmF6"}}));
        stand.wait_data("db", &[("foo", "bar")]);
        times.push(changed.elapsed().as_millis());
    }
    assert!(
        times[0] < 1500 && times[1] > 1000 && times[2] > 2000,
        "{times:?}"
    );
    stand.wait_event("db", "Unsealed", "");
    testkit::wait_until("one event counts them all", testkit::PATIENCE, || {
        let events = stand.cluster.events(&stand.namespace, "db");
        match events.as_slice() {
            [event] if event["count"] == 4 => Ok(()),
            events => Err(format!("{events:#?}")),
        }
    });
}

#[test]
fn what_kubernetes_writes_into_the_secret_of_a_service_account_stays() {
    let stand = Stand::start();
    let (api, namespace) = (&stand.cluster.api, &stand.namespace);
    for name in ["first", "second"] {
        api.create(
            &path::core(namespace, "serviceaccounts"),
            &json!({"metadata": {"name": name}}),
        );
    }
    let sealed = |account: &str, more: &str| {
        let mut sealed = stand.sealed("token", &[("more", more)]);
        let template = &mut sealed["spec"]["template"];
        template["type"] = json!("kubernetes.io/service-account-token");
        template["metadata"]["annotations"] = json!({ACCOUNT: account});
        sealed
    };
    let path = stand.secret_path("token");
    let written = |more: &str, account: &str| {
        let what = format!("the token of {account} beside {more}");
        stand.cluster.wait_for(&path, &what, |secret| {
            let data = &secret["data"];
            ["token", "ca.crt", "namespace"]
                .iter()
                .all(|key| data[*key].is_string())
                && data["more"] == json!(STANDARD.encode(more))
                && claims(&data["token"])["kubernetes.io/serviceaccount/service-account.name"]
                    == account
        })
    };
    stand.apply(&sealed("first", "1"));
    let first = written("1", "first");
    stand.wait_synced("token", "True");
    stand.settle();
    let now = stand.secret("token").expect("it is there");
    assert_eq!(
        now["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    assert_eq!(stand.wait_event("token", "Unsealed", "")["count"], 1);

    // Healed, and changed with its SealedSecret.
    let broken = json!({"data": {"more": "YmF6"}});
    api.patch(&path, &broken);
    assert_eq!(written("1", "first")["data"], first["data"]);
    stand.apply(&sealed("first", "2"));
    let second = written("2", "first");
    assert_eq!(second["data"]["token"], first["data"]["token"]);
    let uid = "kubernetes.io/service-account.uid";
    let annotations = |secret: &Value| secret["metadata"]["annotations"][uid].clone();
    assert_eq!(annotations(&second), annotations(&first));
    // The token of one account is not that of another.
    stand.apply(&sealed("second", "2"));
    assert_ne!(annotations(&written("2", "second")), annotations(&first));
}

/// What a token says about itself.
fn claims(token: &Value) -> Value {
    let token = STANDARD.decode(token.as_str().unwrap_or_default());
    let token = String::from_utf8(token.unwrap_or_default()).unwrap_or_default();
    let claims = token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    serde_json::from_slice(&claims).unwrap_or_default()
}
