//! What is refused: with which exit code, in which words, and without a secret in them.

use std::fs;

use testkit::cli::{self, Output};

use super::{folder, ours, pair, read, secret};

fn refused(run: cli::Run, code: i32, words: &[&str]) -> Output {
    let output = run.output();
    assert_eq!(output.code(), code, "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(output.stderr.contains("error: "), "{output:?}");
    for word in words {
        assert!(
            output.stderr.contains(word),
            "no {word:?} in\n{}",
            output.stderr
        );
    }
    output
}

#[test]
fn a_document_that_is_no_secret_is_refused_by_number_line_and_kind_and_nothing_is_written() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: aGVsbG8=}\n";
    let stream = format!("{}---\n{map}", secret("db"));
    refused(
        pair().ours().stdin(stream.as_str()),
        1,
        &["document 2 (line 6)", "ConfigMap", "hint: "],
    );
    let folder = folder();
    let out = folder.path().join("out.json");
    fs::write(&out, "before").expect("written");
    refused(
        pair().ours().arg("-w").arg(&out).stdin(stream.as_str()),
        1,
        &["ConfigMap"],
    );
    assert_eq!(read(&out), "before");
    refused(
        pair().ours().stdin("kind: Secret\nmetadata: {name: a}\n"),
        1,
        &["apiVersion"],
    );
    refused(pair().ours().stdin("[1, 2]"), 1, &["document 1"]);
}

#[test]
fn text_that_cannot_be_read_is_refused_whole() {
    let broken = format!("{}---\na: [\n", secret("db"));
    refused(pair().ours().stdin(broken.as_str()), 1, &["document 2"]);
    refused(pair().ours().stdin(""), 1, &["no secrets found", "hint: "]);
    refused(
        pair().ours().stdin("---\n---\n# nothing\n"),
        1,
        &["no secrets found"],
    );
    refused(pair().ours().stdin(b"\xff\xfe".as_slice()), 1, &["UTF-8"]);
}

#[test]
fn lists_are_sealed_item_by_item() {
    for kind in ["List", "SecretList"] {
        let list = format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"{kind}\",\"items\":[\
             {{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{{\"name\":\"a\"}},\"data\":{{\"k\":\"AA==\"}}}},\
             {{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{{\"name\":\"b\"}},\"data\":{{\"k\":\"AA==\"}}}}]}}"
        );
        let sealed = pair().ours().stdin(list).ok();
        assert_eq!(
            sealed.matches("\"kind\": \"SealedSecret\"").count(),
            2,
            "{sealed}"
        );
    }
}

#[test]
fn validating_nothing_or_something_else_is_an_error() {
    for (input, words) in [
        ("", "nothing to validate\nhint: "),
        ("# only a comment\n", "nothing to validate"),
        ("garbage", "document 1"),
        ("kind: ConfigMap\napiVersion: v1\n", "ConfigMap"),
    ] {
        refused(ours().arg("--validate").stdin(input), 1, &[words]);
    }
    refused(
        ours().arg("--validate").stdin(secret("db")),
        1,
        &["it is a Secret"],
    );
}

#[test]
fn validation_with_keys_at_hand_names_what_does_not_open() {
    let good = pair().ours().stdin(secret("good")).ok();
    let bad = super::other_pair().ours().stdin(secret("bad")).ok();
    let validate = || {
        ours()
            .args(["--validate", "--recovery-private-key"])
            .arg(&pair().key)
    };
    assert_eq!(validate().stdin(good.as_str()).ok(), "");
    refused(
        validate().stdin(good + &bad),
        1,
        &["unable to decrypt sealed secret: bad"],
    );
}

#[test]
fn two_modes_at_once_are_refused() {
    for modes in [
        ["--raw", "--validate"],
        ["--fetch-cert", "--re-encrypt"],
        ["--merge-into=x", "--recovery-unseal"],
    ] {
        refused(ours().args(modes), 1, &["ask for different things"]);
    }
    refused(
        ours().arg("--raw").env("SEALED_SECRETS_VALIDATE", "true"),
        1,
        &["--validate"],
    );
    refused(
        ours().args(["--validate", "-w", "x"]),
        1,
        &["--sealed-secret-file"],
    );
    refused(
        pair().ours().args(["--from-file=x"]),
        1,
        &["--from-file requires --raw"],
    );
}

#[test]
fn flags_that_do_not_exist_end_with_2() {
    for args in [
        &["--nope"][..],
        &["-x"],
        &["--scope", "galaxy"],
        &["--raw=maybe"],
        &["--v=loud"],
        &["stray"],
    ] {
        refused(ours().args(args.iter().copied()), 2, &[]);
    }
    refused(ours().env("SEALED_SECRETS_SCOPE", "galaxy"), 2, &["galaxy"]);
    for (typed, said) in [
        ("secret.yaml", "kubeseal -f secret.yaml"),
        ("seal", "kubeseal -f secret.yaml"),
    ] {
        let output = refused(ours().arg(typed), 2, &[said]);
        assert!(!output.stderr.contains("unseal"), "{}", output.stderr);
    }
    refused(
        ours().args(["--scope", "strict", "re-encrypt", "."]),
        2,
        &["kubeseal re-encrypt --FLAG"],
    );
}

