//! What somebody tries who may write SealedSecrets but not read Secrets: to move a value, or to see a part of it.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::hint;
use keys::Scope;
use serde_json::{Value, json};
use testkit::path;

use crate::stand::{Stand, condition};

const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";
/// A password such as nothing else here contains.
const NEEDLE: &str = "~Zq7#kwvXy9!";

#[test]
fn no_annotation_template_or_hint_moves_a_value_out_of_its_scope() {
    let stand = Stand::start();
    let here = stand.namespace.as_str();
    let hint_of = |sealed: &Value| sealed["metadata"]["annotations"][hint::ANNOTATION].clone();
    let strict = stand.sealed("victim", &[("foo", "bar")]);
    let wide = stand.sealed_for(
        "elsewhere",
        "victim",
        &[("foo", "bar")],
        Scope::NamespaceWide,
    );
    let stolen = |name: &str, from: &Value, annotations: Value, template: Value| {
        let mut sealed = from.clone();
        sealed["metadata"] = json!({"name": name, "namespace": here, "annotations": annotations});
        sealed["spec"]["template"] = template;
        sealed
    };
    let says = |annotation: &str| json!({annotation: "true"});
    let in_template = |annotations: Value| json!({"metadata": {"name": "victim", "namespace": here, "annotations": annotations}});
    let attempts = [
        ("outer-cluster", &strict, says(CLUSTER_WIDE), json!({})),
        ("outer-namespace", &strict, says(NAMESPACE_WIDE), json!({})),
        (
            "outer-both",
            &strict,
            json!({CLUSTER_WIDE: "true", NAMESPACE_WIDE: "true"}),
            json!({}),
        ),
        (
            "outer-other-case",
            &strict,
            json!({CLUSTER_WIDE: "True", NAMESPACE_WIDE: "1"}),
            json!({}),
        ),
        (
            "template-cluster",
            &strict,
            json!({}),
            in_template(says(CLUSTER_WIDE)),
        ),
        (
            "template-namespace",
            &strict,
            json!({}),
            in_template(says(NAMESPACE_WIDE)),
        ),
        (
            "both-places",
            &strict,
            says(CLUSTER_WIDE),
            in_template(says(CLUSTER_WIDE)),
        ),
        ("template-name", &strict, json!({}), in_template(json!({}))),
        (
            "true-hint",
            &strict,
            json!({hint::ANNOTATION: hint_of(&strict)}),
            json!({}),
        ),
        (
            "lying-hint",
            &strict,
            json!({hint::ANNOTATION: "SHA256:AAAA", CLUSTER_WIDE: "true"}),
            json!({}),
        ),
        ("namespace-as-is", &wide, says(NAMESPACE_WIDE), json!({})),
        ("namespace-cluster", &wide, says(CLUSTER_WIDE), json!({})),
        ("namespace-strict", &wide, json!({}), json!({})),
    ];
    for (name, from, annotations, template) in attempts {
        stand.apply(&stolen(name, from, annotations, template));
        let said = stand.wait_synced(name, "False");
        let message = &condition(&said)["message"];
        assert_eq!(message, "no key could decrypt secret (foo)", "{name}");
        assert!(stand.secret(name).is_none(), "{name}");
    }
    // Another item's ciphertext under another name of key is only renamed, never moved.
    let mut renamed = strict.clone();
    let value = renamed["spec"]["encryptedData"]["foo"].take();
    renamed["spec"]["encryptedData"] = json!({"other": value});
    stand.apply(&renamed);
    let secret = stand.wait_data("victim", &[("other", "bar")]);
    assert_eq!(secret["metadata"]["annotations"], Value::Null);

    // A hint that lies, and one that is no hint, change nothing where the value opens.
    for lie in ["SHA256:AAAA", "{\"foo\":7}", "\u{0}", "\""] {
        let mut sealed = stand.sealed("hinted", &[("foo", lie)]);
        sealed["metadata"]["annotations"][hint::ANNOTATION] = json!(lie);
        sealed["spec"]["template"]["metadata"]["annotations"] = json!({hint::ANNOTATION: lie});
        stand.apply(&sealed);
        let secret = stand.wait_data("hinted", &[("foo", lie)]);
        assert_eq!(secret["metadata"]["annotations"], Value::Null);
    }
}

