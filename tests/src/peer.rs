//! The Go peers: real servers and programs, built from the pinned modules in `tests/peers`.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use aws_lc_rs::digest;

use crate::{cache, progress::say};

/// A program in one of the modules under `tests/peers`.
pub struct GoProgram<'a> {
    /// What the binary is called.
    pub name: &'a str,
    /// Its version, as `go.mod` pins it.
    pub version: &'a str,
    /// The folder under `tests/peers`.
    pub folder: &'a str,
    /// The package to build, as seen from that folder.
    pub package: &'a str,
    /// Values that releases set at link time.
    pub ldflags: &'a str,
    /// Build tags, separated by commas.
    pub tags: &'a str,
    /// How long the build takes on two cores, for the message.
    pub duration: &'a str,
}

/// The store under the API server.
pub static ETCD: GoProgram<'static> = GoProgram {
    name: "etcd",
    version: "3.6.8",
    folder: "etcd",
    package: ".",
    ldflags: "",
    tags: "",
    duration: "20 s",
};

const KUBERNETES_VERSION: &str = "-X k8s.io/component-base/version.gitVersion=v1.34.4 \
     -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34";

/// The API server.
pub static KUBE_APISERVER: GoProgram<'static> = GoProgram {
    name: "kube-apiserver",
    version: "1.34.4",
    folder: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    ldflags: KUBERNETES_VERSION,
    tags: "",
    duration: "3 min",
};

/// Garbage collection, service accounts, namespaces.
pub static KUBE_CONTROLLER_MANAGER: GoProgram<'static> = GoProgram {
    name: "kube-controller-manager",
    version: "1.34.4",
    folder: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-controller-manager",
    ldflags: KUBERNETES_VERSION,
    tags: "",
    duration: "1 min",
};

/// The original client.
pub static KUBESEAL: GoProgram<'static> = GoProgram {
    name: "kubeseal",
    version: "0.40.0",
    folder: "sealed-secrets",
    package: "github.com/bitnami/sealed-secrets/cmd/kubeseal",
    ldflags: "-X main.VERSION=0.40.0",
    tags: "",
    duration: "30 s",
};

/// The original controller.
pub static CONTROLLER: GoProgram<'static> = GoProgram {
    name: "controller",
    version: "0.40.0",
    folder: "sealed-secrets",
    package: "github.com/bitnami/sealed-secrets/cmd/controller",
    ldflags: "-X main.VERSION=0.40.0",
    tags: "",
    duration: "30 s",
};

/// Helm 3.
pub static HELM: GoProgram<'static> = GoProgram {
    name: "helm",
    version: "3.19.5",
    folder: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    ldflags: "-X helm.sh/helm/v3/internal/version.version=v3.19.5 \
         -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=34 \
         -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34",
    tags: "",
    duration: "90 s",
};

/// Kustomize 5: the newest that Go 1.26 builds.
pub static KUSTOMIZE: GoProgram<'static> = GoProgram {
    name: "kustomize",
    version: "5.8.2",
    folder: "kustomize",
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    ldflags: "-X sigs.k8s.io/kustomize/api/provenance.version=kustomize/v5.8.2",
    tags: "",
    duration: "40 s",
};

/// The original of SOPS documents.
pub static SOPS: GoProgram<'static> = GoProgram {
    name: "sops",
    version: "3.13.3",
    folder: "sops",
    package: "github.com/getsops/sops/v3/cmd/sops",
    ldflags: "",
    tags: "",
    duration: "1 min",
};

/// The original of age files.
pub static AGE: GoProgram<'static> = GoProgram {
    name: "age",
    version: "1.3.2",
    folder: "age",
    package: "filippo.io/age/cmd/age",
    ldflags: "-X main.Version=v1.3.2",
    tags: "",
    duration: "10 s",
};

/// Makes identities for [`AGE`].
pub static AGE_KEYGEN: GoProgram<'static> = GoProgram {
    name: "age-keygen",
    version: "1.3.2",
    folder: "age",
    package: "filippo.io/age/cmd/age-keygen",
    ldflags: "-X main.Version=v1.3.2",
    tags: "",
    duration: "10 s",
};

/// Vault, with what `minimal` leaves: transit, kv, tokens, approle, jwt.
pub static VAULT: GoProgram<'static> = GoProgram {
    name: "vault",
    version: "1.21.1",
    folder: "vault",
    package: "github.com/hashicorp/vault",
    ldflags: "",
    tags: "minimal",
    duration: "4 min",
};

