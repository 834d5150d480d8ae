//! Our client and our controller, through the API server's service proxy.

use std::fs;

use serde_json::{Value, json};
use testkit::{cli, cluster::User, controller, path, wait_until};

use super::{HINT, cluster::Stand, folder, read};

/// Lets the controller make a new key, and waits for it.
fn renew(stand: &Stand) -> String {
    let old = stand.controller.certificate();
    stand.controller.renew_key();
    wait_until("there is a new key", testkit::PATIENCE, || {
        let now = stand.controller.certificate();
        if now == old {
            Err("the old one")
        } else {
            Ok(now)
        }
    })
}

#[test]
fn our_controller_validates_and_opens_what_our_client_seals_in_every_scope() {
    let stand = Stand::start_of(controller::ours, &[]);
    assert_eq!(
        stand.ours().arg("--fetch-cert").ok(),
        stand.controller.certificate()
    );
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        let seal = |name: &str| {
            let run = stand.ours().args(["--scope", scope]);
            run.stdin(stand.secret(name).to_string()).ok()
        };
        let sealed = seal(scope);
        let validate = |text: &str| stand.ours().arg("--validate").stdin(text).output();
        assert_eq!(validate(&sealed).code(), 0, "{scope}");
        let made = stand.apply(&super::json(&sealed));
        assert_eq!(made["data"]["password"], "aHVudGVyMg==", "{scope}");
        // One value alone, put where its scope lets it be.
        let raw = [
            "--raw",
            "--scope",
            scope,
            "--name",
            "raw",
            "--namespace",
            &stand.namespace,
        ];
        let value = stand.ours().args(raw).stdin("hunter2").ok();
        let mut with_raw = super::json(&sealed);
        with_raw["metadata"]["name"] = json!("raw");
        with_raw["spec"]["encryptedData"] = json!({"password": value});
        assert_eq!(validate(&with_raw.to_string()).code(), 0, "{scope}");
        // Elsewhere it opens in the widest scope only.
        with_raw["metadata"]["namespace"] = json!("elsewhere");
        let output = validate(&with_raw.to_string());
        assert_eq!(output.code() == 0, scope == "cluster-wide", "{output:?}");
        let refusal = "error: unable to decrypt sealed secret: raw";
        assert!(
            output.code() == 0 || output.stderr.starts_with(refusal),
            "{output:?}"
        );
    }
}

#[test]
fn re_encryption_through_our_controller_changes_the_sealed_values_only() {
    let stand = Stand::start_of(controller::ours, &[]);
    let folder = folder();
    let mut kept: Vec<(std::path::PathBuf, Value)> = Vec::new();
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        let file = folder.path().join(format!("{scope}.yaml"));
        let args = ["--scope", scope, "-o", "yaml"];
        let sealed = stand
            .ours()
            .args(args)
            .stdin(stand.secret(scope).to_string())
            .ok();
        let text = sealed.replace(
            "  template:\n",
            "  template:\n    immutable: false # as it is\n    data: {url: 'pg://{{ .password }}'}\n",
        );
        let object = cli::ours()
            .args(["inspect", "-o", "json"])
            .stdin(text.as_str())
            .ok();
        kept.push((file.clone(), super::json(&object)));
        fs::write(file, text).expect("written");
    }
    let before: Vec<_> = kept.iter().map(|(file, _)| read(file)).collect();
    let cert = folder.path().join("cert.pem");
    fs::write(&cert, renew(&stand)).expect("written");
    // One in place, then the whole tree: what is done already is done again, by a controller that cannot tell.
    stand
        .ours()
        .args(["--re-encrypt", "-f"])
        .arg(&kept[0].0)
        .ok();
    cli::ours()
        .args(["re-encrypt", "--controller-namespace", &stand.home])
        .arg(folder.path())
        .kubeconfig(&stand.cluster.kubeconfig(&User::Admin))
        .ok();
    for ((file, report), before) in kept.iter().zip(&before) {
        let after = read(file);
        let changed: Vec<_> = before
            .lines()
            .zip(after.lines())
            .filter(|(old, new)| old != new)
            .map(|(_, new)| new.trim().split(':').next().unwrap_or_default())
            .collect();
        assert_eq!(changed, [HINT, "empty", "password"], "{after}");
        assert_eq!(before.lines().count(), after.lines().count());
        stand.ours().args(["--validate", "-f"]).arg(file).ok();
        let inspect = cli::ours()
            .args(["inspect", "-o", "json", "--cert"])
            .arg(&cert);
        let now = super::json(&inspect.arg(file).ok());
        assert_eq!(now[0]["scope"], report[0]["scope"]);
    }
}

#[test]
fn a_dump_of_the_api_server_is_re_encrypted_without_touching_its_template() {
    let stand = Stand::start_of(controller::ours, &[]);
    let sealed = stand.ours().stdin(stand.secret("db").to_string()).ok();
    stand.apply(&super::json(&sealed));
    renew(&stand);
    let dumped = stand
        .cluster
        .api
        .get(&path::sealed_secret(&stand.namespace, "db"));
    let dumped = dumped.expect("it is there");
    assert!(
        dumped["metadata"]["uid"].is_string() && dumped["metadata"]["managedFields"].is_array()
    );
    let text = stand
        .ours()
        .arg("--re-encrypt")
        .stdin(dumped.to_string())
        .ok();
    let after = super::json(&text);
    assert_eq!(after["spec"]["template"], dumped["spec"]["template"]);
    assert_ne!(
        after["spec"]["encryptedData"],
        dumped["spec"]["encryptedData"]
    );
    assert_eq!(
        after["metadata"]["uid"], dumped["metadata"]["uid"],
        "that is the outer one's"
    );
}
