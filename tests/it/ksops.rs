//! Our hooks under the name of `ksops`: called by the real kustomize in both ways, and by hand.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::cli::{self, Output, Run};
use testkit::{ours, peer};

mod environment;
mod errors;
mod generators;
mod install;
mod layout;
mod lists;
mod vectors;

/// How kustomize calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As a KRM function.
    Function,
    /// As a plugin of the older kind.
    Plugin,
}

const WAYS: [Way; 2] = [Way::Function, Way::Plugin];

/// A folder with a key, and the program under its name.
struct Desk {
    folder: TempDir,
    recipient: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self::without_key();
        let text = cli::run(peer::AGE_KEYGEN.path()).ok();
        let recipient = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient.expect("age-keygen names it").to_owned();
        desk.write("key.txt", &text);
        Self { recipient, ..desk }
    }

    fn without_key() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for place in ["bin", "plugins/viaduct.ai/v1/ksops"] {
            let place = folder.path().join(place);
            fs::create_dir_all(&place).expect("made");
            symlink(ours::decryptor(), place.join("ksops")).expect("a link");
        }
        Self {
            folder,
            recipient: String::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Writes a file and has the real sops encrypt it.
    fn encrypted(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(name, text);
        let args = ["encrypt", "-i", "--age", &self.recipient, name];
        cli::run(peer::SOPS.path())
            .folder(self.folder.path())
            .args(args)
            .ok();
    }

    /// Writes a generator, and the kustomization that uses it.
    fn generator(&self, way: Way, body: &str) {
        let function = match way {
            Way::Function => {
                "  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: ksops\n"
            }
            Way::Plugin => "",
        };
        let head = "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata:\n  name: generator\n";
        self.write("app/generator.yaml", format!("{head}{function}{body}"));
        if !self.path("app/kustomization.yaml").exists() {
            self.write("app/kustomization.yaml", "generators: [generator.yaml]\n");
        }
    }

    fn ready(&self, run: Run, key: &Path) -> Run {
        let path = std::env::var("PATH").unwrap_or_default();
        run.env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("KUSTOMIZE_PLUGIN_HOME", self.path("plugins"))
            .env("SOPS_AGE_KEY_FILE", key)
    }

    /// Has the real kustomize build a folder.
    fn kustomize(&self, folder: impl Into<PathBuf>, key: &Path) -> Run {
        let args = ["build", "--enable-alpha-plugins", "--enable-exec", "."];
        let run = cli::run(peer::KUSTOMIZE.path()).folder(folder).args(args);
        self.ready(run, key)
    }

    /// Has it build our own folder.
    fn build(&self) -> Run {
        self.kustomize(self.path("app"), &self.path("key.txt"))
    }

    /// Our program by hand.
    fn ksops(&self, args: &[&str]) -> Run {
        let run = cli::run(self.path("bin/ksops")).folder(self.path("app"));
        self.ready(run, &self.path("key.txt"))
            .args(args.iter().copied())
    }
}

/// It fails, says so once on standard error, and prints nothing else.
fn refused(output: &Output, words: &str) {
    assert_eq!(output.code(), 1, "{}", output.stderr);
    assert_eq!(output.text(), "");
    assert_eq!(
        output.stderr.matches(words).count(),
        1,
        "{words}: {}",
        output.stderr
    );
}