/// Templates that fail on the value, each in a way whose message would quote it in Go.
const QUOTING: [&str; 26] = [
    "{{ fail .password }}",
    "{{ fail (printf \"%s\" .password) }}",
    "{{ .password.field }}",
    "{{ call .password }}",
    "{{ index .password .password }}",
    "{{ index (list 1) .password }}",
    "{{ slice .password 3 99 }}",
    "{{ mustRegexMatch (printf \"(%s\" .password) \"x\" }}",
    "{{ regexReplaceAll (printf \"[%s\" .password) \"x\" \"y\" }}",
    "{{ mustToDate \"2006-01-02\" .password }}",
    "{{ mustDateModify .password now }}",
    "{{ semver .password }}",
    "{{ semverCompare .password \"1.2.3\" }}",
    "{{ urlParse (printf \"http://[%s\" .password) }}",
    "{{ mustFromJson .password }}",
    "{{ toDecimal .password | divf 0 | fail }}",
    "{{ template .password }}",
    "{{ len 3 | printf .password | fail }}",
    "{{ dict .password | fail }}",
    "{{ lt .password 3 }}",
    "{{ eq .password 3 (list) }}",
    "{{ repeat (len .password) .password | fail }}",
    "{{ uniq .password }}",
    "{{ get .password .password }}",
    "{{ range $i, $c := .password }}{{ fail $c }}{{ end }}{{ fail .password }}",
    "{{ (split \"\" .password) | toJson | fail }}",
];

