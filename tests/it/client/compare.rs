//! The same input gives the same output as with the original, but for the sealed values and our hint.

use std::{collections::BTreeMap, fs};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use testkit::cli;

use super::{HINT, folder, ours, pair, read, theirs};

/// Sealed values and the hint taken out, line by line.
fn masked(text: &str) -> String {
    let is_hint = |line: &str| line.contains(HINT);
    let mut out = String::new();
    for line in text.lines().filter(|line| !is_hint(line)) {
        match line.split_once("AQ") {
            Some((before, value)) if value.trim_end_matches([',', '"']).len() > 300 => {
                let end = if line.ends_with(',') { "," } else { "" };
                out.push_str(&format!("{before}SEALED{end}\n"));
            }
            _ => out.push_str(&format!("{line}\n")),
        }
    }
    // The hint may have been the only annotation.
    out.replace(",\n    \"annotations\": {\n    }", "")
        .replace("  annotations:\n  name", "  name")
}

/// Runs both with the same arguments, and with `-o yaml` too.
fn check(args: &[&str], stdin: &str) {
    for format in ["json", "yaml"] {
        let run = |client: cli::Run| {
            client
                .args(args.iter().copied())
                .args(["-o", format])
                .stdin(stdin)
                .ok()
        };
        let (our_text, their_text) = (run(pair().ours()), run(pair().theirs()));
        assert_eq!(
            masked(&our_text),
            masked(&their_text),
            "{args:?}\n{stdin}\n{our_text}"
        );
    }
}

#[test]
fn outputs_are_the_same_for_a_table_of_secrets() {
    let simple = super::secret("db");
    check(&[], &simple);
    check(&["--scope", "strict"], &simple);
    check(&["--scope", "namespace-wide"], &simple);
    check(&["--scope=cluster-wide"], &simple);
    check(&["--name", "other"], &simple);
    check(&["-n", "shop"], &simple);
    let bare = "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"AAE=\"}}";
    check(&[], bare);
    check(&["--namespace=given"], bare);
    check(&["--scope", "cluster-wide"], bare);
    check(
        &["--allow-empty-data"],
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
    );
    let full = "
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
immutable: true
metadata:
  name: full
  namespace: shop
  uid: 0a
  resourceVersion: '7'
  generation: 2
  creationTimestamp: '2024-01-01T00:00:00Z'
  labels: {app: a, on: 'yes', empty: ''}
  annotations:
    note: \"<b> & \\u2028 'quoted'\"
    long: one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    kubectl.kubernetes.io/last-applied-configuration: '{\"stringData\":{\"tls.key\":\"canary\"}}'
    sealedsecrets.bitnami.com/namespace-wide: 'true'
data:
  tls.crt: Y2VydA==
  tls.key: |
    a2V5
    a2V5
stringData:
  tls.key: wins
  multi: |
    line
      more
  'a.b-c_d': ''
";
    check(&[], full);
    check(&["--scope", "cluster-wide"], full);
    check(
        &[],
        &format!("{simple}---\n# nothing\n---\n{full}\n--- \n{simple}"),
    );
    check(&[], &format!("{bare}\n{bare}"));
}

#[test]
fn words_that_yaml_1_1_changes_are_changed_alike_and_warned_about() {
    let words = [
        "yes", "NO", "on", "012", "0x1F", "1.10", "1e3", "1_000", "~", "true", "3", "-0", ".5",
        "0o17", "12e03", "null",
    ];
    for word in words {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\nstringData:\n  k: {word}\n"
        );
        let ours = pair().ours().stdin(secret.as_str()).output();
        let theirs = pair().theirs().stdin(secret.as_str()).output();
        if ours.code() != 0 {
            // Refused is safe where YAML 1.1 and 1.2 disagree; the message says what to do.
            assert!(ours.stderr.contains("quote"), "{word}: {}", ours.stderr);
            continue;
        }
        assert_eq!(opened(&ours.text()), opened(&theirs.text()), "{word}");
        assert!(
            ours.stderr.contains("stringData.k"),
            "{word}: {}",
            ours.stderr
        );
    }
}

fn opened(sealed: &str) -> Value {
    let text = theirs()
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(&pair().key)
        .stdin(sealed)
        .ok();
    super::json(&text)["data"].clone()
}

fn any_secret() -> impl Strategy<Value = Value> {
    let name = "[a-z][a-z0-9-]{0,10}[a-z]";
    let text = prop_oneof![
        "\\PC{0,40}",
        "[ -~]{0,80}",
        "(yes|no|1|0x1|~|null|true|: |- |#|@a)"
    ];
    let labels = prop::option::of(prop::collection::btree_map(
        "[a-z]{1,8}",
        text.clone(),
        0..3,
    ));
    let values = prop::collection::btree_map("[-._a-zA-Z0-9]{1,20}", text, 1..4);
    let kind = prop::option::of(prop::sample::select(&[
        "Opaque",
        "kubernetes.io/tls",
        "x/y",
    ]));
    let scope = prop::sample::select(&[
        "",
        "sealedsecrets.bitnami.com/cluster-wide",
        "sealedsecrets.bitnami.com/namespace-wide",
    ]);
    let immutable = prop::option::of(any::<bool>());
    (name, labels.clone(), labels, values, kind, scope, immutable).prop_map(
        |(name, labels, annotations, values, kind, scope, immutable)| {
            let mut annotations: BTreeMap<String, String> = annotations.unwrap_or_default();
            if !scope.is_empty() {
                annotations.insert(scope.to_owned(), "true".to_owned());
            }
            let mut secret = json!({
                "apiVersion": "v1", "kind": "Secret", "stringData": values,
                "metadata": {"name": name, "annotations": annotations},
            });
            if let Some(labels) = labels {
                secret["metadata"]["labels"] = json!(labels);
            }
            if let Some(kind) = kind {
                secret["type"] = json!(kind);
            }
            if let Some(immutable) = immutable {
                secret["immutable"] = json!(immutable);
            }
            secret
        },
    )
}

