//! Several replicas: one leads, all answer, and another takes over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{
    Cluster, PATIENCE, cluster,
    controller::{self, Controller, Launch},
    path, wait_until,
};

/// Who had to wait for such a lease to run out would fail the test.
const LONG: [&str; 2] = [
    "--leader-elect-lease-duration=10m",
    "--leader-elect-renew-deadline=9m",
];

fn replica(cluster: &Arc<Cluster>, home: &str) -> Launch {
    controller::ours(cluster)
        .namespace(home)
        .only_namespaces(&[])
        .args(["--key-size=2048"])
}

/// A second one, without the Service.
fn another(cluster: &Arc<Cluster>, home: &str) -> Launch {
    replica(cluster, home).service(None)
}

fn leads(controller: &Controller) -> bool {
    controller.metric("sealed_secrets_controller_leader") == 1.0
}

fn wait_to_lead(controller: &Controller, patience: Duration) {
    wait_until("it leads", patience, || {
        if leads(controller) {
            Ok(())
        } else {
            Err(controller.log())
        }
    });
}

fn key_count(cluster: &Cluster, home: &str) -> usize {
    let label = "sealedsecrets.bitnami.com/sealed-secrets-key=active";
    cluster
        .api
        .list(&format!("{}?labelSelector={label}", path::secrets(home)))
        .len()
}

fn lease(cluster: &Cluster, home: &str) -> Option<Value> {
    let path = "leases/sealed-secrets-key-leader";
    cluster.api.get(&format!(
        "/apis/coordination.k8s.io/v1/namespaces/{home}/{path}"
    ))
}

#[test]
fn one_leads_and_the_other_answers_with_the_same_keys() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = replica(&cluster, &home).start();
    let second = another(&cluster, &home).start();
    assert!(leads(&first) && !leads(&second));
    let certificate = first.certificate();
    assert_eq!(second.certificate(), certificate);
    assert_eq!(key_count(&cluster, &home), 1);

    // Only the leader makes keys; the other uses them at once.
    second.renew_key();
    wait_until("it says whom to ask", PATIENCE, || {
        if second.log().contains("another replica leads") {
            Ok(())
        } else {
            Err(second.log())
        }
    });
    assert_eq!(key_count(&cluster, &home), 1);
    first.renew_key();
    wait_until("both have the new key", PATIENCE, || {
        let seen = (first.certificate(), second.certificate());
        if seen.0 == seen.1 && seen.0 != certificate {
            Ok(())
        } else {
            Err(first.log())
        }
    });
}

#[test]
fn a_leader_that_ends_well_is_followed_at_once() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = replica(&cluster, &home).args(LONG).start();
    let second = another(&cluster, &home).args(LONG).start();
    first.stop();
    wait_to_lead(&second, PATIENCE);
    second.stop();
    let lease = lease(&cluster, &home).expect("the lease stays");
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    assert_eq!(holder, "", "and is free");
}

#[test]
fn a_leader_that_is_killed_is_followed_in_seconds() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = replica(&cluster, &home).start();
    let second = another(&cluster, &home).start();
    first.kill();
    wait_to_lead(&second, Duration::from_secs(20));
    assert_eq!(key_count(&cluster, &home), 1, "taking over makes no key");
}

#[test]
fn a_process_follows_its_predecessor_in_the_same_pod_at_once() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = replica(&cluster, &home)
        .env("POD_NAME", "controller-0")
        .args(LONG)
        .start();
    let second = first.kill().start();
    wait_to_lead(&second, PATIENCE);
}

#[test]
fn a_leader_that_cannot_renew_stops_before_another_begins() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let first = replica(&cluster, &home).start();
    let second = another(&cluster, &home).start();
    let seen = || (leads(&first), leads(&second));
    first.pause();
    wait_to_lead(&second, Duration::from_secs(20));
    first.resume();
    wait_until("the frozen one has noticed", PATIENCE, || match seen() {
        (false, true) => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
}

#[test]
fn a_lease_taken_away_is_respected() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = replica(&cluster, &home).start();
    let empty = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "db"},
        "spec": {"encryptedData": {}},
    });
    cluster.api.create(&path::sealed_secrets(&home), &empty);
    let conditions = |wanted: bool| {
        wait_until("conditions are told by who leads", PATIENCE, || {
            let metrics = controller.metrics();
            match metrics.contains("condition_info{") {
                told if told == wanted => Ok(()),
                _ => Err(metrics),
            }
        });
    };
    conditions(true);
    let path =
        format!("/apis/coordination.k8s.io/v1/namespaces/{home}/leases/sealed-secrets-key-leader");
    let spec = json!({"spec": {"holderIdentity": "someone_else", "leaseDurationSeconds": 3600}});
    cluster.api.patch(&path, &spec);
    wait_until("it stops leading", PATIENCE, || {
        if leads(&controller) {
            Err(controller.log())
        } else {
            Ok(())
        }
    });
    // It would never hear that this one is gone.
    conditions(false);
    cluster.api.delete(&path::sealed_secret(&home, "db"));
    cluster.api.delete(&path);
    wait_to_lead(&controller, PATIENCE);
    conditions(false);
}

