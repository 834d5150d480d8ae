//! The real kustomize: its generators call `sops`, and render the same with either program.

use super::*;

/// A KRM function: it gets a list of resources with its own settings in it, and prints objects, all or none.
const FUNCTION: &str = r#"#!/bin/sh
set -eu
objects=$(sed -n '/^functionConfig:/,$ s/^  - //p' | while read -r file; do sops -d "$file"; echo ---; done)
printf '%s\n' "$objects"
"#;

/// An exec plugin: it gets the name of a file with its settings.
const PLUGIN: &str = r#"#!/bin/sh
set -eu
sed -n 's/^- //p' "$1" | while read -r file; do sops -d "$file"; done
"#;

const FUNCTION_SETTINGS: &str = "\
apiVersion: viaduct.ai/v1
kind: ksops
metadata:
  name: generator
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: ./generate
files:
- ./secret.enc.yaml
";

const PLUGIN_SETTINGS: &str = "\
apiVersion: example.com/v1
kind: Decrypt
metadata:
  name: generator
files:
- ./secret.enc.yaml
";

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
    name: app
    annotations:
        kustomize.config.k8s.io/needs-hash: \"true\"
type: Opaque
data:
    password: Y29ycmVjdCBob3JzZQ==
";

/// Uses the Secret by the name that it has before its hash is added.
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  containers:
  - name: app
    image: app
    envFrom:
    - secretRef: {name: app}
";

/// As the people of Argo CD are told to have it run.
const BUILD: &str = "kustomize build --enable-alpha-plugins --enable-exec overlay";

/// An overlay over a base whose generator has an encrypted file.
fn desk(settings: &str) -> Desk {
    let desk = Desk::new();
    desk.write("base/secret.enc.yaml", SECRET);
    let args = [
        "encrypt",
        "-i",
        "--age",
        &desk.recipient,
        "--encrypted-regex",
        "^(data|stringData)$",
        "base/secret.enc.yaml",
    ];
    desk.sops(Whose::Theirs, &args).ok();
    desk.write("base/generator.yaml", settings);
    desk.write("base/pod.yaml", POD);
    desk.write(
        "base/kustomization.yaml",
        "resources: [pod.yaml]\ngenerators: [generator.yaml]\n",
    );
    desk.write(
        "overlay/kustomization.yaml",
        "resources: [../base]\nnamespace: shop\n",
    );
    desk.program("base/generate", FUNCTION);
    desk.program("plugins/example.com/v1/decrypt/Decrypt", PLUGIN);
    desk
}

impl Desk {
    fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("ours");
    }

    /// The name with the hash that kustomize gives a Secret of this content that it makes itself.
    fn name_with_hash(&self) -> String {
        self.write(
            "own/kustomization.yaml",
            "secretGenerator:\n- name: app\n  literals: [password=correct horse]\n",
        );
        let made = self.shell(Whose::Ours, "kustomize build own").text();
        let name = made.lines().find_map(|line| line.strip_prefix("  name: "));
        name.unwrap_or_else(|| panic!("no name in {made}"))
            .to_owned()
    }

    /// What kustomize makes with either program: the Secret, with its hash wherever it is named.
    fn renders(&self, build: &str) {
        let name = self.name_with_hash();
        assert_eq!(name.len(), "app-".len() + 10, "{name}");
        self.same(build, "password: Y29ycmVjdCBob3JzZQ==\n");
        self.same(build, &format!("  name: {name}\n  namespace: shop\n"));
        self.same(build, &format!("    - secretRef:\n        name: {name}\n"));
    }

    /// Without the right key it fails, says why, and prints nothing of the rest either.
    fn fails_without_the_key(&self, build: &str) {
        identity(&self.path("key.txt"));
        for whose in BOTH {
            let output = self.shell(whose, build);
            assert_ne!(output.code(), 0, "{whose:?}");
            assert_eq!(output.text(), "", "{whose:?}");
            assert!(
                output.stderr.contains("Failed to get the data key"),
                "{whose:?}: {}",
                output.stderr
            );
            assert!(!output.stderr.contains("Y29ycmVjdCBob3JzZQ"), "{whose:?}");
        }
        let said = self.shell(Whose::Ours, build).stderr;
        for words in ["file: ./secret.enc.yaml", &self.recipient] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}

#[test]
fn a_function_of_kustomize_generates_from_an_encrypted_file() {
    let desk = desk(FUNCTION_SETTINGS);
    desk.renders(BUILD);
    desk.fails_without_the_key(BUILD);
}

#[test]
fn an_exec_plugin_of_kustomize_generates_too() {
    let desk = desk(PLUGIN_SETTINGS);
    let build = &format!("export KUSTOMIZE_PLUGIN_HOME=$PWD/plugins; {BUILD}");
    desk.renders(build);
    desk.fails_without_the_key(build);
}

#[test]
fn a_changed_value_stops_kustomize() {
    let desk = desk(FUNCTION_SETTINGS);
    let text = desk.read("base/secret.enc.yaml");
    desk.write(
        "base/secret.enc.yaml",
        &text.replace("name: app", "name: other"),
    );
    let output = desk.shell(Whose::Ours, BUILD);
    assert_ne!(output.code(), 0);
    assert_eq!(output.text(), "");
    assert!(output.stderr.contains("MAC mismatch"), "{}", output.stderr);
}
