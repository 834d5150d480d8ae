//! A controller that starts again: what is right costs nothing, what is not is found.

use serde_json::{Value, json};

use crate::stand::Stand;

/// Freezes the controller, lets `meanwhile` happen, kills it and starts it again.
fn restart(stand: Stand, meanwhile: impl FnOnce(&Stand)) -> Stand {
    stand.controller.pause();
    meanwhile(&stand);
    let Stand {
        cluster,
        namespace,
        controller,
        cert,
    } = stand;
    Stand {
        cluster,
        namespace,
        controller: controller.kill().start(),
        cert,
    }
}

/// Waits until the controller has found all there was to find: what is applied last is done.
fn settle(stand: &Stand) {
    let name = format!("last{}", stand.controller.process.pid());
    stand.apply(&stand.sealed(&name, &[]));
    stand.wait_synced(&name, "True");
}

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
    let now = restart(now, |_| ());
    settle(&now);
    assert_eq!(now.operations(), 0.0);
    assert_eq!(versions(&now), before, "nothing was written");

    // While the controller is away, somebody who may edit Secrets and status tries to get away with it.
    let third = restart(now, |stand| {
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
    settle(&third);
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
