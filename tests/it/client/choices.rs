//! Flags, variables, annotations and files that say different things: which one counts.

use std::fs;

use testkit::cli;

use super::{folder, json, other_pair, ours, pair, read, secret, theirs};

fn sealed(format: &str) -> String {
    pair()
        .ours()
        .args(["--no-key-hint", "-o", format])
        .stdin(secret("db"))
        .ok()
}

#[test]
fn a_list_flag_takes_the_place_of_its_variable() {
    let sealed = sealed("json");
    let run = |client: cli::Run| {
        client
            .env("SEALED_SECRETS_RECOVERY_PRIVATE_KEY", "/nowhere/key.pem")
            .args(["--recovery-unseal", "--recovery-private-key"])
            .arg(&pair().key)
            .stdin(sealed.as_str())
            .output()
    };
    assert_eq!(run(theirs()).code(), 1, "it reads both");
    let output = run(ours());
    assert_eq!(output.code(), 0, "{output:?}");
    assert_eq!(json(&output.text())["data"]["password"], "aHVudGVyMg==");
}

#[test]
fn scope_strict_overrules_the_annotation_and_no_scope_does_not() {
    const WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
    let wide = secret("db").replace(
        "{name: db",
        &format!("{{annotations: {{{WIDE}: 'true'}}, name: db"),
    );
    let annotation = |client: cli::Run, args: &[&str]| {
        let text = client.args(args.iter().copied()).stdin(wide.as_str()).ok();
        json(&text)["metadata"]["annotations"][WIDE] == "true"
    };
    for args in [&[][..], &["--scope="]] {
        assert!(annotation(pair().ours(), args), "{args:?}");
        assert!(annotation(pair().theirs(), args), "{args:?}");
    }
    assert!(annotation(pair().theirs(), &["--scope", "strict"]));
    assert!(!annotation(pair().ours(), &["--scope", "strict"]));
    let in_variable = pair().ours().env("SEALED_SECRETS_SCOPE", "strict");
    assert!(!annotation(in_variable, &[]));
}

#[test]
fn a_file_changed_in_place_keeps_its_format_whatever_is_asked_for() {
    let folder = folder();
    for (name, kept, asked) in [
        ("a.json", "json", "yaml"),
        ("a.yaml", "yaml", "json"),
        ("json.yaml", "json", "yaml"),
        ("plain", "yaml", "json"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, sealed(kept)).expect("written");
        let begins = read(&file).lines().next().expect("a line").to_owned();
        ours()
            .args(["--re-encrypt", "-o", asked, "--recovery-private-key"])
            .arg(&pair().key)
            .arg("--cert")
            .arg(&other_pair().cert)
            .arg("-f")
            .arg(&file)
            .ok();
        pair()
            .ours()
            .args(["-o", asked, "--merge-into"])
            .arg(&file)
            .stdin(secret("db").replace("password", "token"))
            .ok();
        let after = read(&file);
        assert!(after.starts_with(&begins), "{name}\n{after}");
        assert!(after.contains("token"), "{name}\n{after}");
    }
}

#[test]
fn an_output_file_is_refused_where_nothing_goes_to_it() {
    let folder = folder();
    let (target, out) = (folder.path().join("db.yaml"), folder.path().join("out"));
    let before = sealed("yaml");
    fs::write(&target, &before).expect("written");
    let merge = |client: cli::Run| client.arg("--merge-into").arg(&target).arg("-w").arg(&out);
    for run in [
        merge(pair().ours()).stdin(secret("db")),
        ours()
            .args(["--validate", "-w"])
            .arg(&out)
            .stdin(before.as_str()),
    ] {
        let output = run.output();
        assert_eq!(output.code(), 1, "{output:?}");
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
        assert!(!out.exists() && read(&target) == before);
    }
    merge(pair().theirs()).stdin(secret("db")).ok();
    assert_eq!(read(&out), "", "what the original leaves behind");
}

#[test]
fn flags_of_a_log_that_is_not_there_change_nothing() {
    let folder = folder();
    let log = folder.path().join("log");
    let run = |client: cli::Run| {
        client
            .args([
                "-v=9",
                "--logtostderr=false",
                "--alsologtostderr",
                "--vmodule=x=9",
            ])
            .arg(format!("--log_file={}", log.display()))
            .args(["--fetch-cert", "--cert"])
            .arg(&pair().cert)
            .output()
    };
    let output = run(ours());
    assert_eq!((output.code(), output.text()), (0, read(&pair().cert)));
    assert_eq!((output.stderr.as_str(), log.exists()), ("", false));
    assert_eq!(run(theirs()).text(), output.text());
}

#[test]
fn what_belongs_to_one_object_in_one_cluster_is_left_out_of_the_template() {
    let dumped = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\n  labels: {app: db}\n  \
         generateName: db-\n  uid: 0a\n  resourceVersion: '7'\n  generation: 3\n  selfLink: /api\n  \
         creationTimestamp: '2024-01-01T00:00:00Z'\n  deletionTimestamp: '2024-01-01T00:00:00Z'\n  \
         deletionGracePeriodSeconds: 3\n  finalizers: [example.com/stuck]\n  \
         ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: b}]\n  \
         managedFields: [{manager: m, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {}}]\n\
         data: {k: AA==}\n";
    let template =
        |output: &cli::Output| json(&output.text())["spec"]["template"]["metadata"].clone();
    let output = pair().ours().stdin(dumped).output();
    let kept = serde_json::json!({"name": "db", "namespace": "shop", "labels": {"app": "db"}});
    assert_eq!(template(&output), kept, "{output:?}");
    for field in ["finalizers", "generateName"] {
        let warning = format!("warning: Secret \"db\": metadata.{field} is left out");
        assert!(output.stderr.contains(&warning), "{}", output.stderr);
    }
    let theirs = template(&pair().theirs().stdin(dumped).output());
    assert!(theirs["finalizers"].is_array() && theirs["managedFields"].is_array());
}
