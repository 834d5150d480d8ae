//! A controller that starts again: what is right costs nothing, what is not is found.

use serde_json::{Value, json};

use crate::stand::{Stand, condition};

#[test]
fn a_restart_opens_nothing_that_is_right_and_finds_what_is_not() {
    let now = Stand::start();
    let names: Vec<String> = (0..30).map(|number| format!("db{number}")).collect();
    for name in &names {
        now.apply(&now.sealed(name, &[("foo", "bar"), ("more", "values")]));
    }
    for name in &names {
        now.wait_synced(name, "True");
    }
    let versions = |stand: &Stand| -> Vec<Value> {
        let both = |name: &String| {
            let secret = stand.secret(name).expect("it is there");
            let sealed = stand
                .cluster
                .sealed_secret(&stand.namespace, name)
                .expect("it is there");
            [secret, sealed].map(|object| object["metadata"]["resourceVersion"].clone())
        };
        names.iter().flat_map(both).collect()
    };
    let before = versions(&now);
    let now = now.restart(|_| ());
    now.settle();
    assert_eq!(now.operations(), 0.0);
    assert_eq!(versions(&now), before, "nothing was written");
    let said = now.wait_event("db0", "Unsealed", "");
    assert_eq!(said["count"], 1, "and nothing said");

    // While the controller is away, somebody who may edit Secrets and status tries to get away with it.
    let third = now.restart(|stand| {
        let api = &stand.cluster.api;
        let mark = |name: &str| {
            let sealed = stand
                .cluster
                .sealed_secret(&stand.namespace, name)
                .expect("it is there");
            sealed["status"]["mark"].clone()
        };
        api.patch(&stand.secret_path("db0"), &json!({"data": {"foo": "YmF6"}}));
        api.patch(&stand.secret_path("db1"), &json!({"data": {"foo": "YmF6"}}));
        let copied = json!({"status": {"mark": mark("db2")}});
        api.patch(&format!("{}/status", stand.sealed_path("db1")), &copied);
        api.patch(&stand.secret_path("db3"), &json!({"data": {"more": null}}));
        api.patch(
            &stand.secret_path("db4"),
            &json!({"metadata": {"labels": {"foreign": "1"}}}),
        );
        api.delete(&stand.secret_path("db5"));
        // Right, but nobody can tell any more without opening it.
        api.patch(
            &format!("{}/status", stand.sealed_path("db6")),
            &json!({"status": {"mark": "bm9uZQ"}}),
        );
    });
    for name in ["db0", "db1", "db3", "db4", "db5", "db6"] {
        third.wait_data(name, &[("foo", "bar"), ("more", "values")]);
    }
    third.settle();
    testkit::wait_until(
        "only what was touched was opened",
        testkit::PATIENCE,
        || match third.operations() {
            10.0 => Ok(()),
            count => Err(format!("{count} private-key operations")),
        },
    );
    for name in &names {
        third.wait_data(name, &[("foo", "bar"), ("more", "values")]);
    }
}

#[test]
fn strict_templates_turned_on_later_look_at_what_was_rendered_before() {
    let easy = Stand::start();
    let mut typo = easy.sealed("typo", &[("password", "x")]);
    typo["spec"]["template"]["data"] = json!({"url": "db://{{ .pasword }}"});
    let mut good = easy.sealed("good", &[("password", "x")]);
    good["spec"]["template"]["data"] = json!({"url": "db://{{ .password }}"});
    for sealed in [&typo, &good] {
        easy.apply(sealed);
    }
    let rendered = [("password", "x"), ("url", "db://<no value>")];
    let before = easy.wait_data("typo", &rendered);
    easy.wait_synced("typo", "True");
    easy.wait_synced("good", "True");

    let strict = easy.restart_with(|_| (), |launch| launch.args(["--strict-templates"]));
    let said = strict.wait_synced("typo", "False");
    let message = condition(&said)["message"].as_str().unwrap_or_default();
    assert!(message.contains("(url)"), "{message}");
    let after = strict.wait_data("typo", &rendered);
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    strict.settle();
    strict.wait_synced("good", "True");

    // And off again: what was refused is let pass.
    let easy = strict.restart_with(|_| (), |launch| launch.args(["--strict-templates=false"]));
    easy.wait_synced("typo", "True");
    let last = easy.wait_data("typo", &rendered);
    assert_eq!(
        last["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
}

#[test]
fn without_a_status_there_is_no_mark_and_a_restart_opens_again() {
    let stand = Stand::start_with(&[], |launch| launch.args(["--update-status=false"]));
    stand.apply(&stand.sealed("db", &[("foo", "bar")]));
    let before = stand.wait_data("db", &[("foo", "bar")]);
    let stand = stand.restart(|_| ());
    testkit::wait_until("it was opened again", testkit::PATIENCE, || {
        match stand.operations() {
            0.0 => Err("not yet"),
            _ => Ok(()),
        }
    });
    let sealed = stand.cluster.sealed_secret(&stand.namespace, "db");
    assert_eq!(sealed.expect("it is there")["status"], Value::Null);
    assert_eq!(stand.secret("db"), Some(before), "and found right");
}