#[test]
fn nothing_of_a_value_is_seen_outside_of_its_secret() {
    let stand = Stand::start_with(&[], |launch| {
        launch.args([
            "--log-level=DEBUG",
            "--rate-limit=1000",
            "--rate-limit-burst=1000",
        ])
    });
    let password = [("password", NEEDLE)];
    let templated = |name: &str, type_: &str, key: &str, source: &str| {
        let mut sealed = stand.sealed(name, &password);
        sealed["spec"]["template"]["data"] = json!({key: source});
        sealed["spec"]["template"]["type"] = json!(type_);
        sealed
    };
    let mut failing = Vec::new();
    for (number, source) in QUOTING.into_iter().enumerate() {
        failing.push(templated(
            &format!("quoting-{number}"),
            "Opaque",
            "t",
            source,
        ));
    }
    // The API server itself says where a value breaks its rules.
    let docker = "kubernetes.io/dockerconfigjson";
    for (number, source) in [
        "{{ .password }}",
        "{{ substr 1 2 .password }}",
        "{\"auths\": {{ substr 2 3 .password }}",
        "{} {{ .password }}",
        "\"{{ .password }}\"",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("docker-{number}");
        failing.push(templated(&name, docker, ".dockerconfigjson", source));
    }
    failing.push(templated(
        "dockercfg",
        "kubernetes.io/dockercfg",
        ".dockercfg",
        "{{ .password }}",
    ));
    failing.push(templated(
        "tls",
        "kubernetes.io/tls",
        "tls.crt",
        "{{ .password }}",
    ));
    failing.push(templated("bad-key", "Opaque", "a/b", "{{ .password }}"));
    // Too large for a Secret.
    let large = NEEDLE.repeat((1 << 20) / NEEDLE.len() + 1);
    failing.push(stand.sealed("large", &[("password", &large)]));
    // Not openable any more, and opened under a name of its own before.
    let mut moved = stand.sealed("origin", &password);
    moved["metadata"]["name"] = json!("moved");
    failing.push(moved);
    // Printed with verbs that do not fit: that goes into the Secret, and nowhere else.
    let odd_verbs = "{{ printf \"%d %t %x %z %!\" .password .password .password .password }}";
    let printed = templated("printed", "Opaque", "t", odd_verbs);
    stand.apply(&printed);
    stand.wait_synced("printed", "True");

    for sealed in &failing {
        stand.apply(sealed);
        let body = sealed.to_string();
        for endpoint in ["/v1/verify", "/v1/rotate"] {
            let reply = stand.controller.request("POST", endpoint, body.as_bytes());
            let reply = reply.unwrap_or_else(|error| panic!("{error}"));
            let said = reply.body.to_string();
            assert!(!shows(&said), "{endpoint} says {said}");
        }
    }
    for sealed in &failing {
        let name = sealed["metadata"]["name"].as_str().expect("it has one");
        let said = stand.wait_synced(name, "False");
        let message = condition(&said)["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && message.len() < 5000, "{message}");
        assert!(!message.contains("invalid character"), "{message}");
        assert!(stand.secret(name).is_none(), "{name}");
    }
    stand.wait_event("docker-4", "ErrUpdateFailed", "");
    let api = &stand.cluster.api;
    let everything = [
        ("the log", stand.controller.log()),
        ("the metrics", stand.controller.metrics()),
        (
            "events",
            json!(api.list(&path::core(&stand.namespace, "events"))).to_string(),
        ),
        (
            "SealedSecrets",
            json!(api.list(&path::sealed_secrets(&stand.namespace))).to_string(),
        ),
    ];
    for (place, text) in everything {
        assert!(text.len() > 100, "{place}: {text}");
        assert!(!shows(&text), "{place}: {text}");
        let quoted = text.lines().find(|line| line.contains("invalid character"));
        assert_eq!(quoted, None, "{place}");
    }
}

/// Templates that would take all time and all memory.
const EXPENSIVE: [&str; 5] = [
    "{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}",
    "{{ $x := .foo }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}",
    "{{ repeat 9223372036854775807 .foo }}",
    "{{ define \"r\" }}{{ template \"r\" . }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
    "{{ regexFindAll \"a|a.*z\" (repeat 1000000 \"a\") -1 }}",
];

#[test]
fn templates_that_would_never_end_hold_nobody_up() {
    let stand = Stand::start();
    let name = |at: usize| format!("expensive-{at}");
    for at in 0..3 * EXPENSIVE.len() {
        let mut sealed = stand.sealed(&name(at), &[("foo", "bar")]);
        sealed["spec"]["template"]["data"] = json!({"t": EXPENSIVE[at % EXPENSIVE.len()]});
        stand.apply(&sealed);
    }
    let begin = Instant::now();
    stand.apply(&stand.sealed("ordinary", &[("foo", "bar")]));
    stand.wait_data("ordinary", &[("foo", "bar")]);
    let waited = begin.elapsed();
    let alive = stand.controller.request("GET", "/healthz", b"");
    let (answered, took) = (alive.map(|reply| reply.status), begin.elapsed());
    for at in 0..3 * EXPENSIVE.len() {
        let said = stand.wait_synced(&name(at), "False");
        let message = condition(&said)["message"].as_str().unwrap_or_default();
        assert!(
            message.starts_with("template \"t\": line 1: the template "),
            "{at}: {message}"
        );
        assert!(stand.secret(&name(at)).is_none());
    }
    let memory = stand.controller.metric("process_resident_memory_bytes");
    assert!(memory < 200e6, "{memory}");
    assert_eq!(answered, Ok(200));
    assert!(took < Duration::from_secs(30), "{waited:?}, {took:?}");
}

/// Whether a part of the value shows: four bytes in a row, as they are, in base64 or in hexadecimal. Ciphertexts are left
/// out: a megabyte of base64 has any four letters sooner or later.
fn shows(text: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let is_ciphertext = |part: &&str| part.len() > 500 && part.chars().all(is_base64);
    let parts = text.split(['"', '\\']);
    let text: Vec<_> = parts.filter(|part| !is_ciphertext(part)).collect();
    let text = text.join("\"");
    let parts = NEEDLE.as_bytes().windows(4);
    let hex = |part: &[u8]| -> String { part.iter().map(|byte| format!("{byte:02x}")).collect() };
    let plain = |part: &[u8]| text.contains(&*String::from_utf8_lossy(part));
    let in_hex =
        |part: &[u8]| text.contains(&hex(part)) || text.contains(&hex(part).to_uppercase());
    text.contains(STANDARD.encode(NEEDLE).trim_end_matches('='))
        || parts.into_iter().any(|part| plain(part) || in_hex(part))
}