/// The login with a Kubernetes token, as a plugin of [`VAULT`].
pub static VAULT_KUBERNETES: GoProgram<'static> = GoProgram {
    name: "kubernetes",
    version: "0.23.1",
    folder: "vault",
    package: "github.com/hashicorp/vault-plugin-auth-kubernetes/cmd/vault-plugin-auth-kubernetes",
    ldflags: "",
    tags: "",
    duration: "5 s",
};

impl GoProgram<'_> {
    /// The path of the binary, built first if the cache lacks it.
    pub fn path(&self) -> PathBuf {
        static KNOWN: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let label = format!("{}-{}", self.name, self.version);
        if let Some(path) = known().get_or_insert_default().get(&label) {
            return path.clone();
        }
        let flags = [self.package, self.ldflags, self.tags];
        let key = key(
            self.folder,
            &flags[..if self.tags.is_empty() { 2 } else { 3 }],
        );
        let entry = cache::entry(&format!("{label}-{key}"), |out| self.build(out));
        let path = entry.join(self.name);
        known().get_or_insert_default().insert(label, path.clone());
        path
    }

    fn build(&self, out: &Path) {
        let Self { name, version, .. } = self;
        say(&format!(
            "building {name} {version} (about {}, once)…",
            self.duration
        ));
        let begin = Instant::now();
        let binary = out.join(name);
        let binary = binary.to_str().expect("the cache folder's name is text");
        let ldflags = format!("-s -w {}", self.ldflags);
        let args = [
            "build",
            "-p",
            "2",
            "-trimpath",
            "-tags",
            self.tags,
            "-ldflags",
            &ldflags,
            "-o",
            binary,
            self.package,
        ];
        run_go(self.folder, &args);
        say(&format!(
            "built {name} {version} in {} s",
            begin.elapsed().as_secs()
        ));
    }
}

/// The binary of the main package in `tests/peers/<folder>`: a small program that ours is compared with.
///
/// To add one: a flat folder with `go.mod`, `go.sum` and the sources; it is built again when a file changes.
pub fn go(folder: &str) -> PathBuf {
    let program = GoProgram {
        name: folder,
        version: "own",
        folder,
        package: ".",
        ldflags: "",
        tags: "",
        duration: "1 min",
    };
    program.path()
}

/// The source folder of a Go module that `tests/peers/<folder>` requires.
pub fn module_folder(folder: &str, module: &str) -> PathBuf {
    let _ = run_go(folder, &["mod", "download", module]);
    PathBuf::from(run_go(folder, &["list", "-m", "-f", "{{.Dir}}", module]).trim())
}

/// The source folder of the original, which also holds its chart and its CRD.
pub fn sealed_secrets_source() -> PathBuf {
    module_folder("sealed-secrets", "github.com/bitnami/sealed-secrets")
}

/// Names what the binary is made from: the files of the folder, the compiler, the flags.
fn key(folder: &str, flags: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut files: Vec<PathBuf> = fs::read_dir(module(folder))
        .unwrap_or_else(|e| panic!("no peer module {}: {e}", module(folder).display()))
        .map(|file| file.expect("the folder was just opened").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for file in files {
        context.update(
            file.file_name()
                .expect("a file has a name")
                .as_encoded_bytes(),
        );
        context.update(
            &fs::read(&file).unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display())),
        );
    }
    context.update(run_go(folder, &["env", "GOVERSION", "GOOS", "GOARCH"]).as_bytes());
    for flag in flags {
        context.update(flag.as_bytes());
    }
    context.finish().as_ref()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn module(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(folder)
}

fn run_go(folder: &str, args: &[&str]) -> String {
    let program = std::env::var_os("GO").unwrap_or_else(|| OsString::from("go"));
    let output = Command::new(&program)
        .args(args)
        .current_dir(module(folder))
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .output()
        .unwrap_or_else(|e| {
            panic!(
                "cannot run {}: {e}\nhint: install Go 1.26.8 or newer and put it on PATH",
                program.display()
            )
        });
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        panic!(
            "go {} failed in tests/peers/{folder}: {}\n{stderr}",
            args.join(" "),
            output.status
        );
    }
    String::from_utf8_lossy(&output.stdout).into_owned()
}