/// Neither does a clock that runs ahead keep a lease, nor one that is behind lose it.
#[test]
fn the_clock_of_whoever_holds_a_lease_does_not_count() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{home}/leases");
    let name = "sealed-secrets-key-leader";
    let held = |renewed: &str| {
        json!({
            "metadata": {"name": name},
            "spec": {"holderIdentity": "other_1", "leaseDurationSeconds": 3, "renewTime": renewed},
        })
    };
    let long_ago = |second: usize| {
        format!(
            "1999-01-01T00:{:02}:{:02}.000000Z",
            second / 60,
            second % 60
        )
    };
    cluster.api.create(&leases, &held(&long_ago(0)));
    let controller = replica(&cluster, &home).start_unready();
    let (begin, mut renewals) = (Instant::now(), 0);
    // Far longer than the lease lasts, it is renewed by somebody who thinks that it is 1999.
    wait_until("it is respected", PATIENCE, || {
        renewals += 1;
        cluster.api.patch(
            &format!("{leases}/{name}"),
            &held(&long_ago(renewals % 3600)),
        );
        let leads = controller
            .try_metrics()
            .is_some_and(|text| text.contains("controller_leader 1"));
        assert!(!leads, "two lead after {:?}", begin.elapsed());
        match begin.elapsed().as_secs() {
            8.. => Ok(()),
            seconds => Err(format!("{seconds} s")),
        }
    });
    // Then that one is gone, and has left a time from far ahead.
    cluster.api.patch(
        &format!("{leases}/{name}"),
        &held("2199-01-01T00:00:00.000000Z"),
    );
    wait_to_lead(&controller, PATIENCE);
    let lease = lease(&cluster, &home).expect("it is held");
    let renewed = lease["spec"]["renewTime"].as_str().unwrap_or_default();
    assert!(renewed.starts_with("20"), "{renewed}");
}

#[test]
fn where_leases_are_forbidden_it_leads_alone_and_says_so() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    // The rights that the original's chart gives.
    let rules = json!([
        {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["bitnami.com"], "resources": ["sealedsecrets/status"], "verbs": ["update"]},
        {
            "apiGroups": [""], "resources": ["secrets"],
            "verbs": ["get", "list", "create", "update", "delete", "watch"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]);
    let controller = replica(&cluster, &home).rules(Some(rules)).start();
    wait_to_lead(&controller, PATIENCE);
    assert!(controller.log().contains("leases are forbidden"));
    assert!(lease(&cluster, &home).is_none());
}

#[test]
fn without_election_no_lease_is_touched() {
    let cluster = cluster::shared();
    let home = cluster.namespace();
    let controller = replica(&cluster, &home)
        .args(["--leader-elect=false"])
        .start();
    wait_to_lead(&controller, PATIENCE);
    assert!(lease(&cluster, &home).is_none());
}

#[test]
fn who_wrote_a_status_shows_which_controller_it_was() {
    let cluster = cluster::shared();
    for (launch, manager) in [
        (
            controller::theirs as fn(&Arc<Cluster>) -> Launch,
            "controller",
        ),
        (controller::ours, "kubeseal-rs"),
    ] {
        let (home, namespace) = (cluster.namespace(), cluster.namespace());
        let _controller = launch(&cluster)
            .namespace(&home)
            .only_namespaces(&[&namespace])
            .args(["--key-size=2048"])
            .start();
        let object = json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "x"},
            "spec": {"encryptedData": {}},
        });
        cluster
            .api
            .create(&path::sealed_secrets(&namespace), &object);
        let written = cluster.wait_for(
            &path::sealed_secret(&namespace, "x"),
            "it has a status",
            |object| object["status"].is_object(),
        );
        let managers = written["metadata"]["managedFields"]
            .as_array()
            .expect("the API server keeps them");
        let status = managers
            .iter()
            .find(|entry| entry["subresource"] == "status");
        assert_eq!(status.expect("someone wrote it")["manager"], manager);
    }
}
