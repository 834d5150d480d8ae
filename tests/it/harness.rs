//! The harness itself: what other tests rely on.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use serde_json::json;
use testkit::{Cluster, PATIENCE, cluster, cluster::User, path, wait_until};

#[test]
fn garbage_collection_knows_sealed_secrets_from_the_start() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace();
    let owner = cluster.api.create(
        &path::sealed_secrets(&namespace),
        &json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "owner"},
            "spec": {"encryptedData": {}},
        }),
    );
    let reference = json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "owner", "uid": owner["metadata"]["uid"],
    });
    cluster.api.create(
        &path::secrets(&namespace),
        &json!({"metadata": {"name": "owned", "ownerReferences": [reference]}}),
    );
    cluster
        .api
        .delete(&path::sealed_secret(&namespace, "owner"));
    cluster.wait_gone(&path::secret(&namespace, "owned"));
}

#[test]
fn people_and_service_accounts_may_do_what_they_were_granted() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace();
    let account = User::ServiceAccount {
        namespace: namespace.clone(),
        name: "reader".into(),
    };
    for user in [User::Person("alice"), account] {
        let api = cluster.api_as(&user);
        let read = || {
            api.send("GET", &path::secrets(&namespace), "application/json", b"")
                .expect("it answers")
                .status
        };
        assert_eq!(read(), 403);
        cluster.grant(
            &user,
            Some(&namespace),
            "read-secrets",
            &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]),
        );
        wait_until("the grant holds", PATIENCE, || {
            if read() == 200 { Ok(()) } else { Err("403") }
        });
    }
}

#[test]
fn data_outlives_a_restart_of_every_server() {
    let cluster = Cluster::start();
    let namespace = cluster.namespace();
    cluster.api.create(
        &path::secrets(&namespace),
        &json!({"metadata": {"name": "kept"}}),
    );
    cluster.restart_etcd();
    cluster.restart_apiserver();
    assert!(cluster.secret(&namespace, "kept").is_some());
}

#[test]
fn servers_end_with_a_test_process_that_is_killed() {
    let mut other = Command::new(env::current_exe().expect("this test has a file"))
        .args([
            "--exact",
            "harness::data_outlives_a_restart_of_every_server",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test can be run");
    let servers = wait_until("it starts its servers", PATIENCE, || {
        match children(other.id()) {
            servers if servers.len() > 2 => Ok(servers),
            servers => Err(format!("{servers:?}")),
        }
    });
    other.kill().expect("it runs");
    other.wait().expect("it is a child of ours");
    wait_until("they end", PATIENCE, || {
        match servers.iter().find(|pid| runs(pid)) {
            None => Ok(()),
            Some(pid) => Err(format!("{pid} runs")),
        }
    });
}

fn children(pid: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Whether the process is there and more than a zombie.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !matches!(
        stat.rsplit(") ")
            .next()
            .and_then(|state| state.chars().next()),
        None | Some('Z')
    )
}
