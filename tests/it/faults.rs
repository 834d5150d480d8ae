//! What breaks while the controller works: itself, the API server, the store. No Secret is wrong, none is lost.

use serde_json::{Value, json};
use testkit::{Cluster, cluster::User, controller, path};

use crate::stand::{Stand, brought_key, sealed_with};

/// A SealedSecret's name and what is sealed in it.
fn item(at: usize) -> (String, String) {
    (format!("item-{at}"), format!("value of {at}"))
}

fn apply(stand: &Stand, range: std::ops::Range<usize>) {
    for at in range {
        let (name, value) = item(at);
        stand.apply(&stand.sealed(&name, &[("key", &value)]));
    }
}

fn wait_all(stand: &Stand, range: std::ops::Range<usize>) {
    for at in range {
        let (name, value) = item(at);
        stand.wait_data(&name, &[("key", &value)]);
        stand.wait_synced(&name, "True");
    }
}

/// The names and uids of the Secrets made from items so far.
fn made(cluster: &Cluster, namespace: &str) -> Vec<(Value, Value)> {
    let secrets = cluster.api.list(&path::secrets(namespace));
    let is_item = |secret: &Value| {
        secret["metadata"]["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("item-"))
    };
    let identity = |secret: Value| {
        (
            secret["metadata"]["name"].clone(),
            secret["metadata"]["uid"].clone(),
        )
    };
    secrets.into_iter().filter(is_item).map(identity).collect()
}

#[test]
fn killed_at_any_point_it_goes_on_where_it_was() {
    let mut stand = Stand::start();
    let items = 24;
    let mut before = Vec::new();
    for round in 0..6 {
        apply(&stand, round * items / 6..(round + 1) * items / 6);
        // Each round ends a little later in the work on what was just applied.
        let enough = before.len() + round % 4;
        stand
            .cluster
            .wait_until("some of it is done", testkit::PATIENCE, || {
                let made = made(&stand.cluster, &stand.namespace).len();
                if made >= enough {
                    Ok(())
                } else {
                    Err(format!("{made} of {enough}"))
                }
            });
        stand = stand.restart(|stand| {
            let now = made(&stand.cluster, &stand.namespace);
            assert!(
                before.iter().all(|known| now.contains(known)),
                "a Secret was lost or made anew"
            );
            before = now;
        });
    }
    wait_all(&stand, 0..items);
    let after = made(&stand.cluster, &stand.namespace);
    assert!(
        before.iter().all(|known| after.contains(known)),
        "a Secret was lost or made anew"
    );
    assert!(stand.controller.process.exited().is_none());
}

#[test]
fn restarts_of_the_api_server_and_the_store_are_survived() {
    let stand = Stand::start_on(Cluster::start(), |launch| launch);
    apply(&stand, 0..4);
    wait_all(&stand, 0..4);
    let before = made(&stand.cluster, &stand.namespace);
    stand.cluster.restart_apiserver();
    apply(&stand, 4..8);
    wait_all(&stand, 0..8);
    stand.cluster.restart_etcd();
    apply(&stand, 8..12);
    // What is deleted right after is noticed although the watch had broken.
    stand.cluster.api.delete(&stand.secret_path("item-0"));
    wait_all(&stand, 0..12);
    let after = made(&stand.cluster, &stand.namespace);
    let first = |(name, _): &&(Value, Value)| *name != "item-0";
    assert!(
        before
            .iter()
            .filter(first)
            .all(|known| after.contains(known)),
        "a Secret was made anew"
    );
    assert!(stand.controller.process.exited().is_none(), "it ended");
}

/// How many of the controller's metrics begin so.
fn series(stand: &Stand, prefix: &str) -> usize {
    let metrics = stand.controller.metrics();
    metrics
        .lines()
        .filter(|line| line.starts_with(prefix))
        .count()
}

#[test]
fn what_goes_while_it_cannot_watch_is_noticed_when_it_reads_again() {
    const KEYS: &str = "sealed_secrets_controller_key_age_seconds{";
    const CONDITIONS: &str = "sealed_secrets_controller_condition_info{";
    // Losing the lease would make it read everything too.
    let stand = Stand::start_on(Cluster::start(), |launch| {
        launch.args(["--leader-elect=false"])
    });
    let api = &stand.cluster.api;
    api.create(&path::secrets(&stand.namespace), &brought_key("brought").0);
    apply(&stand, 0..3);
    wait_all(&stand, 0..3);
    let wait_series = |prefix: &str, wanted: usize| {
        stand
            .cluster
            .wait_until(prefix, testkit::PATIENCE, || match series(&stand, prefix) {
                count if count == wanted => Ok(()),
                count => Err(format!("{count}, not {wanted}")),
            });
    };
    wait_series(KEYS, 2);
    wait_series(CONDITIONS, 3);
    let reads = || stand.controller.log().matches("SealedSecrets read").count();
    let before = reads();

    stand.controller.pause();
    // Without this the changes would wait for it in its connections.
    stand.cluster.restart_apiserver();
    api.delete(&stand.secret_path("item-0"));
    api.delete(&stand.sealed_path("item-1"));
    api.delete(&stand.secret_path("brought"));
    stand.cluster.wait_gone(&stand.secret_path("item-1"));
    let drift = json!({"data": {"key": "YmF6"}});
    api.patch(&stand.secret_path("item-2"), &drift);
    apply(&stand, 3..4);
    // An API server that has just started remembers no change from before: watches have expired.
    stand.cluster.restart_apiserver();
    stand.controller.resume();

    for at in [0, 2, 3] {
        wait_all(&stand, at..at + 1);
    }
    wait_series(KEYS, 1);
    wait_series(CONDITIONS, 3);
    let log = stand.controller.log();
    assert!(reads() > before, "{log}");
    // The library's own lines quote answers.
    assert!(
        !log.contains("eof in poll") && !log.contains("failed with error"),
        "{log}"
    );
    assert!(stand.secret("item-1").is_none());
    assert!(stand.controller.process.exited().is_none());
}

/// Their own controller opens what ours left behind a kill, so nothing half-made stands there.
#[test]
fn after_a_kill_the_original_can_take_over() {
    let stand = Stand::start();
    apply(&stand, 0..3);
    wait_all(&stand, 0..2);
    let Stand {
        cluster,
        namespace,
        controller,
        cert,
    } = stand;
    drop(controller.kill());
    let before = made(&cluster, &namespace);
    let theirs = controller::theirs(&cluster)
        .namespace(&namespace)
        .only_namespaces(&[])
        .args(["--key-size=2048"])
        .start();
    assert_eq!(theirs.certificate(), cert.pem(), "the key is there");
    let api = cluster.api_as(&User::Admin);
    let late = sealed_with(
        &cert,
        &namespace,
        "item-9",
        &[("key", "late")],
        keys::Scope::Strict,
    );
    api.create(&path::sealed_secrets(&namespace), &late);
    cluster.wait_for(
        &path::secret(&namespace, "item-9"),
        "the original works on",
        |_| true,
    );
    let after = made(&cluster, &namespace);
    assert!(before.iter().all(|known| after.contains(known)));
}
