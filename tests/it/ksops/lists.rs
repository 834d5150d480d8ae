//! Lists of resources: whose items are generators, and which stay as they are.

use super::*;

const GENERATOR: &str =
    "apiVersion: viaduct.ai/v1\n  kind: ksops\n  metadata: {name: g}\n  files: [a.yaml]\n";

const OTHER: &str = "\
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: other # stays
    annotations:
      config.kubernetes.io/path: 'a/b.yaml'
      internal.config.kubernetes.io/index: \"3\"
      kustomize.config.k8s.io/id: '7'
  data:
    empty: \"\"
    octal: 0755
    big: 9223372036854775807
    float: 1.10
    yes: 'yes'
    tagged: !!str 8080
    block: |
      one

      two
    list:
    - a
    - - b
      - {c: d}
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.encrypted("app/a.yaml", "kind: Secret\nmetadata:\n    name: a\n");
    desk
}

const MADE: &str = "- kind: Secret\n  metadata:\n    name: a\n";

#[test]
fn other_items_stay_as_they_are() {
    let desk = desk();
    let text = format!("kind: ResourceList\nitems:\n{OTHER}- {GENERATOR}");
    // Comments stand above what they are about, and lists have a line for each item.
    let expected = OTHER
        .replace(
            "    name: other # stays\n",
            "    # stays\n    name: other\n",
        )
        .replace("      - {c: d}\n", "      - c: d\n")
        .replace("    yes: ", "    \"yes\": ")
        .replace("!!str 8080", "\"8080\"");
    assert_eq!(
        desk.ksops(&[]).stdin(text).ok(),
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{expected}{MADE}"
        )
    );
}

#[test]
fn settings_that_are_an_item_too_generate_once() {
    let desk = desk();
    let text = format!("kind: ResourceList\nitems:\n- {GENERATOR}functionConfig:\n  {GENERATOR}");
    let settings = "functionConfig:\n  apiVersion: viaduct.ai/v1\n  kind: ksops\n  metadata:\n    name: g\n  files:\n  - a.yaml\n";
    assert_eq!(
        desk.ksops(&[]).stdin(text).ok(),
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{MADE}{settings}"
        )
    );
}

#[test]
fn settings_for_something_else_are_no_generator() {
    let desk = desk();
    let text =
        format!("kind: ResourceList\nitems:\n- {GENERATOR}functionConfig:\n  kind: ConfigMap\n");
    let list = desk.ksops(&[]).stdin(text).ok();
    assert!(
        list.contains(MADE) && list.contains("  kind: ConfigMap\n"),
        "{list}"
    );
}

#[test]
fn what_is_generated_is_in_the_order_of_kinds_and_names() {
    let desk = desk();
    desk.encrypted(
        "app/b.yaml",
        "kind: Secret\nmetadata: {name: b}\n---\nkind: ConfigMap\nmetadata: {name: c}\n",
    );
    let text = "kind: ResourceList\nfunctionConfig: {files: [b.yaml, a.yaml]}\n";
    let list = desk.ksops(&[]).stdin(text).ok();
    let names: Vec<_> = list
        .lines()
        .filter_map(|line| line.strip_prefix("    name: "))
        .collect();
    assert_eq!(names, ["c", "a", "b"], "{list}");
}

#[test]
fn nothing_to_generate_is_no_failure() {
    let desk = desk();
    let list = desk
        .ksops(&[])
        .stdin("kind: ResourceList\nfunctionConfig: {files: []}\n")
        .ok();
    assert!(!list.contains("items"), "{list}");
}

/// As a transformer, kustomize hands it all resources and takes back all that there are.
#[test]
fn as_a_transformer_it_adds_to_the_resources() {
    let desk = desk();
    desk.generator(Way::Function, "files: [a.yaml]\n");
    desk.write(
        "app/other.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n",
    );
    desk.write("app/a.yaml.plain", "");
    desk.encrypted(
        "app/a.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
    );
    desk.write(
        "app/kustomization.yaml",
        "resources: [other.yaml]\ntransformers: [generator.yaml]\n",
    );
    assert_eq!(
        desk.build().ok(),
        "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: other\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n"
    );
}

/// The working directory is the folder of the kustomization that names the generator, wherever it is built from.
#[test]
fn paths_are_those_of_the_kustomization_that_names_the_generator() {
    let desk = desk();
    desk.encrypted(
        "app/a.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
    );
    desk.encrypted(
        "shared/b.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n",
    );
    symlink("../shared/b.yaml", desk.path("app/link.yaml")).expect("a link");
    desk.write(
        "overlay/kustomization.yaml",
        "resources: [../app]\nnamePrefix: x-\n",
    );
    for way in WAYS {
        // As with KSOPS, the folder above and links lead where they lead.
        desk.generator(way, "files: [a.yaml, ../shared/b.yaml]\n");
        let text = desk
            .kustomize(desk.path("overlay"), &desk.path("key.txt"))
            .ok();
        assert!(
            text.contains("  name: x-a\n") && text.contains("  name: x-b\n"),
            "{text}"
        );
        desk.generator(way, "files: [link.yaml]\n");
        assert!(desk.build().ok().contains("  name: b\n"));
    }
}

/// Each of many files is in its place, however many are opened at the same time.
#[test]
fn many_files_keep_their_places() {
    let desk = Desk::new();
    desk.write(
        ".sops.yaml",
        format!(
            "creation_rules:\n- path_regex: ^app/\n  age: {}\n",
            desk.recipient
        ),
    );
    for at in 0..200 {
        desk.write(&format!("app/{at}.yaml"), format!("value: {at}\n"));
    }
    let encrypt = cli::run(ours::kubeseal()).folder(desk.folder.path());
    encrypt.args(["encrypt", "-i", "app"]).ok();
    let files: String = (0..200)
        .map(|at| format!("  - {{metadata: {{name: s{at}}}, files: [k={at}.yaml]}}\n"))
        .collect();
    let list = format!("kind: ResourceList\nfunctionConfig:\n  secretFrom:\n{files}");
    for limit in ["1", "20", "200"] {
        let run = desk.ksops(&[]).env("KSOPS_CONCURRENCY_LIMIT", limit);
        let made = run.stdin(list.as_str()).ok();
        let made = decryptor::manifest::read(made.as_bytes()).expect("a list");
        assert_eq!(made.len(), 200);
        for secret in &made {
            let at = secret
                .name()
                .and_then(|name| name.strip_prefix('s'))
                .expect("a name");
            assert_eq!(secret.value()["stringData"]["k"], format!("value: {at}\n"));
        }
    }
}