#[test]
fn outputs_are_the_same_for_generated_secrets() {
    let config = ProptestConfig {
        cases: 12,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Default::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(any_secret(), 1..24), |secrets| {
            let stream: String = secrets.iter().map(|secret| format!("{secret}\n")).collect();
            check(&[], &stream);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
}

/// Flag name to default, as a help text in the manner of Go's pflag says.
fn flags_of_theirs() -> BTreeMap<String, Option<String>> {
    let help = theirs().arg("--help").ok();
    let mut flags = BTreeMap::new();
    for line in help.lines() {
        let Some((_, rest)) = line.split_once("--") else {
            continue;
        };
        let name = rest.split_whitespace().next().expect("a name").to_owned();
        let default = line
            .rsplit_once("(default ")
            .map(|(_, end)| end.trim_end_matches(')').trim_matches('"').to_owned());
        flags.insert(name, default);
    }
    flags
}

#[test]
fn every_flag_of_theirs_is_ours_with_the_same_default() {
    let theirs = flags_of_theirs();
    assert!(theirs.len() > 45, "{theirs:?}");
    let help = ours().arg("--help").ok();
    for (name, default) in theirs {
        let at = ["\n", " ", "["]
            .iter()
            .find_map(|end| help.find(&format!("--{name}{end}")));
        let at = at.unwrap_or_else(|| panic!("--{name} is not in our help\n{help}"));
        let entry = &help[at..];
        // The entry ends where the next flag or heading begins.
        let end = entry
            .find("\n\n      -")
            .or_else(|| entry.find("\n\n  -"))
            .unwrap_or(entry.len());
        if let Some(default) = default {
            let ours = format!("[default: {default}]");
            assert!(
                entry[..end].contains(&ours),
                "--{name}: {ours} is not in\n{}",
                &entry[..end]
            );
        }
    }
}

#[test]
fn flags_are_written_as_go_takes_them() {
    let input = super::secret("db");
    let name =
        |run: cli::Run| super::json(&run.stdin(input.as_str()).ok())["metadata"]["name"].clone();
    assert_eq!(
        name(
            pair()
                .ours()
                .args(["--validate=false", "--raw=f", "--name=x"])
        ),
        "x"
    );
    assert_eq!(
        name(pair().ours().args(["--name", "x", "--name", "y"])),
        "y",
        "the last one counts"
    );
    assert_eq!(
        name(pair().ours().args(["--name", "-x"])),
        "-x",
        "the next word is the value"
    );
    assert_eq!(
        name(
            pair()
                .ours()
                .args(["-v", "9", "-v=2", "-v3", "--logtostderr=false", "--v=1"])
        ),
        "db"
    );
    assert_eq!(name(pair().ours().args(["--name="])), "db");
    let yaml = pair().ours().args(["-oYAML"]).stdin(input.as_str()).ok();
    assert!(
        yaml.starts_with("---\napiVersion: bitnami.com/v1alpha1\n"),
        "{yaml}"
    );
}

#[test]
fn every_flag_has_a_variable_and_the_flag_overrules_it() {
    let folder = folder();
    let input = folder.path().join("in.json");
    fs::write(&input, super::secret("db")).expect("written");
    let out = folder.path().join("out");
    let run = |client: cli::Run| {
        client
            .env("SEALED_SECRETS_CERT", &pair().cert)
            .env("SEALED_SECRETS_SECRET_FILE", &input)
            .env("SEALED_SECRETS_SEALED_SECRET_FILE", &out)
            .env("SEALED_SECRETS_NAME", "from-variable")
            .env("SEALED_SECRETS_SCOPE", "cluster-wide")
            .env("SEALED_SECRETS_NAMESPACE", "shop")
            .env("SEALED_SECRETS_RAW", "")
            .env("SEALED_SECRETS_FORMAT", "yaml")
    };
    run(ours()).ok();
    let text = read(&out);
    run(theirs()).ok();
    assert_eq!(masked(&text), masked(&read(&out)));
    assert!(
        text.contains("name: from-variable") && text.contains("cluster-wide"),
        "{text}"
    );
    run(ours())
        .args(["--name", "typed", "--scope", "strict"])
        .ok();
    let text = read(&out);
    assert!(
        text.contains("name: typed") && !text.contains("cluster-wide"),
        "{text}"
    );
}

#[test]
fn scripts_know_the_version_line() {
    let line = ours().arg("--version").ok();
    let version = line
        .strip_prefix("kubeseal version: v")
        .expect("the prefix");
    assert_eq!(
        version
            .trim()
            .split('.')
            .filter(|part| part.parse::<u32>().is_ok())
            .count(),
        3,
        "{line}"
    );
}
