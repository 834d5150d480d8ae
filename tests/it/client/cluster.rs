//! Our client and the controller of a cluster, the original's first of all.

use std::{fs, sync::Arc};

use serde_json::{Value, json};
use testkit::{
    Cluster, cli, cluster,
    cluster::User,
    controller::{self, Controller, Launch},
    path, wait_until,
};

use super::{HINT, folder, read};

/// A controller in a namespace of its own, and a namespace that it looks after.
pub(super) struct Stand {
    pub(super) cluster: Arc<Cluster>,
    pub(super) home: String,
    pub(super) namespace: String,
    pub(super) controller: Controller,
}

impl Stand {
    /// The original's.
    fn start(args: &[&str]) -> Self {
        Self::start_of(controller::theirs, args)
    }

    pub(super) fn start_of(which: fn(&Arc<Cluster>) -> Launch, args: &[&str]) -> Self {
        let cluster = cluster::shared();
        let (home, namespace) = (cluster.namespace(), cluster.namespace());
        let controller = which(&cluster)
            .namespace(&home)
            .only_namespaces(&[&namespace])
            .args(["--key-size=2048"].iter().chain(args).copied())
            .start();
        Self {
            cluster,
            home,
            namespace,
            controller,
        }
    }

    pub(super) fn ours(&self) -> cli::Run {
        cli::ours()
            .args(["--controller-namespace", &self.home])
            .kubeconfig(&self.cluster.kubeconfig(&User::Admin))
    }

    pub(super) fn secret(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace},
            "stringData": {"password": "hunter2", "empty": ""},
        })
    }

    pub(super) fn apply(&self, sealed: &Value) -> Value {
        let name = sealed["metadata"]["name"].as_str().expect("a name");
        self.cluster
            .api
            .create(&path::sealed_secrets(&self.namespace), sealed);
        self.cluster.wait_for(
            &path::secret(&self.namespace, name),
            "the Secret appears",
            |_| true,
        )
    }
}

#[test]
fn what_our_client_seals_becomes_a_secret_in_every_scope() {
    let stand = Stand::start(&[]);
    assert_eq!(
        stand.ours().arg("--fetch-cert").ok(),
        stand.controller.certificate()
    );
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        let sealed = stand
            .ours()
            .args(["--scope", scope])
            .stdin(stand.secret(scope).to_string())
            .ok();
        assert_eq!(
            stand.ours().arg("--validate").stdin(sealed.as_str()).ok(),
            ""
        );
        let made = stand.apply(&super::json(&sealed));
        assert_eq!(made["data"]["password"], "aHVudGVyMg==", "{scope}");
    }
    let raw = ["--raw", "--name", "raw", "--namespace", &stand.namespace];
    let value = stand.ours().args(raw).stdin("hunter2\n").ok();
    let made = stand.apply(&json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": "raw", "namespace": stand.namespace}, "spec": {"encryptedData": {"k": value}},
    }));
    assert_eq!(made["data"]["k"], "aHVudGVyMgo=");
    let renamed = stand
        .ours()
        .stdin(stand.secret("a").to_string())
        .ok()
        .replace("\"a\"", "\"b\"");
    let output = stand.ours().arg("--validate").stdin(renamed).output();
    assert_eq!(output.code(), 1);
    assert!(
        output
            .stderr
            .starts_with("error: unable to decrypt sealed secret: b"),
        "{}",
        output.stderr
    );
}

