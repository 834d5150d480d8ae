//! Values: which there are, and what the controller is told of them.

use std::fs;

use serde_json::{Value, json};
use testkit::{cli, cluster, cluster::User, ours, peer};

use super::{args, deployment, folder, helm, read, refused, rendered};

#[test]
fn helm_finds_nothing_to_complain_about() {
    let printed = helm().args(["lint", "--strict"]).arg(folder()).ok();
    assert!(printed.contains("0 chart(s) failed"), "{printed}");
}

/// Values of the original's chart that mean nothing here, and why. They are accepted, and the notes say so.
const DROPPED: [(&str, &str); 3] = [
    (
        "kubeVersion",
        "chose between versions of APIs that are gone since Kubernetes 1.22",
    ),
    (
        "ingress.apiVersion",
        "there is one version of Ingress since Kubernetes 1.22",
    ),
    (
        "rbac.pspEnabled",
        "PodSecurityPolicy is gone since Kubernetes 1.25",
    ),
];

#[test]
fn every_value_of_the_originals_chart_is_known_or_dropped_for_a_reason() {
    let theirs = peer::sealed_secrets_source().join("helm/sealed-secrets/values.yaml");
    let theirs = read(&fs::read(theirs).unwrap()).remove(0);
    let ours = read(&fs::read(folder().join("values.yaml")).unwrap()).remove(0);
    let mut unknown = Vec::new();
    compare("", &theirs, &ours, &mut unknown);
    assert_eq!(unknown, DROPPED.map(|(name, _)| name.to_owned()));
    // A whole values file of theirs is taken as it is.
    rendered("default", &theirs);
}

fn compare(at: &str, theirs: &Value, ours: &Value, unknown: &mut Vec<String>) {
    for (name, value) in theirs.as_object().into_iter().flatten() {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match ours.get(name) {
            Some(ours) => compare(&path, value, ours, unknown),
            None => unknown.push(path),
        }
    }
}

