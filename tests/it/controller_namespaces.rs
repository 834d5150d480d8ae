//! Where the controller looks: named namespaces, chosen ones, and SealedSecrets with certain labels.

use decryptor::sealed::PATCH;
use keys::Scope;
use serde_json::json;
use testkit::{Cluster, cluster, path};

use crate::stand::{Stand, wait_data};

const DATA: [(&str, &str); 1] = [("foo", "bar")];

fn label(stand: &Stand, namespace: &str, value: Option<&str>) {
    stand.cluster.api.patch(
        &path::namespace(namespace),
        &json!({"metadata": {"labels": {"team": value}}}),
    );
}

#[test]
fn named_namespaces_are_looked_at_even_if_they_come_later() {
    let late = format!("late-{}", std::process::id());
    let stand = Stand::start_with(&[&late], |launch| launch);
    let other = stand.cluster.namespace();
    stand
        .cluster
        .api
        .create("/api/v1/namespaces", &json!({"metadata": {"name": late}}));
    stand.apply(&stand.sealed_for(&other, "db", &DATA, Scope::Strict));
    stand.apply(&stand.sealed_for(&late, "db", &DATA, Scope::Strict));
    stand.apply(&stand.sealed("db", &DATA));
    wait_data(&stand.cluster, &late, "db", &DATA);
    stand.wait_data("db", &DATA);
    assert!(stand.cluster.secret(&other, "db").is_none());
    assert!(
        stand
            .controller
            .log()
            .contains("the namespace does not exist"),
        "{}",
        stand.controller.log()
    );
}

#[test]
fn namespaces_can_be_chosen_by_their_labels() {
    let stand = Stand::start_on(Cluster::start(), |launch| {
        launch.args(["--namespace-selector=team=a"])
    });
    let (one, two) = (stand.cluster.namespace(), stand.cluster.namespace());
    label(&stand, &one, Some("a"));
    for namespace in [&one, &two] {
        stand.apply(&stand.sealed_for(namespace, "db", &DATA, Scope::Strict));
    }
    wait_data(&stand.cluster, &one, "db", &DATA);
    assert!(stand.cluster.secret(&two, "db").is_none());
    label(&stand, &two, Some("a"));
    wait_data(&stand.cluster, &two, "db", &DATA);
    label(&stand, &one, None);
    label(&stand, &two, Some("a"));
}

#[test]
fn a_namespace_that_is_deleted_ends_quietly() {
    let home = cluster::shared().namespace();
    let ending = cluster::shared().namespace();
    let stand = Stand::start_with(&[&home, &ending], |launch| launch);
    for number in 0..6 {
        let name = format!("db{number}");
        stand.apply(&stand.sealed_for(&ending, &name, &DATA, Scope::Strict));
        wait_data(&stand.cluster, &ending, &name, &DATA);
    }
    stand.cluster.api.delete(&path::namespace(&ending));
    stand.cluster.wait_gone(&path::namespace(&ending));
    stand.apply(&stand.sealed_for(&home, "db", &DATA, Scope::Strict));
    wait_data(&stand.cluster, &home, "db", &DATA);
    let errors = stand
        .controller
        .metric("sealed_secrets_controller_unseal_errors_total{");
    let log = stand.controller.log();
    assert!(errors == 0.0 && !log.contains("Err"), "{errors}\n{log}");
    // And what is known of it goes.
    testkit::wait_until("it is forgotten", testkit::PATIENCE, || {
        let metrics = stand.controller.metrics();
        match metrics.contains(&ending) {
            true => Err(metrics),
            false => Ok(()),
        }
    });
}

#[test]
fn sealed_secrets_can_be_chosen_by_their_labels() {
    let stand = Stand::start_with(&[], |launch| launch.args(["--label-selector=app=db"]));
    let mut chosen = stand.sealed("chosen", &DATA);
    chosen["metadata"]["labels"] = json!({"app": "db"});
    stand.apply(&stand.sealed("other", &DATA));
    stand.apply(&chosen);
    stand.wait_data("chosen", &DATA);
    stand.wait_synced("chosen", "True");
    assert!(stand.secret("other").is_none());
}

#[test]
fn a_secret_is_deleted_with_its_sealed_secret_in_the_old_way() {
    let stand = Stand::start_with(&[], |launch| launch.args(["--old-gc-behavior=true"]));
    stand.apply(&stand.sealed("db", &DATA));
    stand.wait_synced("db", "True");
    stand.create_secret("patched", &[PATCH], &[("old", "1")]);
    stand.apply(&stand.sealed("patched", &DATA));
    stand.wait_synced("patched", "True");
    stand.create_secret("foreign", &[], &[("old", "1")]);
    stand.apply(&stand.sealed("foreign", &DATA));
    stand.wait_synced("foreign", "False");
    for name in ["patched", "foreign", "db"] {
        stand.cluster.api.delete(&stand.sealed_path(name));
    }
    // Without the reference, garbage collection would not.
    stand.cluster.wait_gone(&stand.secret_path("db"));
    // Those of somebody else were deleted by nobody.
    stand.wait_data("patched", &[("old", "1"), ("foo", "bar")]);
    stand.wait_data("foreign", &[("old", "1")]);
}