#[test]
fn re_encryption_through_the_original_controller_loses_nothing() {
    let stand = Stand::start(&[]);
    let folder = folder();
    let file = folder.path().join("sealed.yaml");
    let sealed = stand
        .ours()
        .args(["-o", "yaml"])
        .stdin(stand.secret("db").to_string())
        .ok();
    let kept = sealed
        .replace("  template:\n", "  template:\n    data:\n      url: 'pg://{{ .password }}' # theirs drops this\n    immutable: true\n")
        .replace("    metadata:\n", "    metadata:\n      labels: {only: here}\n");
    fs::write(&file, &kept).expect("written");
    let old = stand.controller.certificate();
    stand.controller.renew_key();
    wait_until("there is a new key", testkit::PATIENCE, || {
        if stand.controller.certificate() == old {
            Err("the old one")
        } else {
            Ok(())
        }
    });
    stand.ours().args(["--re-encrypt", "-f"]).arg(&file).ok();
    let after = read(&file);
    let (kept, after) = (
        kept.lines().collect::<Vec<_>>(),
        after.lines().collect::<Vec<_>>(),
    );
    assert_eq!(kept.len(), after.len());
    for (before, now) in kept
        .iter()
        .zip(&after)
        .filter(|(before, now)| before != now)
    {
        let is_value =
            before.trim().starts_with("password: AQ") || before.trim().starts_with("empty: AQ");
        assert!(is_value || before.contains(HINT), "{before}\n{now}");
    }
    let cert = folder.path().join("cert.pem");
    fs::write(&cert, stand.controller.certificate()).expect("written");
    cli::ours()
        .arg("inspect")
        .arg(&file)
        .arg("--cert")
        .arg(&cert)
        .ok();
    stand.ours().args(["--validate", "-f"]).arg(&file).ok();
}

#[test]
fn a_busy_controller_is_asked_again_after_the_time_it_says() {
    let stand = Stand::start(&["--rate-limit=20", "--rate-limit-burst=1"]);
    let stream: String = (0..8)
        .map(|at| format!("{}\n", stand.secret(&format!("s{at}"))))
        .collect();
    let sealed = stand.ours().stdin(stream).ok();
    stand.ours().arg("--validate").stdin(sealed).ok();
}

