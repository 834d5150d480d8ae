//! Somebody changes a Secret that a SealedSecret owns.

use std::time::Instant;

use serde_json::{Value, json};

use crate::stand::Stand;

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
