//! Each kind of generator through the real kustomize, in both ways: the expected results are written by the rules.

use aws_lc_rs::digest::{SHA256, digest};

use super::*;

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: mysecret
type: Opaque
stringData:
  username: admin
  password: 'hunter: #2'
";

/// Builds with the settings in both ways, and expects the same of each.
fn check(prepare: impl Fn(&Desk), settings: &str, expected: &str) {
    let desk = Desk::new();
    prepare(&desk);
    for way in WAYS {
        desk.generator(way, settings);
        let output = desk.build().output();
        assert_eq!(output.code(), 0, "{way:?}: {}", output.stderr);
        assert_eq!(output.text(), expected, "{way:?}");
        assert_eq!(output.stderr, "", "{way:?}");
    }
}

/// The suffix that kustomize gives a Secret: of its JSON, in letters that spell nothing. (It means to count the name in, and
/// finds none.)
fn suffix(json: &str) -> String {
    let hash = digest(&SHA256, json.as_bytes());
    let hex: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let letter = |letter: char| match letter {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(10).map(letter).collect()
}

#[test]
fn a_single_file() {
    check(
        |desk| desk.encrypted("app/secret.enc.yaml", SECRET),
        "files:\n- ./secret.enc.yaml\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\nstringData:\n  password: 'hunter: #2'\n  username: admin\n\
         type: Opaque\n",
    );
}

#[test]
fn several_files() {
    let one = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  key: {name}\n"
        )
    };
    let all: Vec<_> = ["a", "b", "c"].map(one).into();
    check(
        |desk| {
            for name in ["a", "b", "c"] {
                desk.encrypted(&format!("app/{name}.yaml"), one(name));
            }
        },
        "files:\n- a.yaml\n- b.yaml\n- c.yaml\n",
        &all.join("---\n"),
    );
}

#[test]
fn a_hash_in_the_name() {
    let marked = SECRET.replace(
        "  name: mysecret\n",
        "  name: mysecret\n  annotations:\n    kustomize.config.k8s.io/needs-hash: \"true\"\n",
    );
    let suffix = suffix(
        r#"{"data":"","kind":"Secret","name":"","stringData":{"password":"hunter: #2","username":"admin"},"type":"Opaque"}"#,
    );
    check(
        |desk| desk.encrypted("app/secret.enc.yaml", &marked),
        "files: [secret.enc.yaml]\n",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret-{suffix}\nstringData:\n  password: 'hunter: #2'\n  \
             username: admin\ntype: Opaque\n"
        ),
    );
}

#[test]
fn a_secret_of_the_base_is_replaced_or_merged_with() {
    for (behavior, extra) in [("replace", ""), ("merge", "  old: bGVmdA==\n")] {
        let head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\n";
        let marks = format!("  annotations: {{kustomize.config.k8s.io/behavior: {behavior}}}\n");
        let prepare = |desk: &Desk| {
            desk.encrypted(
                "app/secret.enc.yaml",
                format!("{head}{marks}data:\n  user: YWRtaW4=\n"),
            );
            desk.write("app/base/kustomization.yaml", "resources: [secret.yaml]\n");
            desk.write(
                "app/base/secret.yaml",
                format!("{head}data: {{old: bGVmdA==, user: bm9ib2R5}}\n"),
            );
            desk.write(
                "app/kustomization.yaml",
                "resources: [base]\ngenerators: [generator.yaml]\n",
            );
        };
        let expected = format!(
            "apiVersion: v1\ndata:\n{extra}  user: YWRtaW4=\nkind: Secret\nmetadata:\n  name: mysecret\n"
        );
        check(prepare, "files: [secret.enc.yaml]\n", &expected);
    }
}

#[test]
fn a_file_in_a_secret() {
    check(
        |desk| desk.encrypted("app/secret.enc.yaml", "user: app\nlist: [1]\n"),
        "secretFrom:\n- metadata:\n    name: mysecret\n  files:\n  - ./secret.enc.yaml\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\nstringData:\n  secret.enc.yaml: |\n    user: app\n    \
         list:\n        - 1\n",
    );
}

#[test]
fn a_binary_file_in_a_secret() {
    check(
        |desk| desk.encrypted("app/blob.bin", [0, 255, 10]),
        "secretFrom:\n- metadata:\n    name: mysecret\n  type: Opaque\n  binaryFiles:\n  - blob.bin\n",
        "apiVersion: v1\ndata:\n  blob.bin: AP8K\nkind: Secret\nmetadata:\n  name: mysecret\ntype: Opaque\n",
    );
}

#[test]
fn variables_in_a_secret() {
    check(
        |desk| {
            desk.encrypted("app/a.env", "A=1\nB=two words # said\nC=$A-${B}\n");
            desk.encrypted("app/b.env", "A=2\n");
        },
        "secretFrom:\n- metadata:\n    name: mysecret\n  envs: [a.env, b.env]\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\nstringData:\n  A: \"2\"\n  B: two words\n  C: 1-two words\n",
    );
}

#[test]
fn a_file_under_another_key() {
    check(
        |desk| desk.encrypted("app/secret.enc.yaml", "user: app\n"),
        "secretFrom:\n- metadata:\n    name: mysecret\n  files: [secret.yaml=secret.enc.yaml]\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\nstringData:\n  secret.yaml: |\n    user: app\n",
    );
}

#[test]
fn a_secret_with_labels_and_annotations() {
    check(
        |desk| desk.encrypted("app/secret.env", "A=1\n"),
        "secretFrom:\n- metadata:\n    name: mysecret\n    namespace: shop\n    labels: {app: shop, count: 1}\n    annotations:\n      \
         a: b\n  type: example.com/kind\n  envs: [secret.env]\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    a: b\n  labels:\n    app: shop\n    count: \"1\"\n  name: mysecret\n  \
         namespace: shop\nstringData:\n  A: \"1\"\ntype: example.com/kind\n",
    );
}

#[test]
fn files_and_secrets_of_one_generator() {
    check(
        |desk| {
            desk.encrypted("app/secret.enc.yaml", SECRET);
            desk.encrypted("app/other.enc.yaml", "user: app\n");
        },
        "files: [secret.enc.yaml]\nsecretFrom:\n- metadata: {name: other}\n  files: [o=other.enc.yaml]\n",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\nstringData:\n  password: 'hunter: #2'\n  username: admin\n\
         type: Opaque\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: other\nstringData:\n  o: |\n    user: app\n",
    );
}