#[test]
fn a_controller_that_is_not_there_is_an_error_that_names_the_flags() {
    let cluster = cluster::shared();
    let output = cli::ours()
        .args(["--fetch-cert", "--controller-name", "elsewhere"])
        .kubeconfig(&cluster.kubeconfig(&User::Admin))
        .output();
    assert_eq!(output.code(), 1);
    for words in [
        "error: cannot get sealed secret service: services \"elsewhere\" not found",
        "--controller-name",
        "sealed-secrets",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    let output = cli::ours()
        .args(["--fetch-cert"])
        .kubeconfig(&cluster.kubeconfig(&User::Person("mallory")))
        .output();
    assert!(
        output.code() == 1 && output.stderr.contains("forbidden"),
        "{}",
        output.stderr
    );
    let output = super::ours().arg("--fetch-cert").output();
    let refused = "error: cannot get sealed secret service: cannot reach the API server: connection refused\nhint: is the cluster up";
    assert!(output.stderr.starts_with(refused), "{}", output.stderr);
}

#[test]
fn flags_overrule_the_kubeconfig_as_with_kubectl() {
    let stand = Stand::start(&[]);
    let folder = folder();
    let authority = folder.path().join("ca.crt");
    fs::write(&authority, stand.cluster.ca_certificate()).expect("written");
    let account = User::ServiceAccount {
        namespace: stand.home.clone(),
        name: "sealer".to_owned(),
    };
    let accounts = path::core(&stand.home, "serviceaccounts");
    stand
        .cluster
        .api
        .create(&accounts, &json!({"metadata": {"name": "sealer"}}));
    let token = stand.cluster.service_account_token(&stand.home, "sealer");
    let rules = json!([
        {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get", "create"]},
    ]);
    stand
        .cluster
        .grant(&account, Some(&stand.home), "sealer", &rules);
    let run = |kind: fn() -> cli::Run| {
        kind()
            .args(["--fetch-cert", "--controller-namespace", &stand.home])
            .args([
                "--server",
                &stand.cluster.server(),
                "--token",
                &token,
                "--certificate-authority",
            ])
            .arg(&authority)
    };
    let certificate = stand.controller.certificate();
    wait_until("the grant holds", testkit::PATIENCE, || {
        let output = run(cli::ours).output();
        if output.code() == 0 {
            Ok(())
        } else {
            Err(output.stderr)
        }
    });
    assert_eq!(run(cli::theirs).ok(), certificate);
    assert_eq!(run(cli::ours).ok(), certificate);
    // The nowhere file names another server and another token: the flags count. A list of files is merged.
    let list = format!("/nowhere/config:{}", super::nowhere().display());
    assert_eq!(run(cli::ours).env("KUBECONFIG", &list).ok(), certificate);
    let admin = stand.cluster.kubeconfig(&User::Admin);
    let both = format!("{}:{}", super::nowhere().display(), admin.display());
    let by_context = |kind: fn() -> cli::Run| {
        kind()
            .args([
                "--fetch-cert",
                "--context",
                "test",
                "--controller-namespace",
                &stand.home,
            ])
            .env("KUBECONFIG", &both)
            .ok()
    };
    assert_eq!(by_context(cli::theirs), certificate);
    assert_eq!(by_context(cli::ours), certificate);
    let impersonating = |kind: fn() -> cli::Run| {
        kind()
            .args(["--fetch-cert", "--controller-namespace", &stand.home])
            .args([
                "--as",
                "mallory",
                "--as-group",
                "a",
                "--as-group",
                "b",
                "--as-uid",
                "7",
            ])
            .kubeconfig(&admin)
            .output()
    };
    for kind in [cli::theirs, cli::ours] {
        let output = impersonating(kind);
        assert!(
            output.code() == 1 && output.stderr.contains("\"mallory\""),
            "{}",
            output.stderr
        );
    }
    let output = run(cli::ours)
        .args(["--context", "nope"])
        .kubeconfig(&admin)
        .output();
    assert!(
        output.code() == 1 && output.stderr.contains("context \"nope\" does not exist"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_login_plugin_that_the_kubeconfig_names_is_run() {
    let stand = Stand::start(&[]);
    let folder = folder();
    let accounts = path::core(&stand.home, "serviceaccounts");
    stand
        .cluster
        .api
        .create(&accounts, &json!({"metadata": {"name": "plugin"}}));
    let token = stand.cluster.service_account_token(&stand.home, "plugin");
    let reply = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token},
    });
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "printf", "args": ["%s", reply.to_string()],
    });
    let authority = folder.path().join("ca.crt");
    fs::write(&authority, stand.cluster.ca_certificate()).expect("written");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": stand.cluster.server(), "certificate-authority": "ca.crt"}}],
        "users": [{"name": "u", "user": {"exec": exec}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let file = folder.path().join("config");
    fs::write(&file, config.to_string()).expect("written");
    // It has no rights; what matters is that it is known.
    let known = format!("system:serviceaccount:{}:plugin", stand.home);
    for kind in [cli::theirs, cli::ours] {
        let output = kind()
            .args(["--fetch-cert", "--controller-namespace", &stand.home])
            .kubeconfig(&file)
            .output();
        assert!(output.stderr.contains(&known), "{}", output.stderr);
    }
}

#[test]
fn the_namespace_comes_from_where_the_original_takes_it() {
    let folder = folder();
    let nameless = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: AA==}\n";
    let config = folder.path().join("config");
    let write = |namespace: &str| {
        let text = read(super::nowhere()).replace("namespace: from-context", namespace);
        fs::write(&config, text).expect("written");
    };
    for (namespace, args) in [
        ("namespace: ctx", &[][..]),
        ("", &[]),
        ("namespace: ctx", &["-n", "typed"]),
        ("namespace: ctx", &["--context", "nope"]),
        ("namespace: ctx", &["--cluster", "nope"]),
    ] {
        write(namespace);
        let run = |kind: cli::Run| {
            let output = kind
                .kubeconfig(&config)
                .arg("--cert")
                .arg(&super::pair().cert)
                .args(args.iter().copied())
                .stdin(nameless)
                .output();
            match output.code() {
                0 => super::json(&output.text())["metadata"]["namespace"].clone(),
                _ => output.stderr.lines().next().unwrap_or_default().into(),
            }
        };
        assert_eq!(run(cli::ours()), run(cli::theirs()), "{namespace} {args:?}");
    }
}
