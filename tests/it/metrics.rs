//! What the controller counts: the original's names, types and labels, and its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;
use testkit::{
    Cluster, PATIENCE, cluster,
    controller::{self, Controller, Launch},
    path, wait_until,
};

/// Name of a family → its type and the label names of its samples.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

fn families(text: &str) -> Families {
    let mut families = Families::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            name.clone_into(&mut current);
            families.insert(current.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&current), "{line} stands under {current}");
            let labels = line
                .split_once('{')
                .and_then(|(_, rest)| rest.rsplit_once('}'));
            let known = families
                .get_mut(&current)
                .expect("its type stands before it");
            for label in labels
                .map(|(labels, _)| labels)
                .unwrap_or_default()
                .split("\",")
            {
                let name = label.split('=').next().unwrap_or_default();
                known.1.extend((!name.is_empty()).then(|| name.to_owned()));
            }
        }
    }
    families
}

/// Starts it, lets everything happen once that makes a family appear, and returns its metrics.
fn scrape(cluster: &Arc<Cluster>, launch: fn(&Arc<Cluster>) -> Launch) -> (Controller, String) {
    let (home, namespace) = (cluster.namespace(), cluster.namespace());
    let controller = launch(cluster)
        .namespace(&home)
        .only_namespaces(&[&namespace])
        .args(["--key-size=2048", "--max-unseal-retries=0"])
        .start();
    let broken = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "broken"},
        "spec": {"encryptedData": {"x": "AAAA"}},
    });
    cluster
        .api
        .create(&path::sealed_secrets(&namespace), &broken);
    let _ = controller.request("GET", "/v1/cert.pem", b"");
    let _ = controller.request("POST", "/v1/verify", b"{}");
    let series = "sealed_secrets_controller_condition_info{";
    let text = wait_until("the condition is counted", PATIENCE, || {
        let text = controller.metrics();
        if text.contains(series) {
            Ok(text)
        } else {
            Err(text)
        }
    });
    (controller, text)
}

#[test]
fn every_metric_of_the_original_is_there() {
    let cluster = cluster::shared();
    let (_theirs, theirs) = scrape(&cluster, controller::theirs);
    let (_ours, ours) = scrape(&cluster, controller::ours);
    let help = |text: &str| -> BTreeSet<String> {
        let described = text.lines().filter(|line| line.starts_with("# HELP "));
        described.map(str::to_owned).collect()
    };
    let (ours_help, theirs_help) = (help(&ours), help(&theirs));
    let ours = families(&ours);
    for (name, described) in families(&theirs) {
        // About Go's own runtime and about its way of counting scrapes.
        if ["go_", "promhttp_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            continue;
        }
        assert_eq!(ours.get(&name), Some(&described), "{name}");
        let line = format!("# HELP {name} ");
        let of =
            |help: &BTreeSet<String>| help.iter().find(|text| text.starts_with(&line)).cloned();
        assert_eq!(of(&ours_help), of(&theirs_help));
    }
    for own in [
        "key_age_seconds",
        "key_not_after_seconds",
        "key_not_before_seconds",
        "key_uses_total",
        "leader",
        "private_key_operations_total",
        "queue_depth",
    ] {
        assert!(
            ours.contains_key(&format!("sealed_secrets_controller_{own}")),
            "{own}"
        );
    }
}

#[test]
fn build_info_is_one_and_failures_are_counted_by_reason() {
    let cluster = cluster::shared();
    let (controller, text) = scrape(&cluster, controller::ours);
    assert!(
        text.contains("sealed_secrets_controller_build_info{revision=\"v"),
        "{text}"
    );
    assert_eq!(
        controller.metric("sealed_secrets_controller_build_info"),
        1.0
    );
    assert!(controller.metric("sealed_secrets_controller_unseal_requests_total") >= 1.0);
    assert!(text.contains("reason=\"unseal\""), "{text}");
    assert!(
        text.contains("condition=\"Synced\",name=\"broken\""),
        "{text}"
    );
    assert_eq!(controller.metric("sealed_secrets_controller_leader"), 1.0);
}

#[test]
fn names_of_sealed_secrets_can_be_kept_out() {
    let cluster = cluster::shared();
    let (home, namespace) = (cluster.namespace(), cluster.namespace());
    let controller = controller::ours(&cluster)
        .namespace(&home)
        .only_namespaces(&[&namespace])
        .args(["--key-size=2048", "--metrics-omit-secret-labels"])
        .start();
    let object = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "hidden"},
        "spec": {"encryptedData": {}},
    });
    cluster
        .api
        .create(&path::sealed_secrets(&namespace), &object);
    cluster.wait_for(
        &path::secret(&namespace, "hidden"),
        "the Secret appears",
        |_| true,
    );
    let text = controller.metrics();
    assert!(
        !text.contains("hidden") && !text.contains("condition_info"),
        "{text}"
    );
}