#[test]
fn a_value_that_does_not_exist_is_refused() {
    for (values, said) in [
        (json!({"replica": 2}), "'replica' not allowed"),
        (
            json!({"rbac": {"clusterrole": false}}),
            "'clusterrole' not allowed",
        ),
        (json!({"keySize": 1024}), "keySize"),
        (json!({"logFormat": "xml"}), "logFormat"),
        (json!({"updateStatus": "false"}), "updateStatus"),
        (json!({"secretName": "Keys_1"}), "secretName"),
        // With these the controller would not start.
        (json!({"keyrenewperiod": "30d"}), "keyrenewperiod"),
        (json!({"keyttl": 720}), "keyttl"),
        (json!({"keycutofftime": "yesterday"}), "keycutofftime"),
        (
            json!({"leaderElection": {"retryPeriod": "2 s"}}),
            "retryPeriod",
        ),
        (json!({"logLevel": "LOUD"}), "logLevel"),
        (json!({"rateLimit": 0}), "rateLimit"),
    ] {
        let message = refused(&values);
        assert!(message.contains(said), "{values}: {message}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (values, said) in [
        (
            json!({"replicas": 2, "leaderElection": {"enabled": false}}),
            "needs leaderElection.enabled",
        ),
        (
            json!({"rbac": {"namespacedRoles": true}, "namespaceSelector": "a=b"}),
            "needs rbac.clusterRole",
        ),
        (
            json!({"namespaceSelector": "a=b", "additionalNamespaces": ["c"]}),
            "exclude each other",
        ),
        (
            json!({"networkPolicy": {"enabled": true, "egress": {"enabled": true}}}),
            "kubeapiCidr",
        ),
        (
            json!({"privateKeyLabels": {"a": "b,c=d"}}),
            "may not contain",
        ),
        (json!({"privateKeyAnnotations": {"a": 1}}), "must be text"),
        (json!({"containerPorts": {"http": 8081}}), "must differ"),
    ] {
        let message = refused(&values);
        assert!(message.contains(said), "{values}: {message}");
    }
}

#[test]
fn without_values_the_controller_is_told_the_defaults_in_full() {
    assert_eq!(
        args(&rendered("default", &json!({}))),
        [
            "--accept-deprecated-v1-data=true",
            "--all-namespaces=true",
            "--leader-elect=true",
            "--log-info-stdout=true",
            "--metrics-omit-secret-labels=false",
            "--old-gc-behavior=false",
            "--skip-recreate=false",
            "--strict-templates=false",
            "--update-status=true",
            "--watch-for-secrets=false",
            "--key-prefix=sealed-secrets-key",
            "--listen-addr=:8080",
            "--listen-metrics-addr=:8081",
        ]
    );
}

#[test]
fn each_value_reaches_the_controller() {
    for (values, expected) in [
        // False is said, since the controller's own default is true.
        (json!({"updateStatus": false}), "--update-status=false"),
        (json!({"logInfoStdout": false}), "--log-info-stdout=false"),
        (json!({"allNamespaces": false}), "--all-namespaces=false"),
        (
            json!({"acceptDeprecatedV1Data": false}),
            "--accept-deprecated-v1-data=false",
        ),
        (
            json!({"leaderElection": {"enabled": false}}),
            "--leader-elect=false",
        ),
        (json!({"skipRecreate": true}), "--skip-recreate=true"),
        (json!({"oldGCBehavior": true}), "--old-gc-behavior=true"),
        (json!({"strictTemplates": true}), "--strict-templates=true"),
        (json!({"watchForSecrets": true}), "--watch-for-secrets=true"),
        (
            json!({"metricsOmitSecretLabels": true}),
            "--metrics-omit-secret-labels=true",
        ),
        // Zero is a value.
        (json!({"keyrenewperiod": "0"}), "--key-renew-period=0"),
        (json!({"keyrenewperiod": 0}), "--key-renew-period=0"),
        (
            json!({"keyrenewperiod": "720h30m"}),
            "--key-renew-period=720h30m",
        ),
        (json!({"maxRetries": 0}), "--max-unseal-retries=0"),
        (json!({"maxRetries": "7"}), "--max-unseal-retries=7"),
        (json!({"keyttl": "8760h00m00s"}), "--key-ttl=8760h00m00s"),
        (
            json!({"keycutofftime": "Mon, 14 Oct 2024 21:45:30 +0200"}),
            "--key-cutoff-time=Mon, 14 Oct 2024 21:45:30 +0200",
        ),
        (json!({"rateLimit": 5}), "--rate-limit=5"),
        (json!({"rateLimitBurst": "9"}), "--rate-limit-burst=9"),
        (json!({"kubeClientQPS": -1}), "--kubeclient-qps=-1"),
        (json!({"kubeClientQPS": 1.5}), "--kubeclient-qps=1.5"),
        (
            json!({"kubeClientBurst": 2_000_000}),
            "--kubeclient-burst=2000000",
        ),
        (json!({"secretName": "my-key"}), "--key-prefix=my-key"),
        (json!({"keySize": 2048}), "--key-size=2048"),
        (json!({"myCN": "a \"b\""}), "--my-cn=a \"b\""),
        (
            json!({"keyOrderPriority": "SecretCreationTimestamp"}),
            "--key-order-priority=SecretCreationTimestamp",
        ),
        (
            json!({"additionalNamespaces": ["a", "b"]}),
            "--additional-namespaces=a,b",
        ),
        (
            json!({"namespaceSelector": "team in (a,b)"}),
            "--namespace-selector=team in (a,b)",
        ),
        (json!({"labelSelector": "a=b"}), "--label-selector=a=b"),
        (
            json!({"privateKeyLabels": {"a": "1", "b": "2"}}),
            "--privatekey-labels=a=1,b=2",
        ),
        (
            json!({"privateKeyAnnotations": {"a.b/c": "x y"}}),
            "--privatekey-annotations=a.b/c=x y",
        ),
        (
            json!({"leaderElection": {"leaseDuration": "15s"}}),
            "--leader-elect-lease-duration=15s",
        ),
        (json!({"resyncPeriod": "10m"}), "--resync-period=10m"),
        (json!({"logLevel": "ERROR"}), "--log-level=ERROR"),
        (json!({"logFormat": "json"}), "--log-format=json"),
        (
            json!({"containerPorts": {"http": 1234}}),
            "--listen-addr=:1234",
        ),
        (
            json!({"containerPorts": {"metrics": 4321}}),
            "--listen-metrics-addr=:4321",
        ),
        (
            json!({"extraArgs": ["--x={{ .Release.Name }}"]}),
            "--x=release",
        ),
    ] {
        let args = args(&rendered("default", &values));
        assert!(args.iter().any(|arg| arg == expected), "{values}: {args:?}");
        if !expected.starts_with("--x=") {
            cli::run(ours::controller())
                .args(args)
                .arg("--version")
                .ok();
        }
    }
}

#[test]
fn own_arguments_and_an_own_command_take_the_place_of_all() {
    let values = json!({"args": ["--version"], "command": ["/other"], "updateStatus": false});
    let objects = rendered("default", &values);
    assert_eq!(args(&objects), ["--version"]);
    assert_eq!(
        deployment(&objects)["spec"]["template"]["spec"]["containers"][0]["command"],
        json!(["/other"])
    );
}

#[test]
fn the_notes_say_how_kubeseal_finds_the_controller_and_who_may_call_it() {
    let kubeconfig = cluster::shared().kubeconfig(&User::Admin);
    let notes = |namespace: &str, values: Value| {
        let printed = helm()
            .kubeconfig(&kubeconfig)
            .args(["install", "release", "--dry-run=client"])
            .args(["--namespace", namespace, "--values"])
            .arg(super::values_file(&values))
            .arg(folder())
            .ok();
        printed.split("NOTES:").nth(1).unwrap().to_owned()
    };
    let plain = notes("kube-system", json!({}));
    assert!(
        plain.contains("kubeseal finds it by itself") && plain.contains("| kubeseal -o yaml"),
        "{plain}"
    );
    assert!(
        plain.contains("Who may call the controller: only those who may proxy"),
        "{plain}"
    );
    let elsewhere = notes("tools", json!({"fullnameOverride": ""}));
    let flags = "kubeseal --controller-name=release-sealed-secrets --controller-namespace=tools --fetch-cert";
    assert!(elsewhere.contains(flags), "{elsewhere}");
    let all = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}]);
    let open = notes(
        "kube-system",
        json!({"rbac": {"serviceProxier": {"subjects": all}, "pspEnabled": true}, "kubeVersion": "1.20.0"}),
    );
    assert!(
        open.contains("WARNING: rbac.serviceProxier.subjects lets everyone"),
        "{open}"
    );
    assert!(
        open.contains("no effect here: kubeVersion, rbac.pspEnabled."),
        "{open}"
    );
}