#[test]
fn errors_begin_as_scripts_know_them() {
    let run = || pair().ours();
    let empty = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n";
    refused(
        run().stdin(empty),
        1,
        &["error: secret.data is empty in input Secret"],
    );
    let nameless = "apiVersion: v1\nkind: Secret\nmetadata: {}\ndata: {a: AA==}\n";
    refused(
        run().stdin(nameless),
        1,
        &["error: missing metadata.name in input Secret"],
    );
    refused(
        run().args(["-n", "other"]).stdin(secret("a")),
        1,
        &[
            "error: namespace mismatch: input secret is in namespace \"shop\" but \"other\" was specified",
        ],
    );
    refused(
        run().args(["-o", "toml"]).stdin(secret("a")),
        1,
        &["error: unsupported output format: toml"],
    );
    refused(
        run().args(["-f", "/nowhere"]),
        1,
        &["error: Could not read file specified with --secret-file"],
    );
    refused(
        run().args(["--raw"]).stdin("x"),
        1,
        &["error: must provide the --name flag with --raw and --scope strict"],
    );
    refused(
        cli::ours()
            .arg("--cert")
            .arg(&pair().cert)
            .arg("--raw")
            .stdin("x"),
        1,
        &["error: must provide the --namespace flag with --raw and --scope strict"],
    );
    let nameless_space = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: AA==}\n";
    refused(
        cli::ours()
            .arg("--cert")
            .arg(&pair().cert)
            .stdin(nameless_space),
        1,
        &["error: secret must declare a namespace"],
    );
    refused(
        run().args(["--raw", "--from-file=a", "--from-file=b", "--name=x"]),
        1,
        &["error: must provide only one --from-file when encrypting a single item with --raw"],
    );
}

#[test]
fn no_error_shows_a_secret() {
    const CANARY: &str = "canary-7f3a";
    let manifests = [
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\ndata: {{k: {CANARY}!}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\nstringData: {{k: [{CANARY}]}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\nstringData: {CANARY}\n"
        ),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  k: {CANARY}\n bad indent\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: {{k: \"{CANARY}\n"),
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{{\"k\":\"{CANARY}\",}}"
        ),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  k: {CANARY}\n  k: {CANARY}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  k: !!binary {CANARY}\n"),
        format!("kind: SealedSecret\napiVersion: bitnami.com/v1alpha1\nspec: {CANARY}\n"),
        format!(
            "kind: SealedSecret\napiVersion: bitnami.com/v1alpha1\nspec: {{template: {{metadata: {CANARY}}}}}\n"
        ),
        CANARY.to_owned(),
        format!("&a [*b, {CANARY}]"),
    ];
    for manifest in &manifests {
        let runs = [
            pair().ours(),
            ours()
                .args(["--validate", "--recovery-private-key"])
                .arg(&pair().key),
            ours()
                .args(["--recovery-unseal", "--recovery-private-key"])
                .arg(&pair().key),
            ours().arg("inspect"),
            ours()
                .args(["--re-encrypt", "--recovery-private-key"])
                .arg(&pair().key)
                .arg("--cert")
                .arg(&pair().cert),
        ];
        for run in runs {
            let output = run.stdin(manifest.as_str()).output();
            assert_ne!(output.code(), 0, "{manifest}\n{output:?}");
            let all = output.stderr.clone() + &output.text();
            assert!(!all.contains(CANARY), "{manifest}\n{all}");
        }
    }
}

#[test]
fn the_password_in_an_address_is_not_shown() {
    for rest in ["127.0.0.1:1/cert.pem", "127.0.0.1:no/cert.pem"] {
        for scheme in ["http", "https", "ftp"] {
            let url = format!("{scheme}://me:canary@{rest}");
            let output = refused(
                ours().args(["--fetch-cert", "--cert", &url]),
                1,
                &["cannot fetch"],
            );
            assert!(!output.stderr.contains("canary"), "{}", output.stderr);
        }
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_not_shown() {
    let folder = folder();
    let config = folder.path().join("config");
    fs::write(
        &config,
        "users:\n- name: u\n  user: {token: canary-token, token: [\n",
    )
    .expect("written");
    let output = ours()
        .arg("--kubeconfig")
        .arg(&config)
        .arg("--fetch-cert")
        .output();
    assert_eq!(output.code(), 1);
    assert!(!output.stderr.contains("canary"), "{}", output.stderr);
}

#[test]
fn the_way_without_a_cluster_is_that_of_what_was_asked() {
    let sealed = pair().ours().stdin(secret("db")).ok();
    for (args, way) in [
        (&[][..], "hand over its certificate with --cert"),
        (&["--validate"], "--recovery-private-key"),
        (&["--re-encrypt"], "--recovery-private-key"),
    ] {
        let input = if args.is_empty() {
            secret("db")
        } else {
            sealed.clone()
        };
        let run = cli::ours().args(args.iter().copied()).stdin(input.as_str());
        refused(run, 1, &["no configuration of a cluster", way]);
        refused(
            ours().args(args.iter().copied()).stdin(input),
            1,
            &["connection refused", way],
        );
    }
}

#[test]
fn what_would_be_lost_or_shown_is_warned_about_without_showing_it() {
    let input = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\n  \
                 labels: {pass: hunter2}\n  annotations: {note: 'it is aHVudGVyMg==', env: prod}\n\
                 stringData: {password: hunter2, n: short}\nstringdata: {lost: word}\n";
    let output = pair().ours().stdin(input).output();
    assert_eq!(output.code(), 0, "{output:?}");
    let warnings: Vec<_> = output.stderr.lines().collect();
    let said = |words: &str| warnings.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        said("metadata.labels.pass shows the value of password"),
        1,
        "{warnings:#?}"
    );
    assert_eq!(
        said("metadata.annotations.note shows the value of password"),
        1,
        "{warnings:#?}"
    );
    assert_eq!(said("the key is false now"), 1, "{warnings:#?}");
    assert_eq!(said("stringdata is left out"), 1, "{warnings:#?}");
    assert_eq!((warnings.len(), said("hunter2")), (4, 0), "{warnings:#?}");
}
