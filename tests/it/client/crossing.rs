//! Either client seals, the other side's controller opens: in every scope, with templates, from nothing to most of a Secret.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use testkit::{
    cli,
    cluster::User,
    controller::{self, Launch},
};

use super::cluster::Stand;

/// As much as a Secret may hold, but for a little.
const LARGE: usize = 1_000_000;

fn secret(stand: &Stand, name: &str) -> Value {
    let binary: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..LARGE).map(|at| (at % 251) as u8).collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "example.com/odd",
        "metadata": {
            "name": name, "namespace": stand.namespace,
            "labels": {"app": "db"}, "annotations": {"note": "it's \"here\" <&>"},
        },
        "data": {"empty": "", "binary": STANDARD.encode(binary), "large": STANDARD.encode(large)},
        "stringData": {"text": "grüße 🔑\n"},
    })
}

fn check(client: fn() -> cli::Run, which: fn(&std::sync::Arc<testkit::Cluster>) -> Launch) {
    let stand = Stand::start_of(which, &[]);
    let admin = stand.cluster.kubeconfig(&User::Admin);
    let kubeseal = |args: &[&str], stdin: String| {
        let run = client().args(["--controller-namespace", &stand.home]);
        run.args(args.iter().copied())
            .kubeconfig(&admin)
            .stdin(stdin)
            .ok()
    };
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        let secret = secret(&stand, scope);
        let text = kubeseal(&["--scope", scope], secret.to_string());
        assert_eq!(kubeseal(&["--validate"], text.clone()), "");
        let mut sealed = super::json(&text);
        sealed["spec"]["template"]["data"] = json!({
            "url": "db://{{ .text | trim | quote }}", "plain": "word", "text": "the sealed one counts",
        });
        let made = stand.apply(&sealed);
        let mut wanted = secret["data"].clone();
        wanted["text"] = json!(STANDARD.encode("grüße 🔑\n"));
        wanted["url"] = json!(STANDARD.encode("db://\"grüße 🔑\""));
        wanted["plain"] = json!(STANDARD.encode("word"));
        assert!(made["data"] == wanted, "{scope}: the data differs");
        assert_eq!(made["type"], secret["type"], "{scope}");
        for field in ["labels", "annotations"] {
            let (made, wanted) = (&made["metadata"][field], &secret["metadata"][field]);
            let wanted = wanted.as_object().expect("a mapping");
            assert!(wanted.iter().all(|(name, text)| &made[name] == text));
        }
    }
}

#[test]
fn what_our_client_seals_their_controller_opens_whatever_its_size() {
    check(cli::ours, controller::theirs);
}

#[test]
fn what_their_client_seals_our_controller_opens_whatever_its_size() {
    check(cli::theirs, controller::ours);
}
